"""`athlete subscription create|show|delete`: the app's one push subscription, by which Strava sends events here."""

import asyncio
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console

from athlete.data_dir import require_usable
from athlete.errors import CommandError, exit_on_error, warn
from athlete.output import Form, print_rows
from athlete.subscription import actions
from athlete.subscription.actions import Ending, Standing
from athlete.subscription.callback import LONGEST_CALLBACK, STRAVA_WAITS_S, CallbackCheck, callback_of, masked
from athlete.up import missing_settings
from runtime.http_client import is_loopback
from runtime.logs import configure_logs
from service.settings import ServiceSettings, read_public_url
from service.webhook_auth import WEBHOOK_PREFIX
from worker.settings import WorkerSettings

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

subscription = typer.Typer(
    help="Subscribe this pipeline to Strava's events, see how that stands, or end it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@subscription.command()
@exit_on_error
def create(
    *,
    public_url: Annotated[
        str | None, typer.Option(help="Public address of the service, instead of the setting PUBLIC_URL.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete a subscription of this app that leads elsewhere.")
    ] = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Leave out asking the callback from here; Strava asks it in any case.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Have Strava send the app's events here: ask our callback through its public address, then subscribe.

    A subscription of this app that leads here already is adopted. Running it again changes nothing.
    """
    worker, service = _settings()
    callback = _callback(worker, service, public_url)
    verify_token = service.strava_verify_token.get_secret_value()
    made = asyncio.run(actions.create(worker, callback, verify_token, replaces=replace, asks=not no_check))
    override = worker.strava_subscription_id
    if as_json:
        names = ("result", "subscription_id", "callback_url", "answer_seconds", "fault", "override_id")
        about = (made.ending, made.subscription_id, masked(callback), made.check.seconds, made.check.fault, override)
        print_rows(names, [about], Form.JSON, Console())
    else:
        _say(_created(made.ending, made.subscription_id, masked(callback)))
        _say(_answered(made.check) if made.check.fault is None else "")
    warn(made.check.fault or "")
    warn(_overridden(override, made.subscription_id))


@subscription.command()
@exit_on_error
def show(*, as_json: AsJson = False) -> None:
    """Tell which subscription Strava has, whether its events are taken here, and whether its callback answers."""
    worker, service = _settings(needs_webhook=False)
    secret = service.webhook_path_secret.get_secret_value()
    callback = callback_of(service.public_url, secret) if service.public_url and secret else ""
    path = f"{WEBHOOK_PREFIX}{secret}" if secret else ""
    found = asyncio.run(actions.standing(worker, callback, path, service.strava_verify_token.get_secret_value()))
    override = worker.strava_subscription_id
    if as_json:
        names = (
            "subscription_id",
            "callback_url",
            "is_ours",
            "remembered_id",
            "override_id",
            "answer_seconds",
            "fault",
        )
        at_strava, check = found.subscription, found.check or CallbackCheck()
        about = (at_strava and at_strava.id, at_strava and masked(at_strava.callback_url), found.is_ours)
        print_rows(names, [(*about, found.remembered_id, override, check.seconds, check.fault)], Form.JSON, Console())
        return
    for sentence in _sentences(found, callback, override):
        _say(sentence)


@subscription.command()
@exit_on_error
def delete(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete the app's subscription at Strava: no event arrives any more until another is made."""
    worker, _ = _settings(needs_webhook=False)
    found = asyncio.run(actions.existing_subscription(worker))
    was_there = False
    if found is None:
        asyncio.run(actions.forget(worker))
    else:
        if not yes:
            _confirm(f"Delete subscription {found.id}, which leads to {masked(found.callback_url)}?")
        was_there = asyncio.run(actions.delete(worker, found.id))
    if as_json:
        print_rows(("deleted_id",), [(found.id if found and was_there else None,)], Form.JSON, Console())
    elif found and was_there:
        _say(f"Deleted subscription {found.id}. No event arrives until `athlete subscription create` makes another.")
    else:
        _say("Strava has no subscription of this app (any more): there is nothing to delete.")


def _settings(*, needs_webhook: bool = True) -> tuple[WorkerSettings, ServiceSettings]:
    """Read the settings of the app, the data folder and the webhook. Raises CommandError."""
    worker, service = WorkerSettings(), ServiceSettings()
    missing = [name for name in missing_settings(service, worker) if needs_webhook or name.startswith("STRAVA_CLIENT_")]
    if missing:
        raise CommandError(f"Set {', '.join(missing)} (environment or .env) first; .env.example explains each.")
    require_usable(worker.data_dir)
    chosen = worker.log_level if "log_level" in worker.model_fields_set else "ERROR"  # what failed is told in the end
    configure_logs(worker.log_format, chosen)
    return worker, service


def _callback(worker: WorkerSettings, service: ServiceSettings, given: str | None) -> str:
    """Return our callback as Strava is to call it. Raises CommandError where Strava could not."""
    try:
        public_url = service.public_url if given is None else read_public_url(given)
    except ValueError as error:
        raise CommandError(f"--public-url: {error}.") from error
    if not public_url:
        raise CommandError(
            "Set PUBLIC_URL (environment or .env), or give --public-url: the https address under which the internet "
            "reaches the service. docs/public-address.md says how to get one."
        )
    if is_private(public_url) and not is_loopback(worker.strava_api_url):
        raise CommandError(
            f"{urlsplit(public_url).hostname} is this machine or in its own network, where Strava cannot reach it: "
            "give the public https address that leads to the service (docs/public-address.md)."
        )
    callback = callback_of(public_url, service.webhook_path_secret.get_secret_value())
    if len(callback) > LONGEST_CALLBACK:
        raise CommandError(
            f"The callback has {len(callback)} characters, and Strava takes {LONGEST_CALLBACK}: shorten PUBLIC_URL or "
            "WEBHOOK_PATH_SECRET."
        )
    return callback


def is_private(url: str) -> bool:
    """Whether an address names this machine, or one of its own network."""
    host = urlsplit(url).hostname or ""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local"))


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise CommandError("Nothing was deleted: say --yes where nobody can be asked.")
    if not typer.confirm(question, err=True):
        raise CommandError("Nothing was deleted.")


def _created(ending: Ending, subscription_id: int, place: str) -> str:
    match ending:
        case Ending.UNCHANGED:
            return f"Subscription {subscription_id} to {place} stands already; nothing was changed."
        case Ending.ADOPTED:
            return f"Strava had subscription {subscription_id} to {place} already; it is adopted: its events are taken."
        case Ending.REPLACED:
            return f"Subscribed in place of the one before: events come to {place} as subscription {subscription_id}."
        case Ending.CREATED:
            return f"Subscribed: Strava sends events to {place} as subscription {subscription_id}."


def _answered(check: CallbackCheck) -> str:
    if check.seconds is None:
        return ""
    return f"The callback answered a challenge in {check.seconds:.2f} s; Strava waits for {STRAVA_WAITS_S:.0f} s."


def _overridden(override: int | None, subscription_id: int) -> str:
    if override in {None, subscription_id}:
        return ""
    return (
        f"STRAVA_SUBSCRIPTION_ID is {override}, so the events of {subscription_id} are ignored: remove that setting, "
        "and start `athlete up` again."
    )


def _sentences(found: Standing, callback: str, override: int | None) -> Iterator[str]:
    """Tell in plain sentences how it stands."""
    at_strava = found.subscription
    if at_strava is None:
        yield "Strava has no subscription of this app, so no event arrives: `athlete subscription create` makes one."
        if found.remembered_id is not None:
            yield f"Remembered is {found.remembered_id}, which Strava does not have any more."
        return
    if found.is_ours is None:
        yield f"Strava has subscription {at_strava.id}, which leads to {masked(at_strava.callback_url)}."
        yield "Whether that is this pipeline's callback is not known: set WEBHOOK_PATH_SECRET and PUBLIC_URL."
    elif found.is_ours:
        yield f"Strava has subscription {at_strava.id}, which leads here: {masked(at_strava.callback_url)}."
    else:
        place = actions.place_of(at_strava, callback)
        yield f"Strava has subscription {at_strava.id}, which does not lead here, but to {place}."
        yield "`athlete subscription create --replace` deletes it and subscribes this pipeline."
    yield _taken(at_strava.id, found.remembered_id, override)
    if found.check is not None:
        yield found.check.fault or _answered(found.check)
    elif found.is_ours:
        yield "Whether its callback answers is not known: set STRAVA_VERIFY_TOKEN, without which the webhook is off."


def _taken(subscription_id: int, remembered_id: int | None, override: int | None) -> str:
    if overridden := _overridden(override, subscription_id):
        return overridden
    if subscription_id in {override, remembered_id}:
        return "Its events are taken."
    if remembered_id is None:
        return "None is remembered, so all events are taken: `athlete subscription create` adopts this subscription."
    return f"Remembered is {remembered_id}, so its events are ignored: `athlete subscription create` adopts it."


def _say(sentence: str) -> None:
    if sentence:
        Console().print(sentence, highlight=False, soft_wrap=True, markup=False)
