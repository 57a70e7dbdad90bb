"""The faults that are planted in a healthy pipeline: how, which lines turn, and what their fix names."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from athlete.doctor.examination import OF_THE_STORE, examine, opened
from athlete.doctor.findings import Status
from backends.queue.embedded import EmbeddedQueue
from backends.warehouse.athletes import CONNECTED, Athlete
from backends.warehouse.backfills import Backfill
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.reconciliations import Verdict
from runtime.clock import utc_now, utc_text
from simulator.faults import Faults
from strava.errors import TokenRejected
from strava.events import StravaEvent
from tests.athlete.healthy import ALL, ATHLETE, OUTSIDE, SECRET, SERVICE, WORKER, Healthy, Told, run, subscribe, verdict
from worker.athletes import note_rejected

Plant = Callable[[Healthy], Awaitable[None]]
Y, R = Status.YELLOW, Status.RED
UNKNOWN = dict.fromkeys((*OF_THE_STORE, "subscription"), Y)  # where the database cannot be used
SWITCHED_OFF = {"subscription": Y, "callback": Y}  # without one of the webhook's secrets


@dataclass(frozen=True)
class Fault:
    """`turns` are the checks that are not green any more, and `fix` stands in the gravest one's."""

    plant: Plant
    turns: dict[str, Status]
    fix: str


FAULTS: dict[str, Fault] = {}


def fault(name: str, turns: dict[str, Status], fix: str) -> Callable[[Plant], Plant]:
    """Add what the function plants to FAULTS."""

    def add(plant: Plant) -> Plant:
        FAULTS[name] = Fault(plant, turns, fix)
        return plant

    return add


def settings_fault(name: str, turns: dict[str, Status], fix: str, **settings: str) -> None:
    """Add a fault of the settings."""

    @fault(name, turns, fix)
    async def _(made: Healthy) -> None:
        made.set(**settings)


def file_fault(name: str, turns: dict[str, Status], fix: str, path: str, change: Callable[[Path], object]) -> None:
    """Add a fault of a file."""

    @fault(name, turns, fix)
    async def _(made: Healthy) -> None:
        change(made.folder / path)


def ledger_fault(name: str, turns: dict[str, Status], fix: str, **entry: Any) -> None:
    """Add a fault that a row of the ledger tells of, which the marts have seen."""

    @fault(name, turns, fix)
    async def _(made: Healthy) -> None:
        async with made.store() as store:
            await store.record([_ended(**entry)])
            await store.put_run(run(await store.watermark()))


def _ended(
    outcome: Outcome, *, hours_ago: float, reason: str = "So it was.", is_tried_again: bool = False
) -> LedgerEntry:
    fields = {"object_type": "activity", "aspect_type": "create", "object_id": 7, "owner_id": ATHLETE}
    event = StravaEvent.from_json({**fields, "subscription_id": 1, "event_time": 1_777_888_999})
    moment = utc_now() - timedelta(hours=hours_ago)
    return LedgerEntry(
        delivery_id="d-1",
        event_id=event.event_id,
        event=event,
        outcome=outcome,
        reason=reason,
        attempt=1,
        received_at=moment,
        finished_at=moment,
        retry_at=moment if is_tried_again else None,
    )


async def streams_come(made: Healthy, *, hours_ago: float) -> None:
    """Store an activity's streams at a moment, of which neither ledger nor backfill tells."""
    moment = utc_now() - timedelta(hours=hours_ago)
    then = utc_text(moment)
    row = (int(moment.timestamp() * 1_000_000), ATHLETE, "[]", "", then, then)
    with closing(sqlite3.connect(made.data / "pipeline.sqlite")) as connection, connection:
        connection.execute(
            "insert into strava_streams (activity_id, athlete_id, fetched_for, activity_hash, observed_at, ingested_at)"
            " values (?, ?, ?, ?, ?, ?)",
            row,
        )


def _overwrite(path: Path) -> None:
    path.write_bytes(b"damaged " * 4096)


settings_fault("time zone", {"settings": R}, "Correct DISPLAY_TIMEZONE", DISPLAY_TIMEZONE="Mars/Base")
settings_fault(
    "short path secret", {"settings": R, **SWITCHED_OFF}, "Correct WEBHOOK_PATH_SECRET", WEBHOOK_PATH_SECRET="short"
)
settings_fault("client id missing", {"settings": R, "subscription": Y}, "Set STRAVA_CLIENT_ID", STRAVA_CLIENT_ID="")
settings_fault("one port twice", {"settings": R}, "Set WORKER_PORT to a free port", WORKER_PORT="8080")
settings_fault("client secret wrong", {"subscription": R}, "Compare STRAVA_CLIENT_ID", STRAVA_CLIENT_SECRET="x")
settings_fault("override", {"subscription": R}, "Remove STRAVA_SUBSCRIPTION_ID", STRAVA_SUBSCRIPTION_ID="1")
settings_fault(
    "verify token", {"verify token": R, "callback": Y}, "Start `athlete up` again", STRAVA_VERIFY_TOKEN="another"
)
file_fault("settings open", {"settings": Y}, "chmod 600 .env", ".env", lambda it: it.chmod(0o644))
file_fault(
    "own file broken",
    {"athlete.toml": R},
    "Correct data/athlete.toml",
    "data/athlete.toml",
    lambda it: it.write_text("weight = sixty"),
)
file_fault("tokens open", {"data folder": R}, "chmod -R go-rwx", "data/tokens.json", lambda it: it.chmod(0o644))
file_fault(
    "database damaged", {"database": R, **UNKNOWN}, "Restore it from a backup", "data/pipeline.sqlite", _overwrite
)
file_fault(
    "tokens mended badly",
    {"token": R},
    "Restore it from a backup",
    "data/tokens.json",
    lambda it: it.write_text("{'athletes':"),
)
file_fault("budget damaged", {"budget": Y}, "Run `rm ", "data/budget.json", _overwrite)
file_fault("marts damaged", {"marts": R}, "athlete transform", "data/mart.duckdb", _overwrite)
ledger_fault("clock set back", {"clock": R}, "timedatectl set-ntp true", outcome=Outcome.STORED, hours_ago=-5)
ledger_fault(
    "deferred overdue",
    {"waiting events": Y},
    "athlete events",
    outcome=Outcome.DEFERRED,
    hours_ago=1,
    is_tried_again=True,
)


@fault(
    "refresh token dead",
    {"token": R, "waiting events": Y},
    f"Run `athlete connect`, and log in at Strava as athlete {ATHLETE}",
)
async def _refresh_token_dead(made: Healthy) -> None:
    async with made.store() as store:
        await note_rejected(store, ATHLETE)
        await store.record([_ended(Outcome.PARKED, hours_ago=0, reason=str(TokenRejected(ATHLETE)))])
        await store.put_run(run(await store.watermark()))


@fault("disk full", {"disk": R}, "Free 200 MB")
async def _disk_full(made: Healthy) -> None:
    made.change_machine(free_bytes=lambda _: 10**7)


@fault("package replaced", {"packages": Y}, "make setup")
async def _package_replaced(made: Healthy) -> None:
    made.machine.lock_file.write_text("httpx==0.0.1\n", encoding="utf-8")


@fault("project unreadable", {"dbt project": R}, "transforms/")
async def _project_unreadable(made: Healthy) -> None:
    made.change_machine(project_fault=lambda _: "Compilation Error in model x")


@fault("nothing runs", {"programs": Y, "callback": Y}, "athlete up")
async def _nothing_runs(made: Healthy) -> None:
    made.stop()


@fault("worker silent", {"programs": R}, "Stop `athlete up` and start it again")
async def _worker_silent(made: Healthy) -> None:
    del made.apps[WORKER]


@fault("service silent", {"programs": R, "verify token": Y, "callback": Y}, "Stop `athlete up` and start it again")
async def _service_silent(made: Healthy) -> None:
    del made.apps[SERVICE]


@fault("not subscribed", {"subscription": R}, "Run `athlete subscription create` while")
async def _not_subscribed(made: Healthy) -> None:
    made.simulated.simulation.subscriptions.delete(made.subscription["id"])


@fault("subscribed elsewhere", {"subscription": R}, "athlete subscription create --replace")
async def _subscribed_elsewhere(made: Healthy) -> None:
    made.subscription["callback_url"] = "https://other.example.org/webhook/x"


@fault("another remembered", {"subscription": R}, "Run `athlete subscription create`, which adopts it")
async def _another_remembered(made: Healthy) -> None:
    await subscribe(made, f"{OUTSIDE}/webhook/{SECRET}")


@fault("proxy's page", {"callback": R}, "Start `athlete up`, and let it lead to SERVICE_PORT")
async def _proxy_page(made: Healthy) -> None:
    made.apps[OUTSIDE] = Told(502, b"<html><title>Bad gateway</title>")


@fault("access taken back", {"token": R}, f"Run `athlete connect`, and log in at Strava as athlete {ATHLETE}")
async def _access_taken_back(made: Healthy) -> None:
    tokens = await made.tokens.load(ATHLETE)
    assert tokens is not None
    await made.tokens.save(ATHLETE, replace(tokens, access_token="x" * 40))


@fault("token lost", {"token": R}, f"Run `athlete connect`, and log in at Strava as athlete {ATHLETE}")
async def _token_lost(made: Healthy) -> None:
    await made.tokens.delete(ATHLETE)


@fault("scope unticked", {"scopes": Y}, "leave every box ticked")
async def _scope_unticked(made: Healthy) -> None:
    scope = ALL - {"activity:read_all"} | {"activity:read"}
    async with made.store() as store:
        await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=scope, status=CONNECTED, updated_at=utc_now()))


@fault("app lapsed", {"lapse": R, "subscription": Y}, "Renew it at https://www.strava.com/account")
async def _app_lapsed(made: Healthy) -> None:
    made.simulated.simulation.dice.switch(Faults(inactive=True))


@fault("limit spent", {"budget": Y, "token": Y}, "athlete budget")
async def _limit_spent(made: Healthy) -> None:
    made.simulated.spend(100)
    async with opened(made.machine, is_offline=False) as context:
        await examine(context)  # so the budget learns of it


@fault("clock wrong", {"clock": R}, "timedatectl set-ntp true")
async def _clock_wrong(made: Healthy) -> None:
    made.strava.ahead_s = 600


@fault("message waits", {"queue": Y}, "athlete events")
async def _message_waits(made: Healthy) -> None:
    queue = EmbeddedQueue(made.data / "pipeline.sqlite", clock=lambda: utc_now() - timedelta(hours=1))
    await queue.publish(b"{}", {})
    await queue.close()


@fault("dead letter", {"queue": R}, "athlete replay --dead")
async def _dead_letter(made: Healthy) -> None:
    await _message_waits(made)
    with closing(sqlite3.connect(made.data / "pipeline.sqlite")) as connection, connection:
        connection.execute("update queue_messages set state = 'dead', died_at = published_at")


@fault("database newer", {"database": R, **UNKNOWN}, "Upgrade the program")
async def _database_newer(made: Healthy) -> None:
    with closing(sqlite3.connect(made.data / "pipeline.sqlite")) as connection:
        connection.execute("pragma user_version = 999")


@fault("transform failed", {"transform": R}, "athlete transform")
async def _transform_failed(made: Healthy) -> None:
    async with made.store() as store:
        await store.put_run(run(await store.watermark(), "model x: it does not compile"))


@fault("raw newer", {"marts": R}, "athlete transform")
async def _raw_newer(made: Healthy) -> None:
    """Nothing was built since the first row came, and rows go on coming."""
    for hours_ago in (2, 0):
        await streams_come(made, hours_ago=hours_ago)
    with closing(sqlite3.connect(made.data / "pipeline.sqlite")) as connection, connection:
        moment = utc_text(utc_now() - timedelta(hours=3))
        connection.execute("update transform_runs set started_at = ?, finished_at = ?", [moment, moment])


@fault("removal unconfirmed", {"daily": R}, "athlete daily --confirm")
async def _removal_unconfirmed(made: Healthy) -> None:
    async with made.store() as store:
        await store.put_reconciliation(verdict(Verdict.GUARDED, utc_now()))
        await store.put_run(run(await store.watermark()))


@fault("comparison old", {"daily": Y}, "Run `athlete daily` now")
async def _comparison_old(made: Healthy) -> None:
    with closing(sqlite3.connect(made.data / "pipeline.sqlite")) as connection, connection:
        connection.execute("update reconciliations set finished_at = ?", [utc_text(utc_now() - timedelta(hours=50))])
    async with made.store() as store:
        await store.put_run(run(await store.watermark()))


@fault("backfill idle", {"backfill": Y}, "athlete up")
async def _backfill_idle(made: Healthy) -> None:
    async with made.store() as store:
        await store.request_backfill(Backfill.requested(ATHLETE, utc_now() - timedelta(hours=1)))
        await store.put_run(run(await store.watermark()))


@fault("backfill left some out", {"backfill": Y}, f"`athlete backfill --athlete {ATHLETE}` tries them at once")
async def _backfill_left_some_out(made: Healthy) -> None:
    async with made.store() as store:
        [known] = await store.backfills()
        await store.note_backfill(known.changed(utc_now(), failed_count=2, retry_at=utc_now() + timedelta(hours=1)))
        await store.put_run(run(await store.watermark()))
