"""The collaborators of all pages: the mart, what time it is where the page is read, and who may see whom."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from backends.warehouse.marts import MartConsole
from dashboard.mart import Mart, Row, Snapshot
from dashboard.units import Units


@dataclass(frozen=True, kw_only=True, slots=True)
class PageContext:
    """The collaborators of a page. `clock` returns the present moment, zone included."""

    mart: Mart
    zone: ZoneInfo
    refresh_s: float
    clock: Callable[[], datetime]
    built_every: timedelta = timedelta(hours=1)  # the marts are, at whole multiples of UTC, although nothing changed
    units: Units = Units.METRIC  # until the reader chooses others
    engine: str = "DuckDB"  # that answers the queries, as it calls itself
    viewers: Mapping[str, Collection[int]] | None = None  # by e-mail, the athletes whom each may see; None: all see all
    privacy_radius_m: float | None = None  # around the ends of routes; None: 200 where others look, else none
    inbox: Path | None = None  # where files to import are put; None where nobody may bring any
    console: MartConsole | None = None  # for a reader's own SQL; None where it would show what is hidden
    own_file: Path | None = None  # athlete.toml; None where it lies elsewhere, or others look
    documents: Path | None = None  # where `athlete docs` writes dbt's pages; None where nobody can
    queries: Path | None = None  # where questions are saved by name; None where no folder is the reader's own
    is_shown_to_others: bool = False  # the reader has switched the shared view on
    map_style_url: str = ""  # of a background for the map that can be moved; nobody is asked for one while it is empty

    @property
    def is_shared(self) -> bool:
        """Whether others than the athlete may look."""
        return self.viewers is not None or self.is_shown_to_others

    def visible(self, snapshot: Snapshot, signed_in: str | None) -> Snapshot:
        """Leave the athletes whom the viewer may see; `signed_in` is what Identity-Aware Proxy says who that is.

        https://cloud.google.com/iap/docs/identity-howto#getting_the_users_identity_with_signed_headers
        """
        if self.viewers is None:
            return snapshot
        email = (signed_in or "").rpartition(":")[2].lower()
        allowed = next((ids for who, ids in self.viewers.items() if who.lower() == email), ())
        return Snapshot(tuple(row for row in snapshot.health if row["athlete_id"] in allowed))

    def now(self) -> datetime:
        """Return the present moment in the zone of the page."""
        return self.clock().astimezone(self.zone)

    def today(self, health: Row) -> date:
        """Return the day it is where the athlete of this row of `pipeline_health` last was.

        Without an activity it is the day in the zone of the page.
        """
        offset_s = health["utc_offset_s"]
        where = self.zone if offset_s is None else timezone(timedelta(seconds=offset_s))
        return self.clock().astimezone(where).date()
