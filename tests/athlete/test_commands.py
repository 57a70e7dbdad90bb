"""The command line from outside: what it prints, what it exits with."""

import asyncio
import json
import re
import socket
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import typer
from typer.testing import Result

from athlete.errors import CommandError, exit_on_error
from athlete.events import read_since
from athlete.query import bytes_told, query
from backends.saved_queries import SavedQueries
from backends.warehouse import StatementRejected
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.events import StravaEvent

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
Run = Callable[..., Result]


def entry(activity_id: int, outcome: Outcome, *, finished_at: datetime = NOW) -> LedgerEntry:
    """Make one ledger row about an activity."""
    event = StravaEvent(
        object_type="activity",
        aspect_type="create",
        object_id=activity_id,
        owner_id=4242424242,
        subscription_id=1,
        event_time=finished_at,
        updates={},
    )
    return LedgerEntry(
        delivery_id=f"{activity_id}/{outcome}",
        event_id=event.event_id,
        event=event,
        outcome=outcome,
        reason="because",
        attempt=1,
        received_at=finished_at,
        finished_at=finished_at,
    )


@pytest.fixture
async def ledger(tmp_path: Path) -> None:
    """A ledger of three events: stored, deleted, and one parked two days earlier."""
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    await store.record(
        [
            entry(1, Outcome.STORED),
            entry(2, Outcome.DELETED),
            entry(3, Outcome.PARKED, finished_at=NOW - timedelta(days=2)),
        ]
    )
    await store.close()


def rows(result: Result) -> list[dict[str, object]]:
    """Read what a command printed as JSON lines."""
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_version(run: Run) -> None:
    """--version names the program and its version."""
    assert re.fullmatch(r"athlete-dashboard \d+\.\d+\.\d+\n", run("--version").stdout)


def test_help_names_every_command(run: Run) -> None:
    """--help lists the commands."""
    output = run("--help").stdout
    assert all(command in output for command in ("demo", "up", "connect", "events", "budget", "transform", "query"))


def test_events_before_there_are_any(run: Run) -> None:
    """Without a pipeline file the command says how to begin, and fails."""
    result = run("events")
    assert result.exit_code == 1
    assert "Nothing is stored" in result.stderr


def test_events_tell_when_one_is_tried_again(run: Run, tmp_path: Path) -> None:
    """For a person in DISPLAY_TIMEZONE, which is Berlin's, as JSON in UTC; what waits in the queue tells no time."""
    again = NOW + timedelta(hours=12)

    async def defer() -> None:
        store = SqliteRawStore(tmp_path / "pipeline.sqlite")
        await store.record([replace(entry(1, Outcome.DEFERRED), retry_at=again), entry(2, Outcome.DEFERRED)])
        await store.close()

    asyncio.run(defer())
    assert "because Tried again from 2026-05-02 02:00." in run("events").stdout
    assert [row["retry_at"] for row in rows(run("events", "--json"))] == [None, "2026-05-02T00:00:00.000000Z"]


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((), {1, 2, 3}),
        (("--outcome", "parked"), {3}),
        (("--activity", "2"), {2}),
        (("--athlete", "4242424242"), {1, 2, 3}),
        (("--athlete", "1"), set()),
        (("--since", "2026-04-30"), {1, 2}),
        (("--limit", "1"), {3}),
    ],
)
def test_events_are_filtered(run: Run, filters: tuple[str, ...], expected: set[int]) -> None:
    """Each filter keeps just its rows; the limit keeps what was written last."""
    assert {row["object_id"] for row in rows(run("events", "--json", *filters))} == expected


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("option", "value"),
    [
        *((option, "9" * 23) for option in ("--athlete", "--activity", "--limit")),
        ("--activity", f"-{'9' * 23}"),
        *(("--since", age) for age in ("99999999999d", f"{'9' * 20}m", f"{'9' * 5000}h")),
        *(("--since", moment) for moment in ("0001-01-01T00:00+23:00", "9999-12-31T23:59-23:00")),
    ],
)
def test_what_no_calendar_and_no_id_reaches_is_refused_in_a_sentence(run: Run, option: str, value: str) -> None:
    """A number beyond all ids, or a time beyond all calendars, is named with its option."""
    result = run("events", f"{option}={value}")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"athlete: {option} ")
    assert len(result.stderr) < 200
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.usefixtures("ledger")
def test_events_are_a_table_for_a_person(run: Run) -> None:
    """Without --json the rows are a table with headings."""
    result = run("events")
    assert result.exit_code == 0
    assert "outcome" in result.stdout
    assert "because" in result.stdout


def test_since_reads_ages_and_times_and_explains_anything_else() -> None:
    """12h is an age, a date is a date, and a word is refused with the two forms that work."""
    berlin = ZoneInfo("Europe/Berlin")
    assert read_since("12h", NOW, berlin) == NOW - timedelta(hours=12)
    assert read_since("2026-05-01T12:00:00Z", NOW, berlin) == NOW
    assert read_since("2026-05-01T14:00", NOW, berlin) == NOW
    with pytest.raises(CommandError, match="12h"):
        read_since("yesterday", NOW, berlin)


@pytest.mark.slow
@pytest.mark.usefixtures("ledger")
def test_query_reads_raw_in_three_forms(run: Run) -> None:
    """One statement gives the same row as JSON, as CSV and as a table."""
    sql = "select outcome, count(*) as events from raw.strava_events group by 1 order by 1 limit 1"
    assert rows(run("query", "--json", sql)) == [{"outcome": "deleted", "events": 1}]
    assert run("query", "--csv", sql).stdout.split() == ["outcome,events", "deleted,1"]
    assert "deleted" in run("query", sql).stdout


@pytest.mark.slow
@pytest.mark.usefixtures("ledger")
def test_a_saved_query_is_asked_by_its_name(run: Run, tmp_path: Path) -> None:
    """A name that nothing is saved under is answered with those that there are; one of both is given."""
    assert "page SQL of the dashboard saves some" in run("query", "--saved", "events").stderr
    SavedQueries(tmp_path / "queries").save("all events", "select count(*) as events from raw.strava_events")
    assert rows(run("query", "--json", "--saved", "all events")) == [{"events": 3}]
    assert "saved are all events." in run("query", "--saved", "../tokens").stderr
    for both_or_none in ((), ("select 1", "--saved", "all events")):
        assert "Give a statement, or the NAME" in run("query", *both_or_none).stderr


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("sql", ["delete from raw.strava_events", "drop table raw.strava_events", "selec 1", ""])
def test_query_changes_nothing_and_explains_in_one_sentence(run: Run, sql: str) -> None:
    """A statement that writes or is no SQL fails with a sentence, not a traceback, and the ledger is whole."""
    result = run("query", sql)
    assert result.exit_code == 1
    assert result.stderr.startswith("athlete: ")
    assert "Traceback" not in result.output
    assert len(rows(run("events", "--json"))) == 3


@pytest.mark.slow
@pytest.mark.usefixtures("ledger")
def test_the_documented_listing_names_tables_as_they_are_asked(run: Run, project_root: Path) -> None:
    """Each name that the listing of README and help prints can be queried."""
    listing = "select if(schema = 'main', database, schema) || '.' || name from (show all tables)"
    assert listing in (project_root / "README.md").read_text()
    assert listing in (query.__doc__ or "")
    names = [name for row in rows(run("query", "--json", listing)) for name in row.values()]
    assert "raw.strava_events" in names
    assert run("query", " union all ".join(f"(from {name} select 1 limit 1)" for name in names)).exit_code == 0


def test_query_before_the_first_transform(run: Run) -> None:
    """Asking the marts before there are any names the command that makes them."""
    result = run("query", "select * from mart.fct_activities")
    assert result.exit_code == 1
    assert "athlete transform" in result.stderr


def test_a_wrong_setting_is_named_without_its_value(run: Run) -> None:
    """A setting that cannot be read is named; what it was set to is not repeated, for it may be a secret."""
    result = run("events", LOG_FORMAT="hieroglyphs")
    assert result.exit_code == 1
    assert "LOG_FORMAT" in result.stderr
    assert "hieroglyphs" not in result.output


def test_connect_without_credentials_says_what_to_set(run: Run) -> None:
    """Connecting needs the app's id and secret first."""
    result = run("connect", STRAVA_CLIENT_ID="", STRAVA_CLIENT_SECRET="")
    assert result.exit_code == 1
    assert "STRAVA_CLIENT_ID" in result.stderr


def test_nobody_else_may_look_into_the_data_folder(run: Run, tmp_path: Path) -> None:
    """A data folder that a command makes is closed to all other users of the machine, files and all."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run("demo", "--port", str(taken.getsockname()[1]), DATA_DIR=str(tmp_path / "data"))
    for folder in (tmp_path / "data", tmp_path / "data" / "demo"):
        assert not folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("columns", ["80", "120"])
def test_a_row_of_events_fits_the_terminal(run: Run, columns: str) -> None:
    """When, which activity, what happened and how it ended stand unbroken on one line, even in 80 columns."""
    printed = run("events", "--activity", "2", COLUMNS=columns, TTY_COMPATIBLE="1", TERM="xterm").stdout
    assert "\x1b[" in printed  # as on a terminal
    lines = re.sub(r"\x1b\[[0-9;]*m", "", printed).splitlines()
    assert max(map(len, lines)) <= int(columns)
    [row] = [line.split() for line in lines if "because" in line]
    assert row == ["2026-05-01", "14:00:00", "2", "create", "deleted", "because"]


TOKENS = {"access_token": "a", "refresh_token": "r", "expires_at": "2026-01-01T00:00:00+00:00", "scope": []}


@pytest.fixture
def tokens_of_somebody(tmp_path: Path) -> None:
    """A token file with one athlete."""
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"athletes": {"4242": TOKENS}}))
    path.chmod(0o600)


@pytest.mark.parametrize("command", [("events",), ("transform",), ("query", "select 1")])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty, so what was stored in it is lost: restore it from a backup"),
        (b"no database" * 200, "is damaged or no database"),
    ],
)
def test_a_lost_database_is_named_with_what_to_do(
    run: Run, tmp_path: Path, command: tuple[str, ...], content: bytes, sentence: str
) -> None:
    """An emptied or overwritten file is told by its name in one sentence, and is left as it is."""
    pipeline = tmp_path / "pipeline.sqlite"
    pipeline.write_bytes(content)
    result = run(*command)
    assert result.exit_code == 1
    assert f"{pipeline} {sentence}" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert pipeline.read_bytes() == content


@pytest.mark.usefixtures("ledger", "tokens_of_somebody")
def test_a_database_without_the_athletes_of_the_tokens_is_told(run: Run, tmp_path: Path) -> None:
    """Where tokens are kept of somebody whom the database does not know, commands say so, and no marts are emptied."""
    for command in (("events", "--json"), ("query", "--json", "select 1 as one")):
        result = run(*command)
        assert result.exit_code == 0
        assert "knows no athlete, but tokens are kept of 4242" in result.stderr
    result = run("transform")
    assert result.exit_code == 1
    assert "Nothing was published" in result.stderr
    assert "knows no athlete, but tokens are kept of 4242" in result.stderr


def test_a_query_that_is_billed_tells_its_bytes() -> None:
    """Where reading is free, nothing is said."""
    assert bytes_told(None) == ""
    assert bytes_told(5 * 2**20).startswith("this reads 5.0 MiB; BigQuery bills")


def test_a_statement_that_is_rejected_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """As every other error of a store, for example where a dataset's tables are not ours."""

    @exit_on_error
    def command() -> None:
        raise StatementRejected("BigQuery does not take the statement: no such column")

    with pytest.raises(typer.Exit) as left:
        command()
    told = "athlete: BigQuery does not take the statement: no such column\n"
    assert (left.value.exit_code, capsys.readouterr().err) == (1, told)
