"""When an athlete could have done one thing more: few things a day, none while another goes on, none in the future."""

from datetime import datetime, time, timedelta
from random import Random

from simulator.clock import read_iso
from simulator.world.places import place_on, utc_of, wall_clock
from simulator.world.world import World

DAYS = 28  # older than that, hardly anybody still uploads anything
MOST_A_DAY = 2
HOURS = (6.5, 12.25, 17.75)
WINDOW = timedelta(hours=2)  # an outing of up to ninety minutes, and a rest


def free_start(world: World, now: datetime, rng: Random) -> datetime | None:
    """Return the wall-clock start of the newest free hour of four weeks; None where all days are full."""
    for back in range(DAYS):
        day = now.date() - timedelta(days=back)
        zone = place_on(day).zone
        midnight = datetime.combine(day, time())
        begin, end = (utc_of(midnight + timedelta(days=days), zone).timestamp() for days in (0, 1))
        taken = [world.summary(each) for each in world.ids(after=begin - 1, before=end)]
        if len(taken) >= MOST_A_DAY:
            continue
        for hour in rng.sample(HOURS, len(HOURS)):
            start = midnight + timedelta(hours=hour, minutes=rng.randrange(-25, 25))
            is_over = start + WINDOW <= wall_clock(now, zone)
            if is_over and not any(_overlap(start, zone, each["start_date"], each["elapsed_time"]) for each in taken):
                return start
    return None


def _overlap(start: datetime, zone: str, other_start: str, other_s: int) -> bool:
    begin, other = utc_of(start, zone), read_iso(other_start)
    return begin < other + timedelta(seconds=other_s) and other < begin + WINDOW
