"""Which files of an archive are imported. All others are counted and never opened: most are personal data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strava.archive.container import SKIPPED_FOLDERS, Member
from strava.errors import UnreadableArchive

ACTIVITIES, PROFILE, BIKES, SHOES = "activities.csv", "profile.csv", "bikes.csv", "shoes.csv"
LISTS = (ACTIVITIES, PROFILE, BIKES, SHOES)
_RECORDING = re.compile(r".+\.(?:fit|gpx|tcx)(?:\.gz)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The members by what they are. `lists` are paths by the export's own names, `files` are recordings with sizes.

    `folder` is where the export's root is, empty or with a `/` at its end. `media` and `others` are counts.
    """

    folder: str = ""
    lists: Mapping[str, str]
    files: Mapping[str, int]
    media: int = 0
    others: int = 0


def choose_file(member: Member) -> Chosen:
    """Choose a file that a person names: the list of activities, under any name, or a recording."""
    if member.name.lower().endswith(".csv"):
        return Chosen(lists={ACTIVITIES: member.name}, files={})
    return Chosen(lists={}, files={member.name: member.size})


def choose_members(members: Sequence[Member]) -> Chosen:
    """Choose from an export, whose root may be one folder deep, or else from a bag of recordings.

    Raises UnreadableArchive where several exports are together.
    """
    folder = _root(members)
    if folder is None:
        return _recordings(members)
    names = {member.name for member in members}
    lists = {name: folder + name for name in LISTS if folder + name in names}
    within = f"{folder}activities/"
    files = {
        member.name: member.size
        for member in members
        if member.name.startswith(within) and not member.name.removeprefix(within).startswith(".")
    }
    media = sum(member.name.startswith(f"{folder}media/") for member in members)
    others = len(members) - len(lists) - len(files) - media
    return Chosen(folder=folder, lists=lists, files=files, media=media, others=others)


def _root(members: Sequence[Member]) -> str | None:
    """Return the folder with `activities.csv`, with a `/` at its end; None without one. Raises UnreadableArchive."""
    names = [member.name for member in members]
    if ACTIVITIES in names:
        return ""
    deep = [name for name in names if name.endswith(f"/{ACTIVITIES}") and name.count("/") == 1]
    own = [name for name in deep if name.partition("/")[0] not in SKIPPED_FOLDERS]
    if len(own) > 1:
        raise UnreadableArchive("the archive", f"holds {len(own)} exports; give each on its own")
    return own[0].removesuffix(ACTIVITIES) if own else None


def _recordings(members: Sequence[Member]) -> Chosen:
    files = {member.name: member.size for member in members if is_recording(member.name)}
    return Chosen(lists={}, files=files, others=len(members) - len(files))


def is_recording(name: str) -> bool:
    """Tell whether a path is that of a recording, by its suffix and folders."""
    *folders, own = name.split("/")
    return bool(_RECORDING.fullmatch(own)) and not own.startswith(".") and SKIPPED_FOLDERS.isdisjoint(folders)
