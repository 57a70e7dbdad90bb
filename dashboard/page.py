"""What a page draws from: one build of the marts, one athlete, one reader, and what the filters say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from dashboard.context import PageContext
from dashboard.filters import Filters, first_day
from dashboard.formatting import Teller
from dashboard.mart import MartVersion, Row, Rows

NAMES = frozenset({"name", "activity_name"})  # the columns of queries that tell how an activity is called


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Given to the `show(page)` of each module in `dashboard/views/`.

    `tell` says texts, numbers and dates in the reader's language and units. `health` is the athlete's row of
    `pipeline_health`. `docs/pages.md` shows how a page and its cards are made.
    """

    context: PageContext
    mart: MartVersion
    health: Row
    filters: Filters
    tell: Teller
    done: Rows  # of `sports_done`
    visible: Sequence[Row] = ()  # of `pipeline_health`: the athletes whom the reader may see

    @property
    def athlete_id(self) -> int:
        """Whose numbers are shown."""
        return int(self.health["athlete_id"])

    @property
    def today(self) -> date:
        """Which day it is for the athlete."""
        return self.filters.today

    @property
    def first_day(self) -> date:
        """The day of the first activity of any sport; today without one."""
        return first_day(self.done, self.today)

    @property
    def told_until(self) -> date:
        """The last day that the marts have: that of their build, so that after midnight it is not today."""
        last = next((row["date_day"] for row in self.rows("told_until", self.athlete_id)), None)
        return min(last, self.today) if last else self.today

    def knows(self, day: date) -> bool:
        """Whether what was done on a day is here: not before the first activity, nor while the history is not listed.

        An athlete who began later, or whose older activities are still to come, has nothing to be compared with.
        """
        return day >= self.first_day and all(row["listed_at"] for row in self.rows("backfill_status", self.athlete_id))

    @property
    def now(self) -> datetime:
        """The present moment in the zone of the page."""
        return self.tell.now

    def rows(self, query: str, *parameters: object) -> Rows:
        """Run `queries/<query>.sql` on this build, or return what it said before.

        Where others may look, private activities have no name. Raises MartMissing, QueryFailed, WarehouseBusy.
        """
        found = self.mart.rows(query, *parameters)
        if not self.context.is_shared or not found or NAMES.isdisjoint(found[0]):
            return found
        private = {row["activity_id"] for row in self.mart.rows("private_activities", self.athlete_id)}
        return found.changed(lambda row: _unnamed(row) if row.get("activity_id") in private else row)


def _unnamed(row: Row) -> Row:
    return {key: None if key in NAMES else value for key, value in row.items()}
