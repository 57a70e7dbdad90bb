"""The deliverer's connections to the worker: plain HTTP on one machine, kept alive, one for each push under way.

Each push goes through here. httpx's own pool asks all of its connections at each request whether they still are open,
and parses in Python, which takes three quarters of a push's processor time.
"""

import asyncio
from collections import defaultdict
from typing import cast

import httptools
import httpx

_IDLE_S = 2.0  # uvicorn closes idle connections after 5 s, and a push must not meet that
_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})

_Origin = tuple[str, int]


class HttpPool(httpx.AsyncBaseTransport):
    """Implements httpx's transport; time limits are the caller's. It speaks HTTP without encryption."""

    def __init__(self) -> None:
        self._idle: defaultdict[_Origin, list[_Connection]] = defaultdict(list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises httpx.ConnectError where it was not sent, httpx.RemoteProtocolError."""
        origin = request.url.host, request.url.port or 80
        connection = self._idle_one(origin) or await _connect(origin)
        try:
            answer = await connection.send(await _bytes_of(request))
        except BaseException:  # cancelled too: its answer is still to come
            connection.close()
            raise
        if connection.is_open:
            self._idle[origin].append(connection)
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        for connections in self._idle.values():
            while connections:
                connections.pop().close()

    def _idle_one(self, origin: _Origin) -> "_Connection | None":
        """Return the connection that was used last, if it surely is open at the other end."""
        while connections := self._idle[origin]:
            connection = connections.pop()
            if connection.is_open and connection.idle_s() < _IDLE_S:
                return connection
            connection.close()
        return None


class _Connection(asyncio.Protocol):
    """One connection, for one request at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[httpx.Response] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = b""
        self._is_endless = False
        self._ended_at = 0.0
        self.is_open = False

    async def send(self, request: bytes) -> httpx.Response:
        """Send a request and return its answer. Raises httpx.RemoteProtocolError."""
        self._headers, self._body, self._is_endless = [], b"", False
        self._answer = self._loop.create_future()
        assert self._transport is not None  # noqa: S101 - `connection_made` comes first
        self._transport.write(request)
        return await self._answer

    def idle_s(self) -> float:
        """Return for how long it has had nothing to do."""
        return self._loop.time() - self._ended_at

    def close(self) -> None:
        """Close it at once."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    # -- called by the event loop -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take requests from now on."""
        self._transport, self.is_open = cast("asyncio.Transport", transport), True

    def data_received(self, data: bytes) -> None:
        """Read a part of the answer; what nobody asked for ends the connection."""
        if self._answer is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail("the answer is not HTTP")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits for an answer; one without a length ends so."""
        if self._is_endless and exc is None:
            self.on_message_complete()
        self._fail("the connection was closed before the answer")

    def _fail(self, reason: str) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(httpx.RemoteProtocolError(reason))

    # -- called by the parser -----------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Look whether they tell where the answer ends."""
        self._is_endless = {name.lower() for name, _ in self._headers}.isdisjoint(_LENGTHS)

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body."""
        self._body += part

    def on_message_complete(self) -> None:
        """Give the answer to who waits for it."""
        status, answer = self._parser.get_status_code(), self._answer
        if answer is None or not self._parser.should_keep_alive():  # one that nobody asked for may be the next one's
            self.close()
        self._ended_at, self._answer = self._loop.time(), None
        if answer is not None and not answer.done():  # its caller gave up waiting
            answer.set_result(httpx.Response(status, headers=self._headers, content=self._body))


async def _connect(origin: _Origin) -> _Connection:
    try:
        _, connection = await asyncio.get_running_loop().create_connection(_Connection, *origin)
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error
    return connection


async def _bytes_of(request: httpx.Request) -> bytes:
    headers = b"".join(b"%b: %b\r\n" % header for header in request.headers.raw)
    head = b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method.encode("ascii"), request.url.raw_path, headers)
    return head + await request.aread()
