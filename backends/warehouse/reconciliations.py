"""What the comparisons of Strava's list with `raw` found."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Verdict(StrEnum):
    """The result of a reconcile."""

    COMPLETE = "complete"  # all that Strava listed is stored as Strava has it, and nothing else
    INCOMPLETE = "incomplete"  # a difference is left, or an item of the list could not be read
    GUARDED = "guarded"  # so many activities are not listed any more that a person has to confirm their removal
    CUT_SHORT = "cut_short"  # the list was not read to its end, so it proves nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciliation:
    """One row of `raw.reconciliations`; its columns are described in the schema.

    Of a listing that was cut short `strava_count` is how far it came, and nothing was compared.
    """

    reconciliation_id: str
    athlete_id: int
    strava_count: int
    warehouse_count: int
    missing: int
    extra: int
    changed: int
    repaired: int
    unreadable: int
    verdict: Verdict
    reason: str | None
    retry_at: datetime | None
    started_at: datetime
    finished_at: datetime
    stopped_kind: str | None = None

    @property
    def counts(self) -> str:
        """Both counts in words."""
        return compared_counts(self.strava_count, self.warehouse_count, is_complete=self.verdict is Verdict.COMPLETE)


def compared_counts(strava: int, warehouse: int, *, is_complete: bool) -> str:
    """Tell both counts, as every program does; equal counts of different activities are not called equal."""
    if strava == warehouse and not is_complete:
        return f"Strava {strava:,} and warehouse {warehouse:,} differ"
    return f"Strava {strava:,} {'=' if strava == warehouse else '≠'} warehouse {warehouse:,}"


def beside_files(counts: str, file_only: int) -> str:
    """Add to the counts what own files alone tell of."""
    return f"{counts}, + {file_only:,} from files only" if file_only else counts


class Reconciliations(Protocol):
    """The verdicts, newest last."""

    async def put_reconciliation(self, row: Reconciliation) -> None:
        """Add one; a complete one also moves the athlete's `complete_as_of` to its start. Raises WarehouseBusy."""

    async def last_reconciliation(self, athlete_id: int) -> Reconciliation | None:
        """Return the athlete's newest, or None before the first."""
