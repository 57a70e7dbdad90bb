"""`athlete connect --token` and piped tokens against a simulator: kept, judged, and not lost on the way."""

import asyncio
import json
import os
import pty
import stat
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from typer.testing import CliRunner

from athlete.connect_token import UselessToken, right_to_refresh, unknown_reach
from athlete.demo.config import CLIENT_ID, CLIENT_SECRET
from athlete.demo.simulator_client import SCOPES, SimulatorClient
from athlete.main import app
from athlete.pending_token import PendingToken
from athlete.supervisor import free_port
from backends.tokens import TokenSet
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete, AthleteStatus
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.client import StravaClient
from strava.errors import TokenRejected
from strava.events import StravaEvent
from strava.oauth import OAuthApp
from strava.transport import RetryPolicy
from tests.athlete.simulated import run_in_process

ATHLETE_ID = 4242424242


async def granted(strava: str, *scopes: str) -> TokenSet:
    """Authorise as the athlete would, with all boxes ticked or just these, and return the tokens."""
    async with httpx.AsyncClient() as http:
        form = {
            "client_id": CLIENT_ID,
            "redirect_uri": "http://127.0.0.1/callback",
            "response_type": "code",
            "decision": "allow",
            "scope": scopes or SCOPES.split(","),
        }
        answer = await http.post(f"{strava}/oauth/authorize", data=form)
        [code] = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
        app = OAuthApp(http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, oauth_url=f"{strava}/oauth")
        return (await app.exchange(code))[0]


async def refreshed(strava: str, tokens: TokenSet) -> TokenSet:
    """Trade the refresh token in."""
    async with httpx.AsyncClient() as http:
        app = OAuthApp(http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, oauth_url=f"{strava}/oauth")
        return await app.refresh(tokens.refresh_token)


async def switch_faults(strava: str, **faults: float) -> None:
    """Switch on just these faults of the simulator."""
    async with httpx.AsyncClient() as http:
        await SimulatorClient(http, strava).switch_faults(**faults)


async def reads_counted(strava: str, tokens: TokenSet) -> int:
    """Ask for the athlete, and return how many reads Strava has counted, this one included."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{strava}/api/v3/athlete", headers={"Authorization": f"Bearer {tokens.access_token}"})
    return int(answer.headers["x-readratelimit-usage"].partition(",")[0])


def kept_in(data_dir: Path) -> Any:
    """What the token file holds of each athlete; nothing where there is no file."""
    path = data_dir / "tokens.json"
    return json.loads(path.read_text())["athletes"] if path.exists() else {}


def settings_for(strava: str, data_dir: Path) -> dict[str, str]:
    """The settings of a connect with the simulator."""
    return {
        "DATA_DIR": str(data_dir),
        "STRAVA_API_URL": f"{strava}/api/v3",
        "STRAVA_OAUTH_URL": f"{strava}/oauth",
        "STRAVA_CLIENT_ID": CLIENT_ID,
        "STRAVA_CLIENT_SECRET": CLIENT_SECRET,
        "LOG_LEVEL": "",
    }


async def connect(
    strava: str, data_dir: Path, *arguments: str, token: str = "", **settings: str
) -> tuple[int | None, str]:
    """Run the command as a person would, the token piped in; return its exit code and all that it said."""
    done = await run_in_process(("connect", *arguments), settings_for(strava, data_dir) | settings, token)
    return done.exit_code, done.output


async def test_a_good_token_is_kept_under_its_athlete_alone(strava: str, tmp_path: Path) -> None:
    """The athlete is named, the scopes are judged, and the tokens are filed once, for their owner to read alone."""
    tokens = await granted(strava)
    code, said = await connect(strava, tmp_path, token=f"{tokens.refresh_token}\n")
    assert (code, said) == (0, f"Connected athlete {ATHLETE_ID}. All scopes are granted.\n")
    assert list(kept_in(tmp_path)) == [str(ATHLETE_ID)]
    assert kept_in(tmp_path)[str(ATHLETE_ID)]["scope"] == sorted(SCOPES.split(","))
    assert not list(tmp_path.glob("connect-recovery*"))


async def test_events_that_were_parked_are_taken_up_on_connecting(strava: str, tmp_path: Path) -> None:
    """An event that came before anybody was connected is on its way once the athlete connects, and this is said."""
    fields = {"object_type": "activity", "aspect_type": "create", "object_id": 7, "owner_id": ATHLETE_ID}
    event = StravaEvent.from_json({**fields, "subscription_id": 1, "event_time": 1_777_888_999})
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    parked = LedgerEntry(
        delivery_id="d1",
        event_id=event.event_id,
        event=event,
        outcome=Outcome.PARKED,
        reason="Nobody was connected.",
        attempt=1,
        received_at=now,
        finished_at=now,
    )
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    await store.record([parked])
    await store.close()
    code, said = await connect(strava, tmp_path, token=(await granted(strava)).refresh_token)
    assert (code, said.splitlines()[-1]) == (
        0,
        f"Connected athlete {ATHLETE_ID}. All scopes are granted. Parked events that are tried again: 1.",
    )
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    assert [each.event_id for each in await store.deferred_events(due_by=None, how_many=9)] == [event.event_id]
    await store.close()


@pytest.mark.slow
async def test_a_token_at_the_prompt_is_not_shown(strava: str, tmp_path: Path) -> None:
    """In a terminal the token is asked for, and what is typed is not echoed."""
    tokens = await granted(strava)
    ours, terminal = pty.openpty()
    environment = os.environ | settings_for(strava, tmp_path)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "athlete", "connect", "--token", env=environment, cwd=tmp_path, start_new_session=True,
        stdin=terminal, stdout=terminal, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    said = b""
    while b"not shown" not in said:
        said += await asyncio.to_thread(os.read, ours, 1024)
    os.write(ours, f"{tokens.refresh_token}\n".encode())
    with suppress(OSError):  # the terminal's end
        while chunk := await asyncio.to_thread(os.read, ours, 1024):
            said += chunk
    assert await process.wait() == 0, said
    assert b"Connected athlete" in said
    assert tokens.refresh_token.encode() not in said
    os.close(ours)


async def test_a_token_on_the_command_line_is_refused(strava: str, tmp_path: Path) -> None:
    """Other users can read a command line: there is no option for a token, and what was given is not repeated."""
    code, said = await connect(strava, tmp_path, "--refresh-token", "s3cr3t")
    assert code == 2
    assert "s3cr3t" not in said
    assert not kept_in(tmp_path)


async def test_a_spent_token_is_told_with_where_a_new_one_comes_from(strava: str, tmp_path: Path) -> None:
    """One sentence with the address to authorise at, without the token in it; nothing is stored, and no vain advice."""
    code, said = await connect(strava, tmp_path, token="no-such-token")
    assert code == 1
    assert said.startswith("athlete: Strava does not accept this refresh token: it is spent")
    assert "`athlete connect --no-browser` makes a link" in said
    assert "no-such-token" not in said
    assert not kept_in(tmp_path)
    assert not list(tmp_path.glob("connect-recovery*"))


async def test_a_token_that_reads_no_activities_is_refused_with_what_is_missing(strava: str, tmp_path: Path) -> None:
    """With the scope `read` alone nothing would ever arrive: it says so, and better tokens of the athlete stay."""
    await FileTokenStore(tmp_path / "tokens.json").save(ATHLETE_ID, await granted(strava))
    before = kept_in(tmp_path)
    tokens = await granted(strava, "read")
    code, said = await connect(strava, tmp_path, token=tokens.refresh_token)
    assert code == 1
    assert "lacks the scope activity:read" in said
    assert "no activity ever arrives" in said
    assert "settings page has the scope read alone" in said
    assert "leave every box ticked" in said
    assert kept_in(tmp_path) == before
    assert not list(tmp_path.glob("connect-recovery*"))


@pytest.mark.slow
async def test_a_rotated_token_survives_an_answer_that_did_not_come(strava: str, tmp_path: Path) -> None:
    """Strava has retired the given token when whose it is cannot be asked: the next connect goes on without one."""
    tokens = await granted(strava)
    await switch_faults(strava, token_lifetime_s=0)  # each refresh rotates
    nobody = f"http://127.0.0.1:{free_port()}"
    code, said = await connect(strava, tmp_path, token=tokens.refresh_token, STRAVA_API_URL=nobody)
    assert code == 1
    assert "run `athlete connect` again and it goes on" in said
    [kept] = tmp_path.glob("connect-recovery*")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_text() not in {said, tokens.refresh_token}
    assert not kept_in(tmp_path)
    await switch_faults(strava)
    code, said = await connect(strava, tmp_path)
    assert code == 0, said
    assert list(kept_in(tmp_path)) == [str(ATHLETE_ID)]
    assert not list(tmp_path.glob("connect-recovery*"))


async def test_tokens_are_saved_while_the_right_to_refresh_is_held(strava: str, tmp_path: Path) -> None:
    """A worker that is refreshing saves first: what connect brings is not overwritten by it."""
    tokens = await granted(strava)
    store = FileTokenStore(tmp_path / "tokens.json")
    async with store.refreshing(ATHLETE_ID):
        connecting = asyncio.create_task(connect(strava, tmp_path, token=tokens.refresh_token))
        async with asyncio.timeout(30):
            probes = 1
            while await reads_counted(strava, tokens) < probes + 2:  # connect reads the athlete and the list
                probes += 1
        await store.save(ATHLETE_ID, replace(tokens, refresh_token="the worker's"))
        assert not connecting.done()
    code, said = await connecting
    assert code == 0, said
    assert kept_in(tmp_path)[str(ATHLETE_ID)]["refresh_token"] == tokens.refresh_token


class WatchedTokens(FileTokenStore):
    """A token file that tells when it was read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.was_read = asyncio.Event()

    async def load(self, athlete_id: int) -> TokenSet | None:
        """Read, and tell it."""
        found = await super().load(athlete_id)
        self.was_read.set()
        return found


async def test_a_stored_token_is_traded_in_while_nobody_else_refreshes(tmp_path: Path) -> None:
    """A pasted token that the programs use is not traded in beside their refresh; what that brought is used."""
    old = TokenSet(access_token="a", refresh_token="old", expires_at=datetime.now(UTC))
    tokens, pending = WatchedTokens(tmp_path / "tokens.json"), PendingToken(tmp_path / "pending")
    await tokens.save(ATHLETE_ID, old)
    pending.keep("old")

    async def hold() -> int | None:
        async with right_to_refresh(tokens, pending) as held_id:
            return held_id

    async with FileTokenStore(tmp_path / "tokens.json").refreshing(ATHLETE_ID):
        holding = asyncio.create_task(hold())
        await tokens.was_read.wait()
        await tokens.save(ATHLETE_ID, replace(old, refresh_token="new"))
        assert not holding.done()
    assert await holding == ATHLETE_ID
    assert pending.read() == "new"


async def test_a_stored_token_connects_its_athlete_again(strava: str, tmp_path: Path) -> None:
    """The right to refresh that is held for it does not stand in the way of saving."""
    tokens = await granted(strava)
    await FileTokenStore(tmp_path / "tokens.json").save(ATHLETE_ID, tokens)
    code, said = await connect(strava, tmp_path, token=tokens.refresh_token)
    assert code == 0, said
    assert list(kept_in(tmp_path)) == [str(ATHLETE_ID)]


async def test_the_eleventh_athlete_is_refused(strava: str, tmp_path: Path) -> None:
    """One sentence says why; nothing is stored or kept for the next connect, and Strava counts the athlete no more."""
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    for number in range(10):
        athlete = Athlete(athlete_id=number, scope=frozenset(), status="connected", updated_at=datetime.now(UTC))
        await store.put_athlete(athlete)
    await store.close()
    tokens = await granted(strava)
    code, said = await connect(strava, tmp_path, token=tokens.refresh_token)
    assert code == 1
    assert said.startswith("athlete: 10 athletes are connected, and no more can be")
    with pytest.raises(TokenRejected):
        await refreshed(strava, tokens)
    assert not kept_in(tmp_path)
    assert not list(tmp_path.glob("connect-recovery*"))


async def test_who_is_known_has_room_beside_ten_others(strava: str, tmp_path: Path) -> None:
    """A broken token is repaired: refusing would end the grant at Strava, and with it all that is stored."""
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    for number in range(10):
        athlete = Athlete(athlete_id=number, scope=frozenset(), status="connected", updated_at=datetime.now(UTC))
        await store.put_athlete(athlete)
    await store.put_athlete(replace(athlete, athlete_id=ATHLETE_ID, status=AthleteStatus.TOKEN_REJECTED))
    await store.close()
    code, said = await connect(strava, tmp_path, token=(await granted(strava)).refresh_token)
    assert code == 0, said
    assert str(ATHLETE_ID) in kept_in(tmp_path)


async def test_a_kept_token_that_is_spent_is_removed(strava: str, tmp_path: Path) -> None:
    """An interrupted connect cannot block the next one: it says that the token went, and the next reads a new one."""
    (tmp_path / "connect-recovery.token").write_text("spent")
    code, said = await connect(strava, tmp_path)
    assert code == 1
    assert "The kept token was removed. Strava does not accept this refresh token" in said
    assert not list(tmp_path.glob("connect-recovery*"))


async def test_a_wrong_client_secret_does_not_cost_the_token(strava: str, tmp_path: Path) -> None:
    """The settings are at fault and are named; once they are right the connect goes on by itself."""
    tokens = await granted(strava)
    code, said = await connect(strava, tmp_path, token=tokens.refresh_token, STRAVA_CLIENT_SECRET="wrong")
    assert code == 1
    assert "compare STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET" in said
    code, said = await connect(strava, tmp_path)
    assert code == 0, said
    assert list(kept_in(tmp_path)) == [str(ATHLETE_ID)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, json=[]), ""),
        (httpx.Response(500), "Whether activities can be read is not known: Strava failed with status 500"),
        (httpx.Response(429), "Whether activities can be read is not known: Strava's rate limit"),
    ],
)
async def test_a_list_that_cannot_be_asked_now_does_not_stop_a_connect(answer: httpx.Response, expected: str) -> None:
    """No activity yet is fine; trouble that will pass is said, and the athlete is connected nevertheless."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as http:
        client = StravaClient(http, None, api_url="https://strava.test", retry_policy=RetryPolicy(attempts=1))
        assert (await unknown_reach(client)).startswith(expected)


async def test_a_rejected_token_for_the_list_counts_as_a_missing_scope() -> None:
    """Strava has shown the athlete a moment before, so the token is valid: what it lacks is the permission."""
    refused = {"message": "Authorization Error", "errors": [{"resource": "Athlete", "code": "invalid"}]}
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json=refused))
    async with httpx.AsyncClient(transport=transport) as http:
        client = StravaClient(http, None, api_url="https://strava.test")
        with pytest.raises(UselessToken, match="lacks the scope activity:read_all"):
            await unknown_reach(client)


async def test_connecting_mends_a_token_file_that_is_gone(strava: str, tmp_path: Path) -> None:
    """Where tokens were and are not any more, the command that the programs advise works."""
    tokens = await granted(strava)
    await FileTokenStore(tmp_path / "tokens.json").save(1, tokens)
    (tmp_path / "tokens.json").unlink()
    code, said = await connect(strava, tmp_path, token=tokens.refresh_token)
    assert code == 0, said
    assert list(kept_in(tmp_path)) == [str(ATHLETE_ID)]


@pytest.mark.parametrize("token", ["", " \n", "two words", "x" * 2000, "naïve", "a\x00b"])
def test_what_is_no_token_is_refused_before_strava_is_asked(tmp_path: Path, token: str) -> None:
    """Nothing, several words, a whole file: one sentence, and nothing is kept."""
    result = CliRunner().invoke(app, ["connect"], input=token, env=settings_for("http://127.0.0.1:9", tmp_path))
    assert result.exit_code == 1
    assert result.stderr.startswith(("athlete: Give the athlete's refresh token", "athlete: That is no refresh token"))
    assert not list(tmp_path.glob("connect-recovery*"))


@pytest.mark.slow
async def test_an_unreachable_oauth_is_named_in_one_sentence(tmp_path: Path) -> None:
    """Where nobody answers, the setting of the address that was asked is named, and no retry is told of."""
    code, said = await connect(f"http://127.0.0.1:{free_port()}", tmp_path, token="x")
    assert code == 1
    assert said == (
        "athlete: Strava cannot be reached (ConnectError); check the network and STRAVA_OAUTH_URL, or wait. The token "
        "is kept: run `athlete connect` again and it goes on, without asking for a token.\n"
    )


@pytest.mark.slow
async def test_retries_are_told_to_those_who_ask_for_them(tmp_path: Path) -> None:
    """A LOG_LEVEL that a person has set is kept to."""
    code, said = await connect(f"http://127.0.0.1:{free_port()}", tmp_path, token="x", LOG_LEVEL="INFO")
    assert code == 1
    assert "retry" in said


def test_tokens_stay_out_of_what_is_printed() -> None:
    """A token set's text shows neither token."""
    tokens = TokenSet(access_token="access-secret", refresh_token="refresh-secret", expires_at=datetime.now(UTC))
    assert "secret" not in repr(tokens)
