"""Authorising, exchanging, refreshing and revoking go as Strava's authentication page says."""

from typing import Any

import httpx
import pytest

AUTHORIZE: dict[str, Any] = {
    "client_id": "4242",
    "redirect_uri": "http://app.test/cb",
    "response_type": "code",
    "scope": "read,activity:read_all",
    "state": 'x"><script>',
}


async def test_page_offers_each_wanted_scope_ticked_and_escapes_the_state(bare_lab: Any) -> None:
    """The athlete can untick; nothing from the address becomes markup."""
    page = await bare_lab.client.get("/oauth/authorize", params=AUTHORIZE)
    assert page.status_code == 200
    assert 'value="activity:read_all" checked' in page.text
    assert "<script>" not in page.text


async def test_unticked_scopes_are_not_granted(bare_lab: Any) -> None:
    """Callback and token answer tell the scopes that were left."""
    back = await bare_lab.authorize("profile:read_all")
    assert (back["scope"], back["state"]) == ("read,profile:read_all", "s-1")
    tokens = (await bare_lab.token_request(grant_type="authorization_code", code=back["code"])).json()
    assert tokens["scope"] == "read,profile:read_all"
    assert tokens["athlete"]["id"] == 4242424242


async def test_denial_comes_back_as_access_denied(bare_lab: Any) -> None:
    """No code, the state kept."""
    assert await bare_lab.authorize(decision="deny") == {"state": "s-1", "error": "access_denied"}


async def test_auto_prompt_goes_straight_back_once_granted_and_force_asks_again(lab: Any) -> None:
    """`approval_prompt` decides."""
    auto = await lab.client.get("/oauth/authorize", params=AUTHORIZE | {"approval_prompt": "auto"})
    force = await lab.client.get("/oauth/authorize", params=AUTHORIZE | {"approval_prompt": "force"})
    assert (auto.status_code, force.status_code) == (302, 200)
    assert "code=" in auto.headers["location"]


async def test_wrong_requests_are_refused(bare_lab: Any) -> None:
    """Unknown application, unknown scope, no redirect."""
    for wrong in (
        {"client_id": "1"},
        {"scope": "everything"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://[::1"},
    ):
        answer = await bare_lab.client.get("/oauth/authorize", params=AUTHORIZE | wrong)
        assert answer.status_code == 400, wrong


async def test_code_works_once_and_not_after_ten_minutes(bare_lab: Any) -> None:
    """A used and an old code read alike."""
    used, old = await bare_lab.authorize(), await bare_lab.authorize()
    assert (await bare_lab.token_request(grant_type="authorization_code", code=used["code"])).status_code == 200
    bare_lab.clock.advance(601)
    for code in (used["code"], old["code"]):
        answer = await bare_lab.token_request(grant_type="authorization_code", code=code)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid")


async def test_refresh_with_more_than_an_hour_left_returns_the_same_tokens(lab: Any) -> None:
    """Six hours at first; nothing rotates before the last hour."""
    lab.clock.advance(4.9 * 3600)
    tokens = (await lab.token_request(grant_type="refresh_token", refresh_token=lab.refresh_token)).json()
    assert (tokens["access_token"], tokens["refresh_token"]) == (lab.token, lab.refresh_token)
    assert tokens["expires_in"] == round(1.1 * 3600)
    assert "athlete" not in tokens


async def test_refresh_rotates_and_the_old_refresh_token_is_dead_at_once(lab: Any) -> None:
    """The old access token lives on until it expires; the old refresh token does not."""
    lab.clock.advance(5.1 * 3600)
    fresh = (await lab.token_request(grant_type="refresh_token", refresh_token=lab.refresh_token)).json()
    assert fresh["access_token"] != lab.token
    assert (await lab.get("/athlete")).status_code == 200
    dead = await lab.token_request(grant_type="refresh_token", refresh_token=lab.refresh_token)
    assert (dead.status_code, dead.json()["errors"][0]) == (
        400,
        {"resource": "RefreshToken", "field": "refresh_token", "code": "invalid"},
    )
    again = await lab.token_request(grant_type="refresh_token", refresh_token=fresh["refresh_token"])
    assert again.json()["access_token"] == fresh["access_token"]


async def test_access_token_expires_after_six_hours(lab: Any) -> None:
    """Then it is 401."""
    lab.clock.advance(6 * 3600)
    assert (await lab.get("/athlete")).status_code == 401


async def test_token_address_under_the_api_works_too(lab: Any) -> None:
    """Both addresses are seen in the wild; JSON and form bodies both work."""
    body = {
        "client_id": "4242",
        "client_secret": "simulated-client-secret",
        "grant_type": "refresh_token",
        "refresh_token": lab.refresh_token,
    }
    assert (await lab.client.post("/api/v3/oauth/token", json=body)).json()["access_token"] == lab.token


async def test_wrong_application_secret_gets_no_token(lab: Any) -> None:
    """The refresh token alone is not enough."""
    answer = await lab.token_request(client_secret="wrong", grant_type="refresh_token", refresh_token=lab.refresh_token)
    assert answer.status_code == 401


async def test_revoke_kills_all_tokens_and_tells_the_application(lab: Any) -> None:
    """The event's `authorized` is the string "false"."""
    basic = httpx.BasicAuth("4242", "simulated-client-secret")
    answer = await lab.client.post("/oauth/revoke", auth=basic, data={"token": lab.token})
    assert answer.status_code == 200
    assert (await lab.get("/athlete")).status_code == 401
    dead = await lab.token_request(grant_type="refresh_token", refresh_token=lab.refresh_token)
    assert dead.status_code == 400
    (event,) = await lab.delivered()
    assert (event["object_type"], event["aspect_type"], event["object_id"], event["owner_id"], event["updates"]) == (
        "athlete",
        "update",
        4242424242,
        4242424242,
        {"authorized": "false"},
    )


async def test_revoking_an_unknown_token_is_success_without_an_event(lab: Any) -> None:
    """As RFC 7009 asks."""
    basic = httpx.BasicAuth("4242", "simulated-client-secret")
    assert (await lab.client.post("/oauth/revoke", auth=basic, data={"token": "other"})).status_code == 200
    assert await lab.delivered() == []


@pytest.mark.parametrize("place", ["data", "params", "headers"])
@pytest.mark.parametrize("address", ["/oauth/deauthorize", "/api/v3/oauth/deauthorize"])
async def test_older_deauthorize_does_the_same(lab: Any, address: str, place: str) -> None:
    """It answers with the token that it ended, at either address and wherever a client library puts the token."""
    told = {"Authorization": f"Bearer {lab.token}"} if place == "headers" else {"access_token": lab.token}
    answer = await lab.client.post(address, **{place: told})
    assert (answer.status_code, answer.json()) == (200, {"access_token": lab.token})
    assert len(await lab.delivered()) == 1
    assert (await lab.client.post(address, **{place: told})).status_code == 401


async def test_tokens_come_from_either_address(lab: Any) -> None:
    """Client libraries ask `/api/v3/oauth/token`."""
    form = {"client_id": "4242", "client_secret": "simulated-client-secret", "grant_type": "refresh_token"}
    answer = await lab.client.post("/api/v3/oauth/token", data=form | {"refresh_token": lab.refresh_token})
    assert (answer.status_code, answer.json()["access_token"]) == (200, lab.token)
