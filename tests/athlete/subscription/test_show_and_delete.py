"""`athlete subscription show` and `delete`: how it stands in plain sentences, and an end that may come twice."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from backends.warehouse.subscriptions import KnownSubscription

SECRET = "0123456789abcdef-the-path"  # of conftest.py's service
FIRST_ID = 310_001  # the simulator's first subscription
Run = Callable[..., Result]


@pytest.mark.slow
def test_show_tells_how_it_stands(
    run: Run,
    strava: Any,
    service: Callable[..., str],
    told: Callable[[Result], dict[str, Any]],
    tmp_path: Path,
) -> None:
    """Nothing, then a subscription by hand, then an adopted one; it makes no data folder."""
    public = service()
    assert "Strava has no subscription of this app" in run("show", PUBLIC_URL=public).stdout
    assert not (tmp_path / "data").exists()
    strava.subscribe(f"{public}/webhook/{SECRET}")
    by_hand = run("show").stdout
    assert f"Strava has subscription {FIRST_ID}, which leads here: {public}/webhook/…." in by_hand
    assert "None is remembered, so all events are taken" in by_hand
    assert "The callback answered a challenge in" in by_hand
    run("create", PUBLIC_URL=public)
    assert "Its events are taken." in run("show", PUBLIC_URL=public).stdout
    fields = told(run("show", "--json", PUBLIC_URL=public))
    assert fields.pop("answer_seconds") >= 0
    assert fields == {
        "subscription_id": FIRST_ID,
        "callback_url": f"{public}/webhook/…",
        "is_ours": True,
        "remembered_id": FIRST_ID,
        "override_id": None,
        "fault": None,
    }


@pytest.mark.slow
def test_show_tells_what_is_wrong(run: Run, strava: Any, service: Callable[..., str]) -> None:
    """Another id than the remembered one, a callback that does not answer, one of somebody else, and none any more."""
    public = service()
    run("create", PUBLIC_URL=public)
    strava.unsubscribe(FIRST_ID)
    assert f"Remembered is {FIRST_ID}, which Strava does not have any more." in run("show", PUBLIC_URL=public).stdout
    strava.subscribe(f"{public}/webhook/{SECRET}")
    assert f"Remembered is {FIRST_ID}, so its events are ignored" in run("show", PUBLIC_URL=public).stdout
    wrong_token = run("show", PUBLIC_URL=public, STRAVA_VERIFY_TOKEN="changed-since").stdout
    assert "the running service has another STRAVA_VERIFY_TOKEN" in wrong_token
    elsewhere = run("show", PUBLIC_URL="https://my.example.org").stdout
    assert f"does not lead here, but to {public}/webhook/…." in elsewhere
    assert "--replace" in elsewhere
    assert "answered" not in elsewhere  # and nobody else was sent the verify token
    unknown = run("show", WEBHOOK_PATH_SECRET="").stdout
    assert "is not known: set WEBHOOK_PATH_SECRET" in unknown
    switched_off = run("show", STRAVA_VERIFY_TOKEN="").stdout
    assert "Whether its callback answers is not known: set STRAVA_VERIFY_TOKEN" in switched_off


@pytest.mark.slow
def test_delete_asks_first_and_is_success_when_it_is_gone(
    run: Run,
    strava: Any,
    service: Callable[..., str],
    remembered: Callable[[], list[KnownSubscription]],
    told: Callable[[Result], dict[str, Any]],
) -> None:
    """Where nobody can be asked it needs --yes; afterwards Strava has none, and none is remembered as current."""
    run("create", PUBLIC_URL=service())
    refused = run("delete")
    assert (refused.exit_code, "say --yes" in refused.stderr) == (1, True)
    assert len(strava.subscriptions()) == 1
    deleted = run("delete", "--yes")
    assert deleted.exit_code == 0
    assert f"Deleted subscription {FIRST_ID}." in deleted.stdout
    assert strava.subscriptions() == []
    [known] = remembered()
    assert (known.subscription_id, known.ended_at is None) == (FIRST_ID, False)
    again = run("delete")
    assert again.exit_code == 0
    assert "there is nothing to delete" in again.stdout
    assert told(run("delete", "--json")) == {"deleted_id": None}


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code", "left"), [(b"n\n", 1, [FIRST_ID]), (b"y\n", 0, [])])
def test_in_a_terminal_delete_asks(
    run: Run,
    strava: Any,
    service: Callable[..., str],
    environment: dict[str, str],
    answer: bytes,
    code: int,
    left: list[int],
) -> None:
    """The question names the subscription; only a yes deletes it; no log line tells a secret."""
    run("create", PUBLIC_URL=service())
    ours, terminal = pty.openpty()
    command = [sys.executable, "-m", "athlete", "subscription", "delete"]
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment, "LOG_LEVEL": "DEBUG"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(ours, 1024)
    assert f"Delete subscription {FIRST_ID}, which leads to http".encode() in said
    os.write(ours, answer)
    with suppress(OSError):  # the terminal's end
        while chunk := os.read(ours, 1024):
            said += chunk
    os.close(ours)
    assert (process.wait(), [each["id"] for each in strava.subscriptions()]) == (code, left)
    assert (b"Nothing was deleted." in said) is bool(left)
    assert environment["STRAVA_CLIENT_SECRET"].encode() not in said
    assert SECRET.encode() not in said
