"""One athlete's view of Strava's API: https://developers.strava.com/docs/reference/."""

import math
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from runtime.clock import utc_now
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.errors import UnreadableAnswer
from strava.oauth import StravaAuth
from strava.payload import ActivityPage, ActivityPayload, AthletePayload, UnreadablePayload
from strava.responses import json_body, raise_for_error
from strava.transport import RetryPolicy, send

_log = structlog.get_logger(__name__)

STREAM_KEYS = (
    "time",
    "distance",
    "latlng",
    "altitude",
    "velocity_smooth",
    "heartrate",
    "cadence",
    "watts",
    "temp",
    "moving",
    "grade_smooth",
)


class StravaClient:
    """Asks Strava in the name of the athlete behind `auth`. Every method raises StravaError and nothing else of ours.

    Each request passes through `budget` in the client's lane. The `http` client is shared and stays the caller's.
    """

    def __init__(  # noqa: PLR0913 - whom to ask and as whom, and by keyword what else may vary
        self,
        http: httpx.AsyncClient,
        auth: httpx.Auth | None,
        *,
        api_url: str,
        budget: RateBudget | None = None,
        lane: Lane = Lane.LIVE,
        retry_policy: RetryPolicy | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._http = http
        self._auth = auth
        self._reserved = (budget or RateBudget(clock=clock)).auth(lane, auth)
        self._api_url = api_url.rstrip("/")
        self._retry_policy = retry_policy or RetryPolicy()
        self._clock = clock

    async def renew(self) -> None:
        """Have OAuth refresh the tokens, which no limit and no lapse of the API forbids. Raises TokenRejected."""
        if not isinstance(self._auth, StravaAuth):
            raise TypeError("only stored tokens can be refreshed")
        await self._auth.renew()

    async def athlete(self) -> AthletePayload:
        """Return the athlete whose token this is."""
        asked = "athlete"
        try:
            return AthletePayload.from_json(json_body(await self._get(asked), asked=asked))
        except UnreadablePayload as error:
            raise UnreadableAnswer(asked, str(error)) from error

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        """Return one activity with all its efforts. Raises NotFound, also in the first moments after a save.

        `tries` is how often the call is made at most, instead of what the client's retry policy says.
        """
        asked = f"activities/{activity_id}"
        answer = await self._get(asked, {"include_all_efforts": "true"}, tries=tries)
        try:
            activity = ActivityPayload.from_http(answer.content)
        except UnreadablePayload as error:
            raise UnreadableAnswer(asked, str(error)) from error
        if activity.activity_id != activity_id:
            raise UnreadableAnswer(asked, "it is about another activity")
        return activity

    async def activities(
        self, *, after: datetime | None = None, before: datetime | None = None, per_page: int = 200
    ) -> AsyncIterator[ActivityPage]:
        """Yield the athlete's activities page by page, each page newest first, until Strava has no more.

        The order of the pages is Strava's: with `after` alone the oldest come first. Times are aware. An item that
        cannot be read is left out, so that it does not stand in the way of all others, and counted in page and log.
        """
        bounds: dict[str, str | int] = {}
        if after is not None:
            bounds["after"] = math.floor(after.timestamp())
        if before is not None:
            bounds["before"] = math.ceil(before.timestamp())
        for page in count(1):
            items = await self._page(page=page, per_page=per_page, **bounds)
            if not items:
                return
            yield self._read_page(items)

    async def streams(self, activity_id: int, keys: Iterable[str] = STREAM_KEYS) -> dict[str, Any]:
        """Return the activity's streams by key; those it lacks are absent. Raises NotFound when it has none at all."""
        return await self._object(f"activities/{activity_id}/streams", keys=",".join(keys), key_by_type="true")

    async def zones(self) -> dict[str, Any]:
        """Return where the athlete's zones begin. Raises ScopeMissing without profile:read_all."""
        return await self._object("athlete/zones")

    async def gear(self, gear_id: str) -> dict[str, Any]:
        """Return a bike or a pair of shoes."""
        return await self._object(f"gear/{quote(gear_id, safe='')}")

    async def totals(self, athlete_id: int) -> dict[str, Any]:
        """Return the totals of rides, runs and swims of the athlete whose token this is; only public ones count."""
        return await self._object(f"athletes/{athlete_id}/stats")

    async def _page(self, **params: str | int) -> list[Any]:
        asked = "athlete/activities"
        items = json_body(await self._get(asked, params), asked=asked)
        if not isinstance(items, list):
            raise UnreadableAnswer(asked, "it is not a list")
        return items

    def _read_page(self, items: list[Any]) -> ActivityPage:
        found: list[ActivityPayload] = []
        for item in items:
            with suppress(UnreadablePayload):
                found.append(ActivityPayload.from_json(self._named(item)))
        unreadable = len(items) - len(found)
        if unreadable:
            _log.warning("activities.unreadable", count=unreadable)
        return ActivityPage(sorted(found, key=_newest_first), unreadable)

    def _named(self, item: Any) -> Any:
        """Add the athlete where the item names none: a list holds nobody else's activities."""
        if isinstance(self._auth, StravaAuth) and isinstance(item, Mapping) and item.get("athlete") is None:
            return {**item, "athlete": {"id": self._auth.athlete_id}}
        return item

    async def _object(self, asked: str, **params: str | int) -> dict[str, Any]:
        fields = json_body(await self._get(asked, params), asked=asked)
        if not isinstance(fields, dict):
            raise UnreadableAnswer(asked, "it is not an object")
        return fields

    async def _get(
        self, asked: str, params: Mapping[str, str | int] | None = None, *, tries: int | None = None
    ) -> httpx.Response:
        request = self._http.build_request("GET", f"{self._api_url}/{asked}", params=params)
        retry_policy = self._retry_policy if tries is None else replace(self._retry_policy, attempts=tries)
        answer = await send(self._http, request, auth=self._reserved, retry_policy=retry_policy)
        raise_for_error(answer, asked=asked, now=self._clock())
        return answer


def _newest_first(activity: ActivityPayload) -> tuple[float, int]:
    start = activity.start_date
    return (math.inf if start is None else -start.timestamp(), -activity.activity_id)
