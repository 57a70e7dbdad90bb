"""The command line's composition root: `athlete COMMAND`."""

from importlib.metadata import version
from typing import Annotated

import typer

from athlete.athletes import athletes
from athlete.backfill import backfill
from athlete.budget import budget
from athlete.connect import connect
from athlete.daily import daily
from athlete.demo.command import demo
from athlete.docs import docs
from athlete.doctor.command import doctor
from athlete.events import events
from athlete.export import export
from athlete.importing.command import import_files
from athlete.own_settings import own_settings
from athlete.purge import purge
from athlete.query import query
from athlete.replay import replay
from athlete.subscription.command import subscription
from athlete.transform import transform
from athlete.up import up

app = typer.Typer(
    name="athlete",
    help="Your Strava activities in a warehouse that you own. Start with `athlete demo`: it needs no account.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
COMMANDS = (
    demo, up, doctor, connect, athletes, backfill, daily, events, replay, budget, purge, transform, query, export, docs,
)  # fmt: skip
for command in COMMANDS:
    app.command()(command)
app.command("import")(import_files)
app.add_typer(subscription, name="subscription")
app.add_typer(own_settings, name="settings")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer's callback
    if wanted:
        typer.echo(f"athlete-dashboard {version('athlete-dashboard')}")
        raise typer.Exit


@app.callback()
def main(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Your Strava activities in a warehouse that you own."""
