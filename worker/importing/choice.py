"""What of an archive a person wants to have imported."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from strava.archive.archive import Archive
from strava.archive.row import ArchiveRow
from worker.importing.outcomes import ReadFile, Session
from worker.importing.readers import Wanted, wanted_files


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What began since a moment, and is of one of these sports, named as by Strava in small letters; or all."""

    since: datetime | None = None
    only: frozenset[str] = frozenset()

    def takes_row(self, row: ArchiveRow) -> bool:
        """Whether an activity of the list is wanted; one whose date or sport cannot be read is, as far as it goes."""
        if self.since is not None and row.start is not None and row.start < self.since:
            return False
        return not self.only or not self.only.isdisjoint(_sports(row))

    def missing_sports(self, archive: Archive) -> list[str]:
        """Return the sports asked for that no activity of the list is of; none where there is no list."""
        listed = set[str]().union(*map(_sports, archive.rows))
        return sorted(self.only - listed) if archive.activities else []

    def of_files(self, archive: Archive) -> list[Wanted]:
        """Return the files but those whose row is not wanted."""
        is_wanted = {row.activity_id: self.takes_row(row) for row in archive.rows}
        return [each for each in wanted_files(archive) if is_wanted.get(each.activity_id or 0, True)]

    def takes_read(self, read: ReadFile, *, has_row: bool) -> bool:
        """Whether a file that was read is wanted: without a row one of its recordings must be, if it has any."""
        return has_row or not read.sessions or any(map(self.takes, read.sessions))

    def takes(self, session: Session) -> bool:
        """Whether a recording without a row is wanted."""
        if self.since is not None and session.start < self.since.timestamp():
            return False
        return not self.only or str(orjson.loads(session.activity).get("sport_type", "")).casefold() in self.only


def _sports(row: ArchiveRow) -> set[str]:
    """Return what a row's sport is called, as its list has it and as Strava's API does, in small letters."""
    return {row.sport_label.casefold(), str(row.activity.get("sport_type", "")).casefold()}
