"""How a daily run ended: what a person reads, what an alert reads, and the exit code."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from backends.warehouse.reconciliations import Reconciliation, Verdict
from worker.dbt_runner.transformer import Transformed


class ExitCode(IntEnum):
    """How it ended; the gravest wins. 1 and 2 are the shell's own: it could not run, and it was called wrongly."""

    COMPLETE = 0
    DIFFERENT = 3  # differences are left, which a later run repairs
    UNCHECKED = 4  # an athlete could not be checked to the end: limits, a lapse, a dead token
    GUARDED = 5  # a mass change waits for a person's word
    TRANSFORM_FAILED = 6  # dbt, one of its tests or the freshness of a source failed
    ALREADY_RUNNING = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """One athlete's verdict, or why there is none; `notes` tell what of settings, totals and gear could not be read.

    `file_only` are activities that own files alone tell of, which the verdict does not count.
    """

    athlete_id: int
    reconciliation: Reconciliation | None = None
    error: str | None = None
    notes: Sequence[str] = ()
    file_only: int = 0

    @property
    def verdict(self) -> Verdict:
        """The verdict; where there is none the list was not read."""
        return Verdict.CUT_SHORT if self.reconciliation is None else self.reconciliation.verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class DailyReport:
    """What a run did. `transformed` is None where dbt was not started; `stale` are sources that are too old.

    `transform_job` is the job that was started to build and test the marts, on Google Cloud.
    `pruned` are the rows that left the ledger, or None where it could not be written.
    """

    checked: Sequence[Checked]
    pruned: int | None = 0
    transformed: Transformed | None = None
    transform_error: str | None = None
    transform_job: str | None = None
    stale: Sequence[str] = ()

    @property
    def exit_code(self) -> ExitCode:
        """The gravest of all that happened."""
        verdicts = {each.verdict for each in self.checked}
        if Verdict.GUARDED in verdicts:
            return ExitCode.GUARDED
        if self.transform_error is not None:
            return ExitCode.TRANSFORM_FAILED
        if Verdict.CUT_SHORT in verdicts:
            return ExitCode.UNCHECKED
        if self.stale:
            return ExitCode.TRANSFORM_FAILED
        return ExitCode.DIFFERENT if Verdict.INCOMPLETE in verdicts else ExitCode.COMPLETE

    def facts(self) -> dict[str, Any]:
        """Return the summary in numbers and words of no person."""
        verdicts = [each.verdict for each in self.checked]
        rows = [each.reconciliation for each in self.checked if each.reconciliation is not None]
        return {
            "exit_code": int(self.exit_code),
            "athletes": len(self.checked),
            **{verdict.value: verdicts.count(verdict) for verdict in Verdict},
            **{name: sum(getattr(row, name) for row in rows) for name in ("missing", "extra", "changed", "repaired")},
            "is_published": self.transformed is not None and self.transformed.is_published,
            "stale": list(self.stale),
            "pruned": self.pruned,
        }
