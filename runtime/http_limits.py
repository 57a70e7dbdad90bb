"""What a stranger may send to a program of ours: so many bytes, in so many seconds, on so many connections.

Uvicorn has no such limits of its own: a header of 100 MB would hold up the event loop for seconds, and a thousand
requests that never end would take every connection.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from runtime.log_sampling import SampledWarnings

_SWEEP_S = 1.0
_LOG = logging.getLogger("uvicorn.error.http")
_LOG.setLevel(logging.ERROR)  # its warnings come with every bad request: they are told here, once a second


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestLimits:
    """How large, how slow and how many. A push or an event is a few kilobytes and arrives in milliseconds."""

    header_bytes: int = 32 * 1024
    request_bytes: int = 1024 * 1024  # headers and body, as they come over the wire
    request_s: float = 10.0  # from when a connection may bring a request until it has brought all of it
    connections: int = 500  # half of the files that a process may usually have open


class Incoming:
    """The connections of one server: closes those that take too long to bring their next request."""

    def __init__(self, limits: RequestLimits) -> None:
        self.limits = limits
        self.refusals = SampledWarnings("http.refused")
        self._loop = asyncio.get_running_loop()
        self._connections: set[LimitedProtocol] = set()

    def add(self, connection: "LimitedProtocol") -> None:
        """Watch a new connection. If there are too many, the one that has waited longest is closed."""
        self._connections.add(connection)
        if len(self._connections) <= self.limits.connections:
            return
        if waiting := [each for each in self._connections if not each.is_served]:
            reason = f"more than {self.limits.connections} connections; the one that waited longest was closed"
            self._close(min(waiting, key=attrgetter("waits_since")), reason)

    def discard(self, connection: "LimitedProtocol") -> None:
        """Forget a connection that is gone."""
        self._connections.discard(connection)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Close what waits for too long, until the block ends."""
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = self._loop.time()
            for connection in tuple(self._connections):
                if connection.is_served:
                    connection.waits_since = now
                elif connection.waits_since < now - self.limits.request_s:
                    self._close(connection, f"no complete request within {self.limits.request_s:g} s")

    def _close(self, connection: "LimitedProtocol", reason: str) -> None:
        self._connections.discard(connection)
        self.refusals.warning(reason=reason)
        connection.transport.abort()


class LimitedProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP connection, held to the limits. Every request passes here, so it keeps as little as it can."""

    def __init__(self, incoming: Incoming, **options: Any) -> None:
        super().__init__(**options)
        self.logger = _LOG
        self._incoming = incoming
        self._limits = incoming.limits
        self._received = 0  # bytes of the request that is being received
        self.waits_since = self.loop.time()  # if no request is served; to the second after one that was

    @property
    def is_served(self) -> bool:
        """Whether its request has come, and the answer is under way."""
        return self.cycle is not None and not (self.cycle.more_body or self.cycle.response_complete)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._incoming.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._incoming.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the request is longer than it may be."""
        received = self._received + len(data)
        if received < self._limits.header_bytes:  # as nearly every request
            self._received = received
            super().data_received(data)
            return
        while data:
            room = self._limits.header_bytes - self._received  # where headers must end, what came at once is cut
            piece, data = (data[:room], data[room:]) if 0 < room < len(data) else (data, b"")
            self._received += len(piece)
            if self._received > self._limits.request_bytes:
                self._refuse(413, f"the request is longer than {self._limits.request_bytes} bytes")
                return
            super().data_received(piece)
            if self._received >= self._limits.header_bytes and self._is_in_headers():
                self._refuse(431, f"the headers are longer than {self._limits.header_bytes} bytes")
            if self.transport.is_closing():
                return

    def _is_in_headers(self) -> bool:
        return self.scope is None or "method" not in self.scope  # which uvicorn adds when they are complete

    def on_message_complete(self) -> None:
        """Count the bytes and the time of the next request."""
        self._received = 0
        self.waits_since = self.loop.time()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser did not take."""
        self._refuse(400, msg)

    def _refuse(self, status: int, reason: str) -> None:
        """Answer, unless an answer has begun, and close; a reader of the request finds that its sender left."""
        self._incoming.refusals.warning(status=status, reason=reason)
        cycle = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        if cycle is not None:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        self._incoming.refusals.warning(reason="an upgrade of the connection (WebSocket) is not offered")
