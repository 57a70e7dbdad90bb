"""Both budgets count on natural quarter hours and UTC days."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CREDENTIALS = {"client_id": "4242", "client_secret": "simulated-client-secret"}
HEADERS = ("x-ratelimit-limit", "x-ratelimit-usage", "x-readratelimit-limit", "x-readratelimit-usage")


async def told(lab: Any) -> tuple[int, list[str]]:
    """Spend one request; return its status and the four headers."""
    answer = await lab.get("/athlete")
    return answer.status_code, [answer.headers[name] for name in HEADERS]


async def test_headers_tell_limits_and_usage(make_lab: Any) -> None:
    """Each as "15 minutes,day"; a read counts on both."""
    async with make_lab(limits=("100,1000", "200,2000")) as lab:
        await lab.connect()
        assert await told(lab) == (200, ["200,2000", "1,1", "100,1000", "1,1"])
        assert await told(lab) == (200, ["200,2000", "2,2", "100,1000", "2,2"])


async def test_spent_quarter_hour_is_429_until_the_next_one_begins(make_lab: Any) -> None:
    """From 12:07:30 it is spent up to 12:14:59, and not at 12:15:00; refused calls count for the day."""
    async with make_lab(limits=("2,1000", "200,2000")) as lab:
        await lab.connect()
        assert [(await told(lab))[0] for _ in range(3)] == [200, 200, 429]
        lab.clock.now = datetime(2026, 6, 10, 12, 14, 59, tzinfo=UTC)
        refused = await lab.get("/athlete")
        assert (refused.status_code, refused.json()) == (
            429,
            {
                "message": "Rate Limit Exceeded",
                "errors": [{"resource": "Application", "field": "rate limit", "code": "exceeded"}],
            },
        )
        assert "retry-after" not in refused.headers
        lab.clock.now = datetime(2026, 6, 10, 12, 15, tzinfo=UTC)
        assert await told(lab) == (200, ["200,2000", "1,5", "2,1000", "1,5"])


async def test_spent_day_is_429_until_midnight_utc(make_lab: Any) -> None:
    """A new quarter hour does not help, a new day does."""
    async with make_lab(limits=("100,3", "200,2000")) as lab:
        await lab.connect()
        for quarter in range(4):
            status, _ = await told(lab)
            assert status == (429 if quarter == 3 else 200)
            lab.clock.advance(900)
        lab.clock.now = datetime(2026, 6, 11, 0, 0, tzinfo=UTC)
        await lab.connect()
        assert await told(lab) == (200, ["200,2000", "1,1", "100,3", "1,1"])


async def test_restart_gives_nothing_back(make_lab: Any, tmp_path: Path) -> None:
    """What was spent of the quarter hour and of the day stays spent; the next quarter hour is new."""
    state, limits = tmp_path / "state.jsonl", ("2,1000", "200,2000")
    async with make_lab(state=state, limits=limits) as first:
        await first.connect()
        assert [(await told(first))[0] for _ in range(2)] == [200, 200]
    async with make_lab(state=state, limits=limits) as second:
        second.token = first.token
        assert await told(second) == (429, ["200,2000", "3,3", "2,1000", "3,3"])
        second.clock.advance(900)
        assert await told(second) == (200, ["200,2000", "1,4", "2,1000", "1,4"])


async def test_overall_limit_bites_too(make_lab: Any) -> None:
    """Whichever budget is spent first."""
    async with make_lab(limits=("100,1000", "1,2000")) as lab:
        await lab.connect()
        assert [(await told(lab))[0] for _ in range(2)] == [200, 429]


async def test_control_subscriptions_and_tokens_cost_nothing(make_lab: Any) -> None:
    """Only the API's reads do."""
    async with make_lab(limits=("100,1000", "200,2000")) as lab:
        await lab.connect()
        await lab.subscribe()
        await lab.client.get("/api/v3/push_subscriptions", params=CREDENTIALS)
        for path in ("health", "saves", "activities", "faults", "live"):
            assert (await lab.client.get(f"/simulator/{path}")).status_code == 200
        assert (await told(lab))[1][1] == "1,1"
