"""A ZIP that holds ZIPs, read as one container."""

from datetime import datetime

from strava.archive.container import Limits, Member, Problem, ZipContainer, shown
from strava.errors import UnreadableArchive


class ZipsInside:
    """A ZIP of recordings with further ZIPs in it, one level deep, as Garmin's export is: all their files together."""

    is_copy = False

    def __init__(self, outer: ZipContainer, limits: Limits | None = None) -> None:
        self._outer = outer
        self._inner: dict[str, ZipContainer] = {}
        self.problems = list(outer.problems)
        self.members = [member for member in outer.members if not _is_zip(member)]
        limits, unpacked = limits or Limits(), 0
        for member in filter(_is_zip, outer.members):
            unpacked += member.size
            if unpacked > limits.total or len(self.members) > limits.entries:
                raise UnreadableArchive("the ZIP", "holds more ZIPs than are read")
            try:
                inner = outer.nested(member.name)
            except UnreadableArchive as error:
                self.problems.append(Problem(shown(member.name), error.reason))
                continue
            self._inner[member.name] = inner
            self.members += [Member(f"{member.name}/{each.name}", each.size) for each in inner.members]
            self.problems += [Problem(f"{member.name}/{each.name}", each.reason) for each in inner.problems]

    def read(self, name: str) -> bytes:
        """Return a member's content; members of one inner ZIP are read fastest in their order."""
        container, own = self._owner(name)
        return container.read(own)

    def modified(self, name: str) -> datetime:
        """Return the time stamp of a member."""
        container, own = self._owner(name)
        return container.modified(own)

    def close(self) -> None:
        """Release the files."""
        for inner in self._inner.values():
            inner.close()
        self._outer.close()

    def _owner(self, name: str) -> tuple[ZipContainer, str]:
        for outer, inner in self._inner.items():
            if name.startswith(f"{outer}/"):
                return inner, name.removeprefix(f"{outer}/")
        return self._outer, name


def _is_zip(member: Member) -> bool:
    return member.name.lower().endswith(".zip")
