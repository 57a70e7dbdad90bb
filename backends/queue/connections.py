"""The deliverer's HTTP connections, one to a pool: httpx looks through all of a pool's connections on every request."""

from types import TracebackType

import httpx

_IDLE_S = 2.0  # less than the 5 s after which uvicorn closes an idle connection, perhaps just as we send


class OneConnectionEach(httpx.AsyncBaseTransport):
    """Lends each request a kept-alive connection that nobody else uses, the one used last first."""

    def __init__(self) -> None:
        self._tls = httpx.create_ssl_context()  # reading the certificates takes 25 ms: once for all
        self._idle: list[httpx.AsyncHTTPTransport] = []
        self._all: list[httpx.AsyncHTTPTransport] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the whole answer, so that the connection is free again."""
        connection = self._idle.pop() if self._idle else self._open()
        try:
            answer = await connection.handle_async_request(request)
            await answer.aread()
        finally:
            self._idle.append(connection)
        return answer

    def _open(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_IDLE_S)
        connection = httpx.AsyncHTTPTransport(verify=self._tls, limits=limits)
        self._all.append(connection)
        return connection

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Close every connection."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        for connection in self._all:
            await connection.aclose()


def push_client(token: str = "") -> httpx.AsyncClient:
    """Return the client that a deliverer pushes with; it opens as many connections as are in use at once.

    The token tells the worker who pushes, as Pub/Sub's does.
    """
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=OneConnectionEach(), headers=headers)
