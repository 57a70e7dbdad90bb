"""`athlete demo --export`: the simulated athlete's export, as Strava sends one, to try an import on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from athlete.errors import CommandError
from runtime.clock import utc_now
from simulator.export.columns import Version
from simulator.export.languages import Language
from simulator.journal import Journal, StateUnusable
from simulator.settings import SimulatorSettings

if TYPE_CHECKING:
    from simulator.world.world import World


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportForm:
    """How an export looks: in which language, and as of when."""

    language: Language = Language.EN_US
    version: Version = Version.SEPTEMBER_2026


def demo_state(data_dir: Path, *, seed: int, years: int) -> Path | None:
    """Return the file in which the demo's simulator keeps what happened to the same athlete, if it has run."""
    try:
        is_same = json.loads((data_dir / "athlete.json").read_text()) == {"seed": seed, "years": years}
    except (OSError, ValueError):
        return None
    state = data_dir / "simulator.json"
    return state if is_same and state.exists() else None


def export_athlete(  # noqa: PLR0913 - by keyword, whose export
    path: Path, form: ExportForm, *, seed: int, years: int, state: Path | None, clock: Callable[[], datetime] = utc_now
) -> str:
    """Write the export in place of an earlier one and return a sentence about it.

    `state` is what `demo_state` returns. Raises CommandError, OSError.
    """
    from simulator.export.archive import write_export  # noqa: PLC0415 - all other commands start without a world

    if path.suffix.lower() != ".zip":
        raise CommandError(f"{path} is no name of a ZIP: give one such as --export export.zip.")
    now = clock()
    world = _world(state, seed=seed, years=years, today=now.date())
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            count = write_export(file, world, exported_at=now, language=form.language, version=form.version)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return (
        f"{path} is the export of the simulated athlete {world.athlete_id} as Strava would send it: "
        f"{count:,} activities, {path.stat().st_size / 2**20:.1f} MiB."
    )


def _world(state: Path | None, *, seed: int, years: int, today: date) -> "World":
    from simulator.world.world import Origin, World  # noqa: PLC0415 - as above

    try:
        journal = Journal.remembered(state) if state else Journal()
    except StateUnusable as error:
        raise CommandError(str(error)) from error
    athlete_id = int(SimulatorSettings.model_fields["athlete_id"].default)
    return World(Origin.kept(journal, Origin(seed=seed, athlete_id=athlete_id, years=years, until=today)), journal)
