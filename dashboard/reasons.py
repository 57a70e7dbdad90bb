"""Why something waits, failed or was cut short, in the reader's language: one sentence for each word of the backend."""

from dashboard.formatting import Teller, plain
from dashboard.languages import N_
from dashboard.mart import Row

REASONS = {
    "rate_limited": N_("The calls that Strava allows for this are used up."),
    "probe_under_way": N_("Another program is still finding out whether Strava answers."),
    "unreachable": N_("Strava cannot be reached; check the network and STRAVA_API_URL, or wait."),
    "server_failed": N_("Strava failed itself; nothing to do but wait (https://status.strava.com)."),
    "turned_away": N_(
        "The request was turned away before it reached Strava's API; check the proxy and STRAVA_API_URL, or wait."
    ),
    "access_token_refused": N_("Strava refuses an access token that it handed out just now; this passes by itself."),
    "not_found": N_("Strava does not have what was asked for, or does not show it with the permissions given."),
    "token_rejected": N_("Strava rejects the athlete's tokens; connect again with `athlete connect`."),
    "not_connected": N_("No tokens are stored for the athlete; connect first with `athlete connect`."),
    "scope_missing": N_("The athlete has not granted all permissions; connect again and leave every box ticked."),
    "app_inactive": N_(
        "Strava calls the app inactive: its owner's paid subscription has most likely lapsed. Renew it at "
        "https://www.strava.com/account; what is stored keeps working."
    ),
    "app_rejected": N_(
        "Strava rejects the app's own credentials; compare STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET with "
        "https://www.strava.com/settings/api."
    ),
    "bad_request": N_("Strava refuses the request; `athlete events` has Strava's own words."),
    "unreadable_answer": N_("Strava's answer cannot be read; check STRAVA_API_URL."),
    "tokens_unavailable": N_("The tokens cannot be read or kept at the moment."),
    "warehouse_busy": N_("The warehouse is busy."),
    "unreadable_event": N_("The message cannot be read."),
    "unreadable_envelope": N_("The message cannot be read."),
    "own_fault": N_("A fault of this program; its log tells more. It is tried again."),
    "not_shown_now": N_("Strava does not show the activity now; it is asked again before that counts as a deletion."),
    "not_shown_yet": N_("Strava does not show the activity yet; it is asked again."),
    "failing_activity": N_("Strava fails on this activity again and again; it is asked until it answers."),
    "newer_summary": N_("Something newer is known of the activity, but not in detail; Strava is asked again."),
    "still_granted": N_("Strava accepts the athlete's tokens still; it is asked again before anything is removed."),
    "connected_again": N_("The athlete has connected again meanwhile; Strava is asked once more."),
    "connected_meanwhile": N_("The athlete connected while the event was parked; it is tried again."),
    "foreign_activity": N_("The activity does not belong to the athlete whom the event names; nothing was changed."),
    "unknown_athlete": N_("The athlete is not connected here; connect first with `athlete connect`."),
    "deauthorized_without_tokens": N_(
        "Without tokens Strava cannot be asked whether the athlete took back the app's access: run `athlete connect`, "
        "or `athlete purge` if they did."
    ),
    "never_finished": N_("The worker finished none of the attempts."),
    "taken_up": N_("Strava can be asked in the athlete's name again, so it is taken up."),
    "published_again": N_("Published again, for its time has come."),
    "replayed": N_("A person asked for it once more with `athlete replay`."),
}


def because(kind: str | None, sentence: str | None, tell: Teller) -> str:
    """Say why, as Markdown; where the word is missing or unknown, in the backend's own sentence, which is English."""
    return tell(REASONS[kind]) if kind in REASONS else plain(sentence or "")


def cut_short(kind: str | None, sentence: str | None, tell: Teller) -> str:
    """Say what kept a check from reading the whole list."""
    told = because(kind, sentence, tell)
    return " ".join([tell("Strava's list was not read to its end."), told]) if kind in REASONS else told


def guarded(extra: int, tell: Teller) -> str:
    """Say what a person is asked."""
    return tell.plural(
        "{n} stored activity is not in Strava's list any more, so nothing was removed. If it was deleted at Strava, "
        "confirm it: `athlete daily --confirm`.",
        "{n} stored activities are not in Strava's list any more, so many that nothing was removed. If they were "
        "deleted at Strava, confirm it: `athlete daily --confirm`.",
        extra,
    )


def incomplete(unreadable: int, left: int, stopped_kind: str | None, tell: Teller) -> str:
    """Say why a check that read the whole list is not complete."""
    told = []
    if unreadable:
        told.append(
            tell.plural(
                "{n} item of Strava's list could not be read or is another athlete's.",
                "{n} items of Strava's list could not be read or are another athlete's.",
                unreadable,
            )
        )
    if left:
        told.append(tell.plural("{n} difference is not repaired yet.", "{n} differences are not repaired yet.", left))
        told.append(because(stopped_kind, None, tell))
    changing = tell("No row differs, but the list changed while it was read; the next check tells more.")
    return " ".join(filter(None, told)) or changing


def of_run(run: Row, tell: Teller) -> str:
    """Say why a run of `pipeline_run` is not complete, or failed; what a failed build says is the engine's own word."""
    match run["result"]:
        case "guarded":
            return guarded(run["extra_count"] or 0, tell)
        case "incomplete":
            return incomplete(run["unreadable_count"] or 0, run["left_count"] or 0, run["stopped_kind"], tell)
        case "cut_short":
            return cut_short(run["stopped_kind"], run["reason"], tell)
    return run["reason"] or ""
