"""Whether Strava's events come here: the app's subscription, the way from outside, the service's secrets."""

from athlete.doctor.context import Context
from athlete.doctor.findings import Finding, green, red, red_of, yellow
from athlete.doctor.programs import START, ports
from athlete.subscription.actions import place_of
from athlete.subscription.callback import (
    STRAVA_WAITS_S,
    CallbackCheck,
    callback_of,
    check_callback,
    is_same_callback,
    masked,
)
from backends.warehouse.subscriptions import current_id
from service.webhook_auth import WEBHOOK_PREFIX
from strava.errors import AppInactive, StravaError
from strava.subscriptions import Subscription

_CREATE = "Run `athlete subscription create` while `athlete up` runs."
_ADOPT = "Run `athlete subscription create`, which adopts it."
_SET_PUBLIC_URL = "Set PUBLIC_URL to the public https address that leads to the service (docs/public-address.md)."


async def check_subscription(context: Context) -> list[Finding]:
    """Ask Strava which subscription the app has, and whether its events are taken here."""
    if context.is_offline:
        return []
    if not context.settings.worker.has_strava_app:
        return [
            yellow("Not asked: the app's id or secret is missing.", "Set STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET.")
        ]
    try:
        found = await context.strava.subscription()
    except AppInactive:
        return [yellow("Not told: Strava refuses the app.", "Mend what lapse tells.")]
    except StravaError as error:
        return [red_of(error)]
    if found is None:
        return [red("Strava has no subscription of this app, so no event arrives.", _CREATE)]
    return [_direction(context, found) or await _taking(context, found)]


def _direction(context: Context, found: Subscription) -> Finding | None:
    """Return what is wrong with where the subscription leads."""
    service = context.settings.service
    secret = service.webhook_path_secret.get_secret_value()
    if not secret:
        return yellow(f"Whether subscription {found.id} leads here is not known.", "Set WEBHOOK_PATH_SECRET.")
    callback = callback_of(service.public_url, secret) if service.public_url else ""
    leads_here = (
        is_same_callback(found.callback_url, callback)
        if callback
        else found.callback_url.rstrip("/").endswith(f"{WEBHOOK_PREFIX}{secret}")
    )
    if not leads_here:
        what = f"Subscription {found.id} does not lead here, but to {place_of(found, callback)}."
        return red(what, "Run `athlete subscription create --replace` while `athlete up` runs.")
    if not callback:
        return yellow(f"Subscription {found.id} ends in our path, but PUBLIC_URL is not set.", _SET_PUBLIC_URL)
    return None


async def _taking(context: Context, found: Subscription) -> Finding:
    """Return whether the events of the subscription are taken."""
    override = context.settings.worker.strava_subscription_id
    remembered = None if context.store is None else current_id(await context.store.subscriptions())
    if override not in {None, found.id}:
        what = f"STRAVA_SUBSCRIPTION_ID is {override}, so the events of subscription {found.id} are ignored."
        return red(what, "Remove STRAVA_SUBSCRIPTION_ID, and start `athlete up` again.")
    if found.id in {override, remembered}:
        return green(f"Subscription {found.id} leads here ({masked(found.callback_url)}), and its events are taken.")
    if remembered is None:
        return yellow(f"Subscription {found.id} leads here, but is not remembered, so events of all are taken.", _ADOPT)
    return red(f"Remembered is subscription {remembered}, so the events of {found.id} are ignored.", _ADOPT)


async def check_verify_token(context: Context) -> list[Finding]:
    """Send the running service itself a challenge: it proves that its path secret and verify token are these."""
    check = await _service_check(context)
    if check is None:
        return []
    if check.seconds is None:
        return [yellow("Not asked: the service does not answer.", "Mend what programs tells.")]
    if check.fault is not None:
        return [red_of(check.fault)]
    return [green("The running service has this WEBHOOK_PATH_SECRET and this STRAVA_VERIFY_TOKEN.")]


async def check_callback_from_outside(context: Context) -> list[Finding]:
    """Send a challenge through the public address, as Strava does, and measure the answer."""
    if context.is_offline:
        return []
    if (hindrance := await _hindrance(context)) is not None:
        return [hindrance]
    path_secret, verify_token = _secrets(context)
    url = callback_of(context.settings.service.public_url, path_secret)
    async with context.machine.http_for(url) as http:
        check = await check_callback(http, url, verify_token)
    if check.fault is not None:
        return [red_of(check.fault)]
    waits = f"Strava waits for {STRAVA_WAITS_S:.0f} s"
    return [green(f"{masked(url)} answers a challenge in {check.seconds or 0:.2f} s; {waits}.")]


async def _hindrance(context: Context) -> Finding | None:
    """Return why the callback need not be asked; None where it must."""
    if not all(_secrets(context)):
        return yellow("Not asked: the webhook is switched off.", "Set WEBHOOK_PATH_SECRET and STRAVA_VERIFY_TOKEN.")
    if not context.settings.service.public_url:
        return yellow("Not asked: without PUBLIC_URL the way from outside is not known.", _SET_PUBLIC_URL)
    if context.running is None:
        return yellow("Not asked: no pipeline runs here that could answer.", START)
    inside = await _service_check(context)
    if inside is not None and inside.fault is not None:
        return yellow("Not asked: the service does not take the challenge itself.", "Mend what verify token tells.")
    return None


async def _service_check(context: Context) -> CallbackCheck | None:
    """Ask the service where it listens; None where it cannot be asked, which is told elsewhere."""
    at, (path_secret, verify_token) = ports(context), _secrets(context)
    if context.running is None or not (path_secret and verify_token and at.service):
        return None
    url = callback_of(at.service_url, path_secret)
    async with context.machine.http_for(url) as http:
        return await check_callback(http, url, verify_token)


def _secrets(context: Context) -> tuple[str, str]:
    service = context.settings.service
    return service.webhook_path_secret.get_secret_value(), service.strava_verify_token.get_secret_value()
