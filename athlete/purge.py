"""`athlete purge`: remove an athlete from everywhere, prove it by counting, and keep a receipt that names nobody."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console

from athlete.backends import open_marts, open_store, open_tokens
from athlete.data_dir import require_pipeline
from athlete.errors import CommandError, exit_on_error
from athlete.events import within_reach
from athlete.output import say
from athlete.transform import one_line
from backends.connect.oauth import oauth_app
from backends.tokens import TokensGone
from backends.warehouse import RawStore
from runtime.clock import utc_text
from runtime.http_client import client_for
from runtime.logs import configure_logs
from worker.dbt_runner.settings import TransformSettings
from worker.importing.kept_files import KeptFiles, remove_gone
from worker.purge import Purge, Purged
from worker.settings import WorkerSettings

STRAVA_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is kept of an athlete before a purge. `activity_ids` finds rows that name the activity alone."""

    row_count: int
    has_tokens: bool
    was_purged: bool
    activity_ids: Sequence[int]


@exit_on_error
def purge(
    athlete_id: Annotated[int, typer.Argument(metavar="ID", help="The athlete, as `athlete athletes` lists them.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the receipt and the counts as one JSON object.")
    ] = False,
) -> None:
    """Remove an athlete for good: the app's access at Strava, the tokens, and every row in raw, staging and mart.

    Copies of imported recordings go too; what was imported, such as the ZIP in `inbox/done`, and saved queries are
    yours to remove.

    It can run beside the pipeline: what is under way for the athlete is not stored any more. Who connects again later
    starts from nothing. Backups that were made before are not touched.
    """
    settings = WorkerSettings()
    require_pipeline(settings)
    configure_logs(settings.log_format, "CRITICAL")  # what failed is told below
    within_reach("ID", athlete_id)
    kept = asyncio.run(_kept(settings, athlete_id))
    is_there = bool(kept.row_count) or kept.has_tokens
    if not is_there and not kept.was_purged:
        raise CommandError(f"Nothing is kept of athlete {athlete_id}: `athlete athletes` lists who is connected.")
    if is_there and not yes:
        _confirm(athlete_id, kept)
    purged = asyncio.run(_purge(settings, athlete_id)) if is_there else None
    if not as_json:
        for sentence in _sentences(athlete_id, purged):
            say(sentence)
    left: Mapping[str, int] | None = None
    try:
        left = _left(settings, athlete_id, kept.activity_ids)
    finally:
        if as_json:  # the receipt also where the marts could not be built: a second run has none
            print(json.dumps(_facts(athlete_id, purged, left)))  # noqa: T201 - for machines
    if not as_json:
        say(f"Rows left: {', '.join(f'{layer} {count:,}' for layer, count in left.items())}.")
    if any(left.values()):
        raise CommandError("Something is left, so somebody connected the athlete meanwhile: run the command again.")


def _confirm(athlete_id: int, kept: Kept) -> None:
    if not sys.stdin.isatty():
        raise CommandError("Nobody can be asked whether it is meant: run it in a terminal, or add --yes.")
    question = f"Remove athlete {athlete_id} with {kept.row_count:,} rows, and end the app's access at Strava?"
    if not typer.confirm(f"{question} This cannot be undone."):
        raise CommandError("Nothing was removed.")


async def _kept(settings: WorkerSettings, athlete_id: int) -> Kept:
    try:
        async with open_tokens(settings) as tokens:
            has_tokens = await tokens.load(athlete_id) is not None
    except TokensGone:
        has_tokens = False
    async with open_store(settings) as store:
        return Kept(
            row_count=await store.row_count(athlete_id),
            has_tokens=has_tokens,
            was_purged=await store.purged_at(athlete_id) is not None,
            activity_ids=await store.activity_ids(athlete_id),
        )


async def _purge(settings: WorkerSettings, athlete_id: int) -> Purged:
    async with (
        client_for(settings.strava_oauth_url, timeout=STRAVA_TIMEOUT_S) as http,
        open_store(settings) as store,
        open_tokens(settings) as tokens,
    ):
        imported = {each.file_id.partition("/")[0] for each in await store.match_facts(athlete_id) if each.file_id}
        purged = await Purge(store, tokens, oauth_app(settings, http))(athlete_id)
        await remove_gone(KeptFiles(settings.files_path), store, at_once=imported)
        return purged


def _left(settings: WorkerSettings, athlete_id: int, activity_ids: Sequence[int]) -> Mapping[str, int]:
    """Build the marts from nothing, rewrite their files, and count what is left of the athlete in each layer."""
    with Console(stderr=True).status("dbt builds the marts without the athlete …"):
        raw = asyncio.run(_rebuilt(settings, athlete_id))
        return {"raw": raw, **open_marts(settings).rows_of(athlete_id, activity_ids)}


async def _rebuilt(settings: WorkerSettings, athlete_id: int) -> int:
    """Return how many rows of the athlete are left in raw. Raises CommandError."""
    from worker.dbt_runner.main import open_transformer  # noqa: PLC0415 - dbt, which the other commands need not wait for

    async with open_transformer(TransformSettings()) as transformer, open_store(settings) as store:
        if not await transformer.erase():
            raise CommandError(await _not_rebuilt(store, athlete_id))
        return await store.row_count(athlete_id)


async def _not_rebuilt(store: RawStore, athlete_id: int) -> str:
    count, fault = await store.row_count(athlete_id), one_line(await store.last_error() or "dbt failed.")
    return f"Rows left: raw {count:,}. Staging and mart could not be built without the athlete, run it again: {fault}"


def _sentences(athlete_id: int, purged: Purged | None) -> Iterator[str]:
    if purged is None:
        yield f"Athlete {athlete_id} was purged before; it is counted once more what is left."
        return
    receipt = purged.receipt
    yield f"Athlete {athlete_id} is removed: {sum(receipt.removed.values()):,} rows, and the tokens. {purged.access}"
    yield f"Receipt {receipt.purge_id} of {utc_text(receipt.purged_at)}, which names nobody: {receipt.athlete_hash}"


def _facts(athlete_id: int, purged: Purged | None, left: Mapping[str, int] | None) -> Mapping[str, object]:
    receipt = None if purged is None else asdict(purged.receipt) | {"purged_at": utc_text(purged.receipt.purged_at)}
    return {"athlete_id": athlete_id, "receipt": receipt, "access": purged and purged.access, "rows_left": left}
