"""What the commands do: subscribe or adopt, tell how it stands, and end it. Strava's list is looked at before each."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from athlete.backends import open_store
from athlete.errors import CommandError
from athlete.subscription.callback import WAITS_S, CallbackCheck, check_callback, is_same_callback, masked
from backends.engine import is_on_gcp
from backends.warehouse.subscriptions import current_id
from runtime.http_client import client_for
from runtime.settings import SharedSettings
from strava.errors import BadRequest, NotFound, Retryable, StravaError, UnreadableAnswer
from strava.subscriptions import PushSubscriptions, Subscription
from worker.settings import WorkerSettings

STRAVA_TIMEOUT_S = 30.0  # Strava asks the callback before it answers a create
AGAIN = "Run `athlete subscription create` again: it looks first whether Strava has subscribed."


class Ending(StrEnum):
    """How a create ended."""

    CREATED = "created"
    REPLACED = "replaced"
    ADOPTED = "adopted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Created:
    """The subscription that leads here, how it came about, and what the callback answered."""

    subscription_id: int
    ending: Ending
    check: CallbackCheck


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What Strava has, what is remembered, and whether Strava's callback is ours (None: not known) and answers."""

    subscription: Subscription | None
    remembered_id: int | None
    is_ours: bool | None = None
    check: CallbackCheck | None = None


@asynccontextmanager
async def open_subscriptions(settings: WorkerSettings) -> AsyncIterator[PushSubscriptions]:
    """Open the way to the app's subscriptions at Strava."""
    async with client_for(settings.strava_api_url, timeout=STRAVA_TIMEOUT_S) as http:
        yield PushSubscriptions(
            http,
            client_id=settings.strava_client_id,
            client_secret=settings.strava_client_secret.get_secret_value(),
            api_url=settings.strava_api_url,
        )


async def ask(callback: str, verify_token: str) -> CallbackCheck:
    """Send the callback a challenge of our own."""
    async with client_for(callback, timeout=WAITS_S) as http:
        return await check_callback(http, callback, verify_token)


async def create(settings: WorkerSettings, callback: str, verify_token: str, *, replaces: bool, asks: bool) -> Created:
    """Make or adopt the subscription to the callback, and remember it. Raises CommandError, StravaError."""
    check = await ask(callback, verify_token) if asks else CallbackCheck()
    async with open_store(settings) as store, open_subscriptions(settings) as strava:
        existing = await strava.list()
        ours = next((each for each in existing if is_same_callback(each.callback_url, callback)), None)
        if ours is not None:
            is_known = current_id(await store.subscriptions()) == ours.id
            ending = Ending.UNCHANGED if is_known else Ending.ADOPTED
        else:
            if check.fault:
                raise CommandError(f"{check.fault} Nothing was subscribed.")
            if existing and not replaces:
                raise CommandError(_leads_elsewhere(existing[0], callback))
            # Events are taken from every subscription until the new one's id is known.
            await store.set_subscription(None)
            ours = await _subscribe(strava, existing, callback, verify_token, check)
            ending = Ending.REPLACED if existing else Ending.CREATED
        await store.set_subscription(ours.id)
    return Created(subscription_id=ours.id, ending=ending, check=check)


async def _subscribe(
    strava: PushSubscriptions, existing: Sequence[Subscription], callback: str, verify_token: str, check: CallbackCheck
) -> Subscription:
    for each in existing:
        await end(strava, each.id)
    try:
        return await strava.create(callback, verify_token)
    except StravaError as error:
        made = "whether another was made is not known" if _is_unknown(error) else "no other was made"
        before = f"Subscription {existing[0].id} was deleted, but {made}. " if existing else ""
        raise CommandError(f"{before}{error}{_advice(error, check)}") from error


def _is_unknown(error: StravaError) -> bool:
    """Whether no answer says if it was made."""
    return isinstance(error, Retryable | UnreadableAnswer)


def _advice(error: StravaError, check: CallbackCheck) -> str:
    if _is_unknown(error):
        return f" {AGAIN}"
    is_about_callback = isinstance(error, BadRequest) and any("callback" in reason for reason in error.reasons)
    if is_about_callback and check.seconds is not None:
        return f" It answered this machine in {check.seconds:.2f} s: look at what lies between Strava and it."
    return ""


def _leads_elsewhere(existing: Subscription, callback: str) -> str:
    return (
        f"The app has subscription {existing.id}, which leads to {place_of(existing, callback)}, and Strava allows one "
        "per app. If nothing else needs it, run `athlete subscription delete`, then create again; "
        "`athlete subscription create --replace` does both in one go."
    )


def place_of(existing: Subscription, callback: str) -> str:
    """Name where a subscription leads that does not lead to our callback, without secrets."""
    place = masked(existing.callback_url)
    return f"{place} with another WEBHOOK_PATH_SECRET" if callback and place == masked(callback) else place


async def end(strava: PushSubscriptions, subscription_id: int) -> bool:
    """Delete a subscription, and return whether it was still there. Raises StravaError."""
    try:
        await strava.delete(subscription_id)
    except NotFound:
        return False
    return True


async def existing_subscription(settings: WorkerSettings) -> Subscription | None:
    """Return the app's subscription at Strava. Raises StravaError."""
    async with open_subscriptions(settings) as strava:
        return next(iter(await strava.list()), None)


async def delete(settings: WorkerSettings, subscription_id: int) -> bool:
    """Delete at Strava and keep its id as ended; return whether it was still there. Raises StravaError."""
    async with open_subscriptions(settings) as strava:
        was_there = await end(strava, subscription_id)
    await forget(settings)
    return was_there


async def forget(settings: SharedSettings) -> None:
    """Keep in mind that no subscription is current; a data folder that is not there is not made."""
    if settings.pipeline_path.exists() or is_on_gcp(settings):
        async with open_store(settings) as store:
            await store.set_subscription(None)


async def standing(settings: WorkerSettings, callback: str, path: str, verify_token: str) -> Standing:
    """Find out how it stands; it changes nothing. Raises StravaError.

    `callback` is ours, and `path` its end, which decides where PUBLIC_URL, and so the callback, is not known.
    """
    remembered_id = None
    if settings.pipeline_path.exists() or is_on_gcp(settings):
        async with open_store(settings) as store:
            remembered_id = current_id(await store.subscriptions())
    found = await existing_subscription(settings)
    if found is None:
        return Standing(subscription=None, remembered_id=remembered_id)
    is_ours = None
    if callback or path:
        url = found.callback_url
        is_ours = is_same_callback(url, callback) if callback else url.rstrip("/").endswith(path)
    check = await ask(found.callback_url, verify_token) if is_ours and verify_token else None
    return Standing(subscription=found, remembered_id=remembered_id, is_ours=is_ours, check=check)
