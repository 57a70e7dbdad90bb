"""The webhook's public address, asked as Strava asks it: what came back, in one sentence with what to do."""

import asyncio
import html
import json
import re
import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from athlete.output import HIDDEN
from service.webhook_auth import WEBHOOK_PREFIX

STRAVA_WAITS_S = 2.0
WAITS_S = 10.0  # longer than Strava, so that a slow answer is told from none
LONGEST_CALLBACK = 255  # characters that Strava takes
_LONGEST_BODY = 65_536  # bytes; Strava's challenge has 60
_LONGEST_SHOWN = 120  # characters
_OK, _NOT_FOUND, _BEHIND_IS_DOWN = 200, 404, frozenset({502, 503, 504})
_RIGHTS = frozenset({401, 403, 407})

_FROM_INSIDE = "If the way is closed from this network alone, --no-check leaves this question out."


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackCheck:
    """What became of a challenge: the seconds until its answer, and a sentence where Strava would not take it."""

    seconds: float | None = None
    fault: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back from the callback: the beginning of its body, and all of its headers."""

    status: int
    headers: httpx.Headers
    body: bytes


def callback_of(public_url: str, path_secret: str) -> str:
    """Return the webhook's address as Strava is to call it."""
    return f"{public_url}{WEBHOOK_PREFIX}{path_secret}"


def masked(url: str) -> str:
    """Return an address without its last part, which may be the webhook's secret, and without its query."""
    if not url:
        return "an address that Strava does not tell"
    try:
        parts = urlsplit(url.translate(HIDDEN))
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an address that cannot be read"
    path = parts.path.rstrip("/").rpartition("/")[0]
    return f"{parts.scheme}://{host}{path}/…"


def is_same_callback(url: str, other: str) -> bool:
    """Whether two addresses are one callback: a slash at the end and the case of the host make no difference."""
    try:
        return _comparable(url) == _comparable(other)
    except httpx.InvalidURL:
        return False


def _comparable(url: str) -> str:
    return str(httpx.URL(url)).rstrip("/")


async def check_callback(http: httpx.AsyncClient, url: str, verify_token: str) -> CallbackCheck:
    """Send a challenge of our own, as Strava does before it subscribes. It follows no redirect."""
    challenge = secrets.token_hex(16)
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    began = time.monotonic()
    try:
        async with asyncio.timeout(WAITS_S):
            answer = await _ask(http, url, query)
    except (httpx.RequestError, TimeoutError) as error:
        return CallbackCheck(fault=f"The callback {masked(url)} {_unreachable(error, httpx.URL(url))}")
    seconds = time.monotonic() - began
    fault = fault_of(answer, httpx.URL(url), challenge) or _slowness(seconds)
    return CallbackCheck(seconds=round(seconds, 3), fault=fault and f"The callback {masked(url)} {fault}")


async def _ask(http: httpx.AsyncClient, url: str, query: dict[str, str]) -> Answer:
    """Return the answer; of its body no more than a challenge could need is read."""
    address, body = httpx.URL(url).copy_merge_params(query), b""
    async with http.stream("GET", address, follow_redirects=False) as answer:
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > _LONGEST_BODY:
                break
    return Answer(status=answer.status_code, headers=answer.headers, body=body)


def _slowness(seconds: float) -> str | None:
    if seconds <= STRAVA_WAITS_S:
        return None
    return (
        f"answers right, but only after {seconds:.1f} s, and Strava waits for {STRAVA_WAITS_S:.0f}: look for what is "
        "slow on the way, such as a tunnel that wakes up first, and ask again."
    )


def fault_of(answer: Answer, url: httpx.URL, challenge: str) -> str | None:
    """Return why Strava would not take the answer, as a sentence about the callback goes on; None where it would."""
    if answer.headers.get("location") and httpx.codes.is_redirect(answer.status):
        return _redirect(answer, url)
    if _is_page(answer):
        return _page(answer)
    fields = _fields(answer.body)
    if answer.status != _OK:
        return _wrong_status(answer.status, fields)
    if not isinstance(fields, dict):
        return "answers 200, but not with JSON: another program listens there; let the address lead to the service."
    if fields.get("hub.challenge") != challenge:
        return (
            "answers 200 with JSON that does not repeat the challenge: another program or a cache answers; let the "
            "address lead to the service, and nothing on the way keep answers."
        )
    return None


def _redirect(answer: Answer, url: httpx.URL) -> str:
    try:
        target = url.join(answer.headers["location"])
    except httpx.InvalidURL:
        target = httpx.URL()
    told = f"redirects to {masked(str(target))} (status {answer.status}), and Strava loses events on a redirect: "
    if (target.scheme, target.host) == ("https", url.host) and url.scheme == "http":
        return f"{told}write https:// in PUBLIC_URL."
    if target.host == url.host and target.path.rstrip("/") == url.path.rstrip("/"):
        return (
            f"{told}let the proxy pass the path as it is, for the service takes it with and without a slash at the end."
        )
    return f"{told}let the proxy pass {WEBHOOK_PREFIX}… on without a login or another address."


def _is_page(answer: Answer) -> bool:
    kind = answer.headers.get("content-type", "").lower()
    return "html" in kind or answer.body.lstrip()[:1] == b"<"


def _page(answer: Answer) -> str:
    found = re.search(r"<title[^>]*>(.*?)</title>", answer.body.decode("utf-8", "replace"), re.IGNORECASE | re.DOTALL)
    title = _shown(html.unescape(found[1])) if found else ""
    named = f" “{title}”" if title else ""
    told = f"answers with a web page{named} (status {answer.status}), not with the service's JSON: "
    if answer.status in _BEHIND_IS_DOWN:
        return f"{told}the proxy or tunnel reaches no service. Start `athlete up`, and let it lead to SERVICE_PORT."
    return f"{told}a proxy, tunnel or login puts its own page before it. Switch that page off for {WEBHOOK_PREFIX}…"


def _wrong_status(status: int, fields: Any) -> str:
    detail = str(fields.get("detail", "")) if isinstance(fields, dict) else ""
    told = f"answers with status {status}, and Strava takes 200 alone: "
    if status in _RIGHTS and "verify_token" in detail:
        return f"{told}the running service has another STRAVA_VERIFY_TOKEN. Start `athlete up` again with this one."
    if status in _RIGHTS:
        said = f" and says “{_shown(detail)}”" if detail else ""
        return f"{told}something asks for a login or keeps callers out{said}. Let it pass {WEBHOOK_PREFIX}… on."
    if status == _NOT_FOUND:
        return (
            f"{told}the running service has another WEBHOOK_PATH_SECRET or its webhook is switched off, or another "
            "program listens there. Set WEBHOOK_PATH_SECRET and STRAVA_VERIFY_TOKEN, and start `athlete up` again."
        )
    if status in _BEHIND_IS_DOWN:
        return f"{told}nothing runs behind the proxy or tunnel. Start `athlete up`, and let it lead to SERVICE_PORT."
    return f"{told}look at what answers there; `athlete up` runs the service that does it right."


def _shown(text: str) -> str:
    """Return a stranger's words on one line, without control characters, and not too long."""
    return " ".join(text.split()).translate(HIDDEN)[:_LONGEST_SHOWN]


def _fields(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _unreachable(error: Exception, url: httpx.URL) -> str:
    if told := _connection_fault(list(_causes(error)), url):
        return told
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return (
            f"does not answer within {WAITS_S:.0f} s: look whether {url.host} leads to this machine, and whether a "
            f"firewall lets it in. {_FROM_INSIDE}"
        )
    if isinstance(error, httpx.ProxyError):
        return "cannot be asked through the proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY: NO_PROXY leaves a host out."
    if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError):
        return "ends the connection without an answer: start `athlete up`, and let the tunnel lead to SERVICE_PORT."
    return f"cannot be asked ({type(error).__name__}): look at what answers there. {_FROM_INSIDE}"


def _connection_fault(causes: list[BaseException], url: httpx.URL) -> str | None:
    """Return why no connection came about, where the operating system or TLS says it."""
    port = url.port or (443 if url.scheme == "https" else 80)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return f"is not found: no name server knows {url.host}. Check PUBLIC_URL, and whether the tunnel runs."
    if certificate := next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None):
        return (
            f"has a certificate that is not accepted ({certificate.verify_message}), nor would Strava accept it: "
            f"let the proxy serve a valid one for {url.host}."
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"speaks no TLS at port {port}: let the proxy or tunnel serve https there, with a certificate."
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"is refused: nothing listens at port {port} of {url.host}. Start the tunnel or proxy. {_FROM_INSIDE}"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error, what it came from, and the errors of a group."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from _causes(each)
        error = error.__cause__ or error.__context__
