"""Whether the athlete's own file can be taken."""

from athlete.doctor.context import Context
from athlete.doctor.findings import Finding, green, red
from backends.athlete_file.faults import AthleteFileFault
from backends.athlete_file.reading import read_documents


async def check_athlete_file(context: Context) -> list[Finding]:
    """Read the file, if there is one; what a broken one said before stays in force."""
    path = context.settings.worker.athlete_file_path
    if not path.exists():
        return [green(f"There is no {path}, which may say what Strava does not know (docs/athlete-toml.md).")]
    athlete_ids = [each.athlete_id for each in await context.raw.athletes()]
    try:
        documents = read_documents(path, athlete_ids).values()
    except AthleteFileFault as fault:
        return [red(fault.told_of(path), f"Correct {path}; docs/athlete-toml.md has an example.")]
    settings = sum(len(each.payload["settings"]) for each in documents)
    goals = sum(len(each.person.goal) for each in documents)
    gear = sum(len(each.person.gear) for each in documents)
    return [green(f"{path} can be read: {settings} values of settings, {goals} goals, {gear} pieces of gear.")]
