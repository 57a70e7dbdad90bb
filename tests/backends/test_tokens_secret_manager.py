"""What is particular to tokens in Secret Manager: late reads, refusals, and what a save leaves."""

import asyncio
import threading
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import FailedPrecondition, NotFound
from google.cloud.secretmanager_v1 import SecretManagerServiceClient, SecretVersion
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport
from pydantic import ValidationError
from structlog.testing import capture_logs

from backends.tokens import TokensGone, TokensUnavailable
from backends.tokens.secret_manager import open_secret_manager_tokens
from backends.tokens.secret_manager.client import SecretClient
from backends.tokens.secret_manager.store import SecretManagerTokenStore as Store
from runtime.settings import SharedSettings
from tests.secret_manager_server import Project, SecretManagerServer, State, no_fault
from tests.secret_manager_stores import ANNA, PREFIX, SECRET, OpenStore, only, refresh, tokens


async def test_the_newest_is_found_where_other_reads_are_behind(open_store: OpenStore, project: Project) -> None:
    """A program that starts, and one that has read before, see what was added a moment ago."""
    has_read, writer = open_store(), open_store()
    await writer.save(ANNA, tokens(1))
    assert await has_read.load(ANNA) == tokens(1)
    project.fall_behind()
    for number in (2, 3, 4):
        await writer.save(ANNA, tokens(number))
    assert await has_read.load(ANNA) == await open_store().load(ANNA) == tokens(4)


async def test_a_secret_that_was_made_once_more_is_found(open_store: OpenStore) -> None:
    """Its versions are numbered from 1 again, below what a program remembers."""
    remembers, other = open_store(), open_store()
    for number in (1, 2, 3):
        await remembers.save(ANNA, tokens(number))
    await other.delete(ANNA)
    assert await remembers.load(ANNA) is None
    await remembers.save(ANNA, tokens(4))
    await remembers.save(ANNA, tokens(5))
    await other.delete(ANNA)
    await other.save(ANNA, tokens(6))
    assert await remembers.load(ANNA) == tokens(6)


async def test_old_versions_that_cannot_be_destroyed_wait_for_the_next_save(store: Store, project: Project) -> None:
    """The new tokens are saved in any case, and the log tells."""
    project.fault = only("DestroySecretVersion")
    with capture_logs() as logs:
        await store.save(ANNA, tokens(1))
        await store.save(ANNA, tokens(2))
    assert [each["event"] for each in logs] == ["tokens.old_versions_left"]
    project.fault = no_fault
    await store.save(ANNA, tokens(3))
    assert project.alive(SECRET) == [3]
    assert b"s3cr3t-r1" not in b"".join(project.secrets[SECRET].payloads)


async def test_a_save_is_read_back(store: Store, project: Project) -> None:
    """A version that does not hold the tokens is no save."""

    def spoil(method: str) -> None:
        if method == "AddSecretVersion":
            project.secrets[SECRET].payloads[-1] = b"{}"

    project.lost = spoil
    with pytest.raises(TokensUnavailable, match=f"Version 1 of the secret {SECRET} does not hold what was saved"):
        await store.save(ANNA, tokens(1))


async def test_a_cancelled_save_is_finished(store: Store, project: Project) -> None:
    """Its task ends when the tokens are stored, and is cancelled then."""
    begun, may_go_on = threading.Event(), threading.Event()

    def hold(method: str) -> None:
        if method == "AddSecretVersion":
            begun.set()
            may_go_on.wait(20)

    project.fault = hold
    task = asyncio.create_task(store.save(ANNA, tokens(1)))
    await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    may_go_on.set()
    await asyncio.wait({task})
    assert task.cancelled()
    assert await store.load(ANNA) == tokens(1)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda stored: stored.payloads.__setitem__(-1, b'{"access_token": "s3cr3t'), "it is not JSON"),
        (lambda stored: stored.payloads.__setitem__(-1, b'{"access_token": "s3cr3t"}'), "tokens.refresh_token is"),
        (lambda stored: setattr(stored.versions[-1], "state", State.DISABLED), "it is disabled or destroyed"),
        (lambda stored: setattr(stored.versions[-1], "state", State.DESTROYED), "it is disabled or destroyed"),
    ],
)
async def test_newest_tokens_that_cannot_be_used_are_said_and_replaced(
    store: Store, project: Project, spoil: Callable[[Any], None], fault: str
) -> None:
    """No older ones are taken in their place, no part of the error is a secret, and connecting again mends it."""
    await store.save(ANNA, tokens(1))
    spoil(project.secrets[SECRET])
    with pytest.raises(TokensGone, match=r"Version 1 of .*, the newest, .*: enable it .* `athlete connect`") as caught:
        await store.load(ANNA)
    assert f"({fault}" in str(caught.value)
    assert caught.value.__context__ is None
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))
    await store.save(ANNA, tokens(2))
    assert await store.load(ANNA) == tokens(2)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, r"refuses .*; check GOOGLE_CLOUD_PROJECT, and give this account the role"),
        (grpc.StatusCode.UNAUTHENTICATED, r"refuses .*; check GOOGLE_CLOUD_PROJECT, and give this account the role"),
        (grpc.StatusCode.INVALID_ARGUMENT, r"does not accept \w+ \(.*\); check the project and its policies"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, r"cannot do \w+ now \(.*\); try again later\."),
        (grpc.StatusCode.DEADLINE_EXCEEDED, r"cannot do \w+ now \(.*\); try again later\."),
    ],
)
async def test_what_google_refuses_is_told_in_a_sentence(
    store: Store, project: Project, code: grpc.StatusCode, sentence: str
) -> None:
    """Every way to use the store raises its own error: for a time, or with what to do."""
    project.fault = lambda _: code
    ways: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: store.load(ANNA),
        lambda: store.save(ANNA, tokens(1)),
        lambda: store.delete(ANNA),
        store.athlete_ids,
        lambda: refresh(store),
    )
    for way in ways:
        with pytest.raises(TokensUnavailable, match=sentence) as caught:
            await way()
        assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


async def test_missing_credentials_are_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an endpoint Google itself is asked, with the credentials of the environment."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(TokensUnavailable, match=r"no credentials .* `gcloud auth application-default login`"):
        await Store(SecretClient("nobodys"), PREFIX).load(ANNA)


async def test_athletes_are_listed_over_pages_and_without_their_values(store: Store, project: Project) -> None:
    """Secrets of others in the project are left out, and so is one that a killed save left empty."""
    for athlete_id in range(1, 6):
        await store.save(athlete_id, tokens(1))
    client = store._client
    for secret_id in ("other", f"{PREFIX}-7", f"{PREFIX}-7x", f"{PREFIX}-5-1", f"my-{PREFIX}-8"):
        await client.create(secret_id)
        await client.add(secret_id, b"value") if secret_id != f"{PREFIX}-7" else None
    project.page_size = 2
    project.calls.clear()
    assert await store.athlete_ids() == [1, 2, 3, 4, 5]
    assert project.calls.count("ListSecrets") == 5
    assert "AccessSecretVersion" not in project.calls


async def test_settings_say_where_the_tokens_are(
    server: SecretManagerServer, project: Project, request: pytest.FixtureRequest
) -> None:
    """A composition root opens the store from its settings, and a missing project is told at the start."""
    settings = SharedSettings(secret_manager_endpoint=server.endpoint, token_secret_prefix="mine")
    settings = settings.model_copy(update={"google_cloud_project": request.node.name})
    store = open_secret_manager_tokens(settings)
    await store.save(ANNA, tokens(1))
    await store.close()
    assert list(project.secrets) == ["mine-101"]
    with pytest.raises(TokensUnavailable, match="GOOGLE_CLOUD_PROJECT is empty"):
        open_secret_manager_tokens(SharedSettings())
    with pytest.raises(ValidationError):
        SharedSettings(secret_manager_endpoint="secrets.example.org:443")


def test_the_server_refuses_as_google_documents(server: SecretManagerServer, request: pytest.FixtureRequest) -> None:
    """An etag fits once, a version's change leaves its secret's etag, destroying is for good, `latest` is an alias."""
    channel = grpc.insecure_channel(server.endpoint)
    google = SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))
    secret: Any = {"replication": {"automatic": {}}}
    made = google.create_secret(parent=f"projects/{request.node.name}", secret_id="mine", secret=secret)
    with pytest.raises(NotFound):
        google.access_secret_version(name=f"{made.name}/versions/latest")
    for number in (1, 2):
        added = google.add_secret_version(request={"parent": made.name, "payload": {"data": b"value %d" % number}})
        assert added.name == f"{made.name}/versions/{number}"
    assert google.access_secret_version(name=f"{made.name}/versions/latest").payload.data == b"value 2"
    assert google.get_secret(name=made.name).etag == made.etag
    google.disable_secret_version(request={"name": added.name, "etag": added.etag})
    with pytest.raises(FailedPrecondition, match="does not match the current etag"):
        google.enable_secret_version(request={"name": added.name, "etag": added.etag})
    with pytest.raises(FailedPrecondition, match="DISABLED state"):
        google.access_secret_version(name=f"{made.name}/versions/latest")
    assert google.destroy_secret_version(name=added.name).state == SecretVersion.State.DESTROYED
    with pytest.raises(FailedPrecondition, match="DESTROYED state"):
        google.enable_secret_version(name=added.name)
    with pytest.raises(FailedPrecondition, match="does not match the current etag"):
        google.delete_secret(request={"name": made.name, "etag": '"stale"'})
    google.delete_secret(request={"name": made.name, "etag": made.etag})
    with pytest.raises(NotFound):
        google.get_secret(name=made.name)
    channel.close()
