"""What `athlete transform` says of a run that failed."""

from datetime import UTC, datetime

from athlete.transform import fault
from backends.warehouse.runs import TransformRun
from worker.dbt_runner.port import Node
from worker.dbt_runner.transformer import Transformed

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DRAWING = "Runtime Error in model a (a.sql)\n  no such column: n\n  \n  LINE 21:  from t\n            ^"


def failed(error: str, *nodes: Node) -> Transformed:
    """Make a run that ended with an error."""
    run = TransformRun(
        run_id="r",
        watermark="",
        started_at=NOW,
        finished_at=NOW,
        published_at=None,
        is_full_refresh=False,
        error=error,
    )
    return Transformed(run=run, nodes=nodes)


def node(name: str, status: str, message: str) -> Node:
    """Make one node's end."""
    return Node(name=name, status=status, seconds=0.1, message=message)


def test_many_faults_become_one_line() -> None:
    """The first fault is told without the drawing of its SQL, the others are counted."""
    nodes = (node("ok", "success", "OK"), node("a", "error", DRAWING), node("b", "fail", "x"), node("c", "skipped", ""))
    told = fault(failed("long\n" * 100, *nodes))
    assert told == "dbt failed at a (and 1 more): Runtime Error in model a (a.sql) no such column: n"


def test_a_fault_before_any_node_is_told_and_cut() -> None:
    """When dbt could not even begin, the beginning of its own words is told on one line."""
    told = fault(failed("cannot read\n the project " + "x" * 5000))
    assert told.startswith("cannot read the project xxx")
    assert len(told) < 500
