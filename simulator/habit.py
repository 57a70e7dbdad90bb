"""What of the athlete's weekly habit is not at Strava: today's training once it is over, and what was deleted since."""

from datetime import datetime, timedelta

from simulator.clock import read_iso
from simulator.world.places import utc_of
from simulator.world.plan import Session, owned, plan_days
from simulator.world.world import World

DAYS = 84  # older than that, hardly anybody still uploads anything
PAUSES = 1.25  # of the time in motion, that an outing takes at the most


def unsaved_session(world: World, now: datetime) -> Session | None:
    """Return the newest planned session that is over and not there; None where all are: a day of rest stays one."""
    origin = world.origin
    for back in range(DAYS):
        day = now.date() - timedelta(days=back)
        planned = plan_days(origin.seed, day, day + timedelta(days=1), density=1)
        for session in [owned(each, origin.number) for each in planned][::-1]:
            start, end = _span(session)
            if end <= now and session.activity_id not in world and not _is_taken(world, start, end):
                return session
    return None


def _span(session: Session) -> tuple[datetime, datetime]:
    start = utc_of(session.wall, session.place.zone)
    return start, start + timedelta(seconds=session.moving_time_s * PAUSES)


def _is_taken(world: World, start: datetime, end: datetime) -> bool:
    """Whether something that goes on meanwhile is there: the session under another id, or what was done instead."""
    day = timedelta(days=1)
    near = world.ids(after=(start - day).timestamp(), before=end.timestamp())
    return any(_ends_after(world.summary(each), start) for each in near)


def _ends_after(activity: dict[str, object], start: datetime) -> bool:
    return read_iso(str(activity["start_date"])) + timedelta(seconds=float(str(activity["elapsed_time"]))) > start
