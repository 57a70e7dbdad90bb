"""What a reconcile found, and what follows from it: the guard against a mass change, the verdict and its reason."""

from dataclasses import dataclass, field
from typing import NamedTuple

from backends.warehouse.reconciliations import Verdict

GUARD_LEAST = 10  # fewer may vanish from the list at once without a question, however few are stored


@dataclass(frozen=True, kw_only=True, slots=True)
class ReconcilePolicy:
    """What a run may do.

    With more than `guard_share` of the stored activities unlisted, and at least ten, or with an empty list, nothing is
    removed unless that `is_confirmed`. `looks` details are fetched again, for edits that leave no trace in the list.
    Where that `spares_archived`, what an export tells of gets no detail later either.
    """

    guard_share: float = 0.05
    looks: int = 50
    is_confirmed: bool = False
    spares_archived: bool = False


class Progress(NamedTuple):
    """What the run does now, and how many activities it is through; `of` is known once all are listed."""

    step: str
    done: int
    of: int | None = None


@dataclass(slots=True)
class Findings:
    """What differed, by activity id. `buried`: listed, though a tombstone is stored."""

    listed: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)
    buried: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    extra: set[int] = field(default_factory=set)
    repaired: set[int] = field(default_factory=set)
    unreadable: int = 0
    is_shifting: bool = False
    is_guarded: bool = False
    stopped: Exception | None = None  # what ended the repairs before their end

    @property
    def left(self) -> set[int]:
        """What differs still."""
        return (self.missing | self.changed | self.extra) - self.repaired


def is_guarded(found: Findings, stored: int, policy: ReconcilePolicy) -> bool:
    """Whether so much has vanished from the list that a person has to confirm it."""
    is_many = len(found.extra) >= GUARD_LEAST and len(found.extra) > policy.guard_share * stored
    is_empty = bool(found.extra) and not found.listed
    return (is_many or is_empty) and not policy.is_confirmed


def judged(found: Findings, held: int) -> Verdict:
    """Return the verdict on a list that was read to its end; `held` is how many of it are stored."""
    if found.is_guarded:
        return Verdict.GUARDED
    is_whole = not (found.left or found.unreadable or found.is_shifting) and held == len(found.listed)
    return Verdict.COMPLETE if is_whole else Verdict.INCOMPLETE


def reason(verdict: Verdict, found: Findings, stored: int) -> str | None:
    """Say in one sentence why a verdict is not complete."""
    match verdict:
        case Verdict.COMPLETE:
            return None
        case Verdict.CUT_SHORT:
            return f"Strava's list was not read to its end. {found.stopped}"
        case Verdict.GUARDED:
            return (
                f"{len(found.extra):,} of {stored:,} stored activities are not in Strava's list any more, so many that "
                "nothing was removed. If they were deleted at Strava, confirm it: `athlete daily --confirm`."
            )
    sentences = []
    if found.unreadable:
        sentences.append(f"Items of Strava's list that could not be read or are another athlete's: {found.unreadable}.")
    if found.is_shifting:
        sentences.append("Activities were deleted each time while the list was read.")
    if found.left:
        sentences.append(f"Differences that are not repaired yet: {len(found.left):,}.")
        sentences += [str(found.stopped)] if found.stopped else []
    return " ".join(sentences) or "The counts differ although no row does; the next check tells more."
