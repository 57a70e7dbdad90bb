"""What a stranger may send to a program of ours: so many bytes, in so many seconds, on so many connections.

Uvicorn has no such limits of its own: a header of 100 MB would hold up the event loop for seconds, and a thousand
requests that never end would take every connection.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
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
    """The connections of one server that have not brought their next request yet, the one that waits longest first."""

    def __init__(self, limits: RequestLimits) -> None:
        self.limits = limits
        self.refusals = SampledWarnings("http.refused")
        self._loop = asyncio.get_running_loop()
        self._since: OrderedDict[LimitedProtocol, float] = OrderedDict()

    def add(self, connection: "LimitedProtocol") -> None:
        """Begin to wait for the connection's next request."""
        self._since[connection] = self._loop.time()

    def discard(self, connection: "LimitedProtocol") -> None:
        """The request is here, or the connection is gone."""
        self._since.pop(connection, None)

    def make_room(self) -> None:
        """Close the connection that has waited longest, so that a new one finds room."""
        self._close(f"more than {self.limits.connections} connections; the one that waited longest was closed")

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
            late = self._loop.time() - self.limits.request_s
            while self._since and next(iter(self._since.values())) < late:
                self._close(f"no complete request within {self.limits.request_s:g} s")

    def _close(self, reason: str) -> None:
        if self._since:
            connection, _ = self._since.popitem(last=False)
            self.refusals.warning(reason=reason)
            connection.transport.abort()


class LimitedProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP connection, held to the limits."""

    def __init__(self, incoming: Incoming, **options: Any) -> None:
        super().__init__(**options)
        self.logger = _LOG
        self._incoming = incoming
        self._limits = incoming.limits
        self._received = 0  # bytes of the request that is being received
        self._in_request = False
        self._in_headers = False
        self._has_long_headers = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._incoming.add(self)
        if len(self.connections) > self._limits.connections:
            self._incoming.make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._incoming.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the request is longer than it may be."""
        self._received += len(data)
        if self._received > self._limits.request_bytes:
            self._refuse(413, f"the request is longer than {self._limits.request_bytes} bytes")
            return
        super().data_received(data)
        if not self._in_request:
            self._received = 0
        elif self._in_headers and self._received > self._limits.header_bytes:
            self._refuse_headers()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._in_request = self._in_headers = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request over, unless its headers came at once and are too long."""
        self._in_headers = False
        if self._received > self._limits.header_bytes:  # the body may have come with them: look closer
            length = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if length > self._limits.header_bytes:
                self._has_long_headers = True
                raise ValueError("the headers are too long")  # ends the parser's work on this data
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take the request off the list of those that are waited for."""
        self._in_request = False
        super().on_message_complete()
        if not self.cycle.response_complete:  # one that was answered before it was complete waits for the next already
            self._incoming.discard(self)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        if self.cycle.response_complete:  # no other request is on its way
            self._incoming.add(self)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser did not take."""
        if self._has_long_headers:
            self._refuse_headers()
        else:
            self._refuse(400, msg)

    def _refuse_headers(self) -> None:
        self._refuse(431, f"the headers are longer than {self._limits.header_bytes} bytes")

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
