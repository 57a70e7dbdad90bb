"""The simulator's control API: what the athlete does, and what is true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

from athlete.demo.config import CLIENT_ID
from athlete.errors import CommandError
from strava.events import StravaEvent

SCOPES = "read,activity:read_all,profile:read_all"


@dataclass(frozen=True, kw_only=True)
class Save:
    """One thing that the simulated athlete did. `event` is None when Strava says nothing about it."""

    saved_at: datetime
    event: Mapping[str, Any] | None
    fate: str

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Read one entry of the simulator's log of saves."""
        return cls(
            saved_at=datetime.fromisoformat(fields["saved_at"]),
            event=fields.get("event"),
            fate=fields.get("fate", "pending"),
        )

    def event_id(self, subscription_id: int) -> str | None:
        """What the ledger calls the event that a subscription was told; a repeated event has the id of its first."""
        if self.event is None:
            return None
        return StravaEvent.from_json({**self.event, "subscription_id": subscription_id}).event_id


class SimulatorClient:
    """The simulator's control API. Methods raise httpx.HTTPError when it does not answer."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url

    async def approve(self, oauth_url: str, redirect_url: str) -> str:
        """Tick every scope on the authorise page, as the athlete would, and return the code that comes back."""
        answer = await self._http.post(
            f"{oauth_url}/authorize",
            data={
                "client_id": CLIENT_ID,
                "redirect_uri": redirect_url,
                "response_type": "code",
                "state": "demo",
                "decision": "allow",
                "scope": SCOPES.split(","),
            },
            follow_redirects=False,
        )
        code = parse_qs(urlsplit(answer.headers.get("location", "")).query).get("code")
        if not code:
            raise CommandError(f"The simulator did not authorise: it answered {answer.status_code}.")
        return str(code[0])

    async def create(self, **fields: Any) -> int:
        """Save an activity and return its id."""
        return int((await self._ask("POST", "activities", fields))["id"])

    async def edit(self, activity_id: int, **fields: Any) -> None:
        """Change an activity."""
        await self._ask("PATCH", f"activities/{activity_id}", fields)

    async def delete(self, activity_id: int) -> None:
        """Delete an activity."""
        await self._ask("DELETE", f"activities/{activity_id}")

    async def deauthorize(self) -> None:
        """Withdraw the application's access."""
        await self._ask("POST", "deauthorize")

    async def repeat(self, activity_id: int) -> None:
        """Send the activity's newest event once more."""
        await self._ask("POST", f"activities/{activity_id}/repeat")

    async def switch_faults(self, **faults: float) -> None:
        """Switch on just these faults."""
        await self._ask("PUT", "faults", faults)

    async def live(self, *, per_minute: float) -> None:
        """Let the athlete do things without being asked."""
        await self._ask("POST", "live", {"running": True, "per_minute": per_minute})

    async def saves(self) -> list[Save]:
        """Return what the athlete did, oldest first."""
        return [Save.from_json(fields) for fields in await self._ask("GET", "saves")]

    async def is_idle(self) -> bool:
        """Whether no event is on its way to a callback: not one, nor its duplicate, nor another attempt."""
        return bool((await self._ask("GET", "health"))["is_idle"])

    async def activity_count(self) -> int:
        """Return how many activities the athlete has."""
        return len(await self._ask("GET", "activities?fields=id"))

    async def activities(self) -> Sequence[Mapping[str, Any]]:
        """Return every activity as Strava shows it in full."""
        return [item["activity"] for item in await self._ask("GET", "activities?fields=full")]

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = await self._http.request(method, f"{self._url}/simulator/{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None
