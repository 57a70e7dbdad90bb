"""A push comes in by a token that Google signed for our account and audience, and by no other."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from backends.queue.pubsub.push_auth import CLOCK_SKEW_S, Certificates, GooglePushAuth
from tests.google_tokens import ACCOUNT, AUDIENCE, served, signing_key

GOOGLE, NEXT, FORGER = signing_key(), signing_key("next"), signing_key("forger's", key_id="google's")
DAY_S = 24 * 3600.0


class CertificatePage:
    """Serves Google's certificates; counts how often it is asked."""

    def __init__(self) -> None:
        self.answer: Callable[[], httpx.Response] = lambda: httpx.Response(
            200, content=served(GOOGLE), headers={"cache-control": "public, max-age=7200, must-revalidate"}
        )
        self.asked = 0
        self.now = 1_000.0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        await asyncio.sleep(0)
        return self.answer()


@pytest.fixture
def page() -> CertificatePage:
    """The page, and by its `now` the clock of who keeps what it says."""
    return CertificatePage()


@pytest.fixture
async def auth(page: CertificatePage) -> AsyncIterator[GooglePushAuth]:
    """The check under test."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(page)) as http:
        certificates = Certificates(http, "https://certificates.invalid", clock=lambda: page.now)
        yield GooglePushAuth(certificates, audience=AUDIENCE, service_account=ACCOUNT)


def unsigned(header: object, payload: object) -> str:
    """A token that nobody signed."""
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, payload))
    return f"Bearer {'.'.join(parts)}."


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"iss": "accounts.google.com"},
        {"issued_in_s": -3600, "expires_in_s": -CLOCK_SKEW_S // 2},
        {"issued_in_s": CLOCK_SKEW_S // 2},
    ],
    ids=["as Pub/Sub sends it", "older issuer", "our clock is a little ahead", "our clock is a little behind"],
)
async def test_pubsub_comes_in(auth: GooglePushAuth, changes: dict[str, Any]) -> None:
    """Its token names our account and audience; seconds between two clocks do not matter."""
    assert await auth(GOOGLE.header(**changes)) is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"issued_in_s": -3600, "expires_in_s": -60}, 401),
        ({"issued_in_s": 3600, "expires_in_s": 7200}, 401),
        ({"exp": None}, 401),
        ({"exp": "soon"}, 401),
        ({"iss": "https://accounts.example.org"}, 401),
        ({"iss": None}, 401),
        ({"aud": "https://worker.example.org/other"}, 401),
        ({"aud": None}, 401),
        ({"email": "somebody@athlete-dashboard.iam.gserviceaccount.com"}, 403),
        ({"email": None}, 403),
        ({"email_verified": False}, 403),
        ({"email_verified": "true"}, 403),
        ({"email_verified": None}, 403),
    ],
)
async def test_another_claim_is_refused(auth: GooglePushAuth, changes: dict[str, Any], status: int) -> None:
    """A token out of its time, of another issuer or for another audience is 401, of another account 403."""
    refusal = await auth(GOOGLE.header(**changes))
    assert refusal is not None
    assert refusal.status == status


FORGED = {
    "nothing": "",
    "empty": "Bearer ",
    "a word": "Bearer guess",
    "three words": "Bearer a.b.c",
    "not ASCII": "Bearer wörd.wörd.wörd",
    "a password": "Basic dXNlcjpwYXNz",
    "another scheme": GOOGLE.header().replace("Bearer", "Basic"),
    "another key of that id": FORGER.header(),
    "an unknown key": NEXT.header(),
    "cut": GOOGLE.header()[:-4],
    "signed by nobody": unsigned({"alg": "none", "kid": "google's"}, {"aud": AUDIENCE}),
    "another algorithm": unsigned({"alg": "HS256", "kid": "google's"}, {"aud": AUDIENCE}),
    "other types": unsigned({"alg": ["RS256"], "kid": {}}, {}),
    "no objects": unsigned([], "text"),
    "deep": "Bearer " + base64.urlsafe_b64encode(b"[" * 20_000).decode() + ".e30.e30",
}


@pytest.mark.parametrize("header", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_token_is_refused(auth: GooglePushAuth, header: str) -> None:
    """What Google did not sign is 401, whatever form it has, and the reason repeats nothing of it."""
    refusal = await auth(header)
    assert refusal is not None
    assert refusal.status is HTTPStatus.UNAUTHORIZED
    assert "guess" not in refusal.reason


async def test_certificates_are_fetched_once(auth: GooglePushAuth, page: CertificatePage) -> None:
    """Pushes at once share one fetch, later ones what it brought, for as long as the answer allows."""
    assert set(await asyncio.gather(*(auth(GOOGLE.header()) for _ in range(20)))) == {None}
    page.now += 7_199
    await auth(GOOGLE.header())
    assert page.asked == 1
    page.now += 2
    await auth(GOOGLE.header())
    assert page.asked == 2


async def test_a_new_key_is_taken_up(auth: GooglePushAuth, page: CertificatePage) -> None:
    """A token of a key that is not known yet has the certificates fetched, at most once a minute."""
    await auth(GOOGLE.header())
    for _ in range(5):
        assert await auth(NEXT.header()) is not None
    assert page.asked == 1
    page.now += 61
    page.answer = lambda: httpx.Response(200, content=served(GOOGLE, NEXT))
    assert await auth(NEXT.header()) is None
    assert await auth(GOOGLE.header()) is None
    assert page.asked == 2


@pytest.mark.parametrize("answer", [(500, b""), (200, b"<html>"), (200, b"[1]")])
async def test_without_certificates_nobody_comes_in(
    auth: GooglePushAuth, page: CertificatePage, answer: tuple[int, bytes]
) -> None:
    """While none can be fetched a push is 503, so Pub/Sub sends it again; the log says why, once a second at most."""
    good, (status, content) = page.answer, answer
    page.answer = lambda: httpx.Response(status, content=content)
    with capture_logs() as logs:
        refusals = [await auth(GOOGLE.header()) for _ in range(3)]
    assert {refusal and refusal.status for refusal in refusals} == {HTTPStatus.SERVICE_UNAVAILABLE}
    assert [line["event"] for line in logs] == ["push.no_certificates"]
    page.answer = good
    page.now += 1
    assert await auth(GOOGLE.header()) is None


async def test_old_certificates_serve_for_a_day(auth: GooglePushAuth, page: CertificatePage) -> None:
    """A page that fails later stops no push until what is kept is a day old."""
    await auth(GOOGLE.header())
    page.answer = lambda: httpx.Response(500)
    page.now += DAY_S - 1
    with capture_logs():
        assert await auth(GOOGLE.header()) is None
        page.now += 2
        refusal = await auth(GOOGLE.header())
    assert refusal is not None
    assert refusal.status is HTTPStatus.SERVICE_UNAVAILABLE
