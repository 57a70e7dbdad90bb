"""Whose an archive is: nothing is stored before that is sure."""

from collections.abc import Collection

from strava.archive.archive import Archive


class NotSure(Exception):
    """It is not sure whose the archive is, or it is another athlete's; the text says what to do."""


def owner_of(archive: Archive, *, given: int | None, known: Collection[int]) -> int:
    """Return whose it is: by the archive itself, or by a person's word, or the only athlete who is known.

    `given` is a person's word; without it an athlete who is not among those known is only the first. Raises NotSure.
    """
    told = archive.athlete_id
    if told is not None and given not in {None, told}:
        raise NotSure(f"is of athlete {told}, not of {given}; nothing was stored.")
    if given is not None:
        return given
    if told is not None:
        if known and told not in known:
            raise NotSure(
                f"is of athlete {told}, and here is {_named(known)}; nothing was stored. Say --athlete {told} to "
                "keep both."
            )
        return told
    if len(known) == 1:
        return next(iter(known))
    who = f"here are {_named(known)}" if known else "nobody is known here yet"
    raise NotSure(
        f"does not say whose it is, and {who}: say --athlete ID, the number in your profile's address at Strava."
    )


def _named(known: Collection[int]) -> str:
    return f"athlete{'s' * (len(known) > 1)} {', '.join(map(str, sorted(known)))}"
