"""What the athlete does at Strava (saving, editing, deleting, revoking), and the events that follow from it."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from simulator.activity_log import ActivityLog, Save
from simulator.clock import Clock, read_iso
from simulator.oauth import Grants
from simulator.scopes import event_of_edit, may_see
from simulator.webhook_delivery import WebhookDelivery
from simulator.world import roads
from simulator.world.edits import only_possible
from simulator.world.names import chosen_name
from simulator.world.places import place_on, wall_clock
from simulator.world.plan import Session, fitness, gear_of
from simulator.world.sports import sport
from simulator.world.world import World

USUAL = ("Run", "Run", "Run", "Ride", "Ride", "GravelRide", "TrailRun", "VirtualRide", "Swim", "Walk", "WeightTraining")
OF_SESSION = frozenset({"sport_type", "distance", "moving_time", "name", "start_date", "start_date_local", "manual"})


class Actions:
    """Changes the world, logs the save and sends what Strava would tell the application."""

    def __init__(
        self, world: World, clock: Clock, saves: ActivityLog, webhook_delivery: WebhookDelivery, grants: Grants
    ) -> None:
        self._world, self._clock, self._saves = world, clock, saves
        self._webhook_delivery, self._grants = webhook_delivery, grants

    def create(self, wanted: dict[str, Any]) -> Save:
        """Save an activity now; `wanted` may fix any of Strava's fields, the rest is made up from the seed.

        Raises ImpossibleChange, and then nothing is saved.
        """
        now = self._clock()
        with only_possible():
            session = _session(self._world, now, wanted)
        return self.upload(session, {key: value for key, value in wanted.items() if key not in OF_SESSION})

    def upload(self, session: Session, changes: dict[str, Any]) -> Save:
        """Save a session as an activity, with these of Strava's fields given outright. Raises ImpossibleChange."""
        now = self._clock()
        self._world.add(session, changes)
        is_told = may_see(self._grants.scopes, is_private=self._world.is_private(session.activity_id))
        return self._log(session.activity_id, "create", now, ("create", {}) if is_told else None)

    def edit(self, activity_id: int, changes: dict[str, Any]) -> Save:
        """Change fields. Raises KeyError when there is no such activity, ImpossibleChange before it is written."""
        before = self._world.detail(activity_id)
        now = self._clock()
        after = self._world.edit(activity_id, changes)
        return self._log(activity_id, "update", now, event_of_edit(self._grants.scopes, before, after))

    def delete(self, activity_id: int) -> Save:
        """Delete. Raises KeyError when there is no such activity."""
        is_told = may_see(self._grants.scopes, is_private=self._world.is_private(activity_id))
        now = self._clock()
        self._world.delete(activity_id)
        return self._log(activity_id, "delete", now, ("delete", {}) if is_told else None)

    def repeat(self, save: Save) -> Save:
        """Send an earlier event once more, as Strava sometimes does; the activity is not touched."""
        return self._record(save.id, "repeat", self._clock(), save.event)

    def deauthorize(self) -> Save | None:
        """Revoke the application's grant; None when there was none."""
        if not self._grants.revoke():
            return None
        athlete_id, now = self._world.athlete_id, self._clock()
        event = self._event(athlete_id, now, "update", {"authorized": "false"}) | {"object_type": "athlete"}
        return self._record(athlete_id, "deauthorize", now, event)

    def _log(self, activity_id: int, kind: str, at: datetime, told: tuple[str, dict[str, str]] | None) -> Save:
        return self._record(activity_id, kind, at, self._event(activity_id, at, *told) if told else None)

    def _record(self, object_id: int, kind: str, at: datetime, event: dict[str, Any] | None) -> Save:
        save = self._saves.add(athlete_id=self._world.athlete_id, activity_id=object_id, kind=kind, at=at, event=event)
        if event is not None:
            self._webhook_delivery.send(save)
        return save

    def _event(self, object_id: int, at: datetime, aspect: str, updates: dict[str, str]) -> dict[str, Any]:
        return {
            "object_type": "activity",
            "object_id": object_id,
            "aspect_type": aspect,
            "updates": updates,
            "owner_id": self._world.athlete_id,
            "event_time": int(at.timestamp()),
        }


def _session(world: World, now: datetime, wanted: dict[str, Any]) -> Session:
    """Make up what was not fixed: sport, distance, time; it ended about now."""
    activity_id = world.next_id(now)
    rng = Random(f"{world.origin.seed}:save:{activity_id}")
    sport_type = wanted.get("sport_type") or rng.choice(USUAL)
    how = sport(sport_type)
    speed = (how.speed_mps or 1.0) * fitness(now.date()) * rng.uniform(0.94, 1.06)
    usual_s = rng.uniform(1800, 5400)
    loop = ""
    if how.moves and how.has_distance and not wanted.keys() & {"distance", "manual"}:
        loop = roads.choose(rng, sport_type, speed * usual_s)
    distance = float(wanted.get("distance", round(speed * usual_s, 1) if how.has_distance else 0.0))
    moving_time = int(wanted.get("moving_time", round(distance / speed) if distance else round(usual_s)))
    if "start_date_local" in wanted:
        wall = datetime.fromisoformat(wanted["start_date_local"]).replace(tzinfo=None, microsecond=0)
        place = place_on(wall.date())
    else:
        start = read_iso(wanted["start_date"]) if "start_date" in wanted else now - timedelta(seconds=moving_time + 60)
        place = place_on(start.date())
        wall = wall_clock(start, place.zone).replace(microsecond=0)
    return Session(
        activity_id=activity_id,
        sport_type=sport_type,
        wall=wall,
        place=place,
        distance_m=distance,
        moving_time_s=moving_time,
        name=wanted["name"] if "name" in wanted else chosen_name(rng, sport_type, wall.hour),
        is_manual=bool(wanted.get("manual", False)),
        gear_id=gear_of(how.gear, wall.date(), world.origin.number),
        loop=loop,
    )
