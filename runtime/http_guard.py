"""Keeps web pages out of the programs that listen, serves HEAD wherever GET is served, and logs a request's trace.

A page that a person has open can send requests to this machine. Its browser names it in `Origin`; and where a page's
own name was made to lead to this machine (DNS rebinding), `Host` is that name and not one of ours.
"""

import ipaddress
import re
from collections.abc import Collection, Mapping

import orjson
import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.log_sampling import SampledWarnings

_TRACE = re.compile(rb"00-([0-9a-f]{32})-")  # https://www.w3.org/TR/trace-context/#traceparent-header
_SHOWN = 100  # characters of a stranger's header that are logged


class HttpGuard:
    """Refuses, with 403, requests of web pages and requests to a name that is not the program's.

    Accepted are loopback names, addresses in digits (which nobody can rebind), the host that the program listens on,
    and `allowed_hosts`. Paths that begin with `public_prefix` are served under any name.
    """

    def __init__(
        self, app: ASGIApp, *, host: str, allowed_hosts: Collection[str] = (), public_prefix: str | None = None
    ) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in ("localhost", host, *allowed_hosts))
        self._public_prefix = public_prefix
        self._refusals = SampledWarnings("http.refused")
        self._departures = SampledWarnings("http.abandoned")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        is_public = self._public_prefix is not None and scope["path"].startswith(self._public_prefix)
        is_asked = not is_public or b"origin" in headers  # what is public is refused to web pages alone
        if is_asked and (reason := self._why_refused(headers, is_public=is_public)):
            self._refusals.warning(status=403, reason=reason)
            await _refuse(send, reason)
            return
        if b"traceparent" in headers:
            _bind_trace(headers[b"traceparent"])
        if scope["method"] == "HEAD":  # the server sends no body for it
            scope = {**scope, "method": "GET"}
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            self._departures.warning(reason="the connection closed before the request was complete")

    def _why_refused(self, headers: Mapping[bytes, bytes], *, is_public: bool) -> str:
        host, origin = headers.get(b"host"), headers.get(b"origin")
        if origin is not None and (host is None or origin.partition(b"://")[2] != host):
            return f"a web page of {_shown(origin)} may not send requests here"
        if is_public or host is None or self._is_ours(host.decode("latin-1")):
            return ""
        return f"{_shown(host)} is not a name of this program; its setting …_ALLOWED_HOSTS may add it"

    def _is_ours(self, host: str) -> bool:
        name = _without_port(host).lower()
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def split_hosts(text: str) -> tuple[str, ...]:
    """Return the names of a setting, which are separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _bind_trace(traceparent: bytes) -> None:
    """Have each log line of the request name the trace that a proxy such as Cloud Run's began."""
    if trace := _TRACE.match(traceparent):
        structlog.contextvars.bind_contextvars(trace=trace[1].decode())


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _shown(header: bytes) -> str:
    return header.decode("ascii", "backslashreplace")[:_SHOWN]


async def _refuse(send: Send, reason: str) -> None:
    body = orjson.dumps({"detail": f"Refused: {reason}."})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
