"""What Pub/Sub's emulator lacks: it signs no pushes. A relay adds the header that Pub/Sub would send."""

import json
from collections import defaultdict
from collections.abc import Callable

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from athlete.supervisor import free_port
from tests.google_tokens import served, signing_key


def signed(*_: object) -> str:
    """Return the right header."""
    return signing_key().header()


class SigningRelay:
    """Signs what the emulator pushes and hands it to the worker; serves Google's certificates too.

    `header_of` is told what a push is about and how often that was tried before. What the worker answered is kept by
    the id of the activity or athlete, with `dead` before it for a dead letter; None is a probe.
    """

    def __init__(self, header_of: Callable[[object, int], str] = signed) -> None:
        self.worker: httpx.AsyncClient | None = None
        self.answers: dict[object, list[int]] = defaultdict(list)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.pushes_to = (f"{self.url}/push", f"{self.url}/dead-letter")
        self.certificates_url = f"{self.url}/certs"
        self._header_of = header_of

    @property
    def app(self) -> ASGIApp:
        """What listens."""
        pushes = [Route(path, self.push, methods=["POST"]) for path in ("/push", "/dead-letter")]
        return Starlette(routes=[Route("/certs", self.certificates), *pushes])

    async def certificates(self, _: Request) -> Response:
        """Answer as Google does."""
        return Response(served(signing_key()), media_type="application/json")

    async def push(self, request: Request) -> Response:
        """Hand one push on, and its answer back."""
        assert self.worker is not None
        body = await request.body()
        about = json.loads(body)["message"].get("attributes", {}).get("object_id")
        about = f"dead {about}" if request.url.path == "/dead-letter" else about
        headers = {"content-type": "application/json"}
        headers["authorization"] = self._header_of(about, len(self.answers[about]))
        answer = await self.worker.post(request.url.path, content=body, headers=headers)
        self.answers[about].append(answer.status_code)
        return Response(status_code=answer.status_code)
