"""README and .env.example tell the truth: every setting, every command and every chore is there."""

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer.main
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from athlete.main import app
from athlete.settings import DelivererSettings, ScheduleSettings
from backends.warehouse.ledger import Outcome
from dashboard.settings import DashboardSettings
from service.settings import ServiceSettings
from simulator.settings import SimulatorSettings
from worker.dbt_runner.settings import TransformSettings
from worker.settings import ImportSettings, WorkerSettings

PROGRAMS: tuple[type[BaseSettings], ...] = (
    DashboardSettings,
    DelivererSettings,
    ImportSettings,
    ScheduleSettings,
    ServiceSettings,
    SimulatorSettings,
    TransformSettings,
    WorkerSettings,
)


def shown(default: Any) -> str:
    """Write a default as a person would set it."""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, ZoneInfo):
        return default.key
    if isinstance(default, float):
        return f"{default:g}"
    return "" if default is None else str(default)


def settings() -> Iterator[tuple[str, str, str]]:
    """Yield name, default and description of every setting of every program."""
    for program in PROGRAMS:
        prefix = program.model_config.get("env_prefix", "")
        for name, field in program.model_fields.items():
            yield (prefix + name).upper(), shown(field.get_default(call_default_factory=True)), field.description or ""


@pytest.fixture(scope="module")
def readme(project_root: Path) -> str:
    """The README."""
    return (project_root / "README.md").read_text()


def test_every_setting_stands_in_the_readme(readme: str) -> None:
    """Each setting has a row with its name, its default and its own description."""
    rows = {f"| `{name}` | {f'`{default}`' if default else ''} | {text} |" for name, default, text in settings()}
    assert rows - set(readme.splitlines()) == set()


def test_the_readme_names_no_setting_that_is_not_there(readme: str) -> None:
    """No row outlives its setting."""
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", readme, re.MULTILINE))
    assert named == {name for name, _, _ in settings()}


def test_the_example_has_every_setting(project_root: Path) -> None:
    """.env.example has each setting once, with its default, and no others."""
    lines = re.findall(r"^#?([A-Z_]+)=(.*)$", (project_root / ".env.example").read_text(), re.MULTILINE)
    assert dict(lines) == {name: default for name, default, _ in settings()}
    assert len(lines) == len(dict(lines))


def test_every_command_stands_in_the_readme(readme: str) -> None:
    """Each command has a row, and no row outlives its command."""
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert set(re.findall(r"^\| `athlete ([a-z]+)` \|", readme, re.MULTILINE)) == commands


def test_every_chore_stands_in_the_readme(readme: str, project_root: Path) -> None:
    """Each target that `make` lists is named."""
    targets = re.findall(r"^([a-z]+):.*## ", (project_root / "Makefile").read_text(), re.MULTILINE)
    assert [
        name for name in targets if name != "help" and f"`{name}`" not in readme and f"make {name}" not in readme
    ] == []


def test_every_decision_is_listed(project_root: Path) -> None:
    """The index of decisions names each page, and each page that it names exists."""
    folder = project_root / "docs/decisions"
    listed = set(re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {path.name for path in folder.glob("0*.md")}


def test_every_link_of_the_documents_leads_somewhere(project_root: Path) -> None:
    """Each relative link and image of README and docs names a file that is there."""
    pages = [project_root / "README.md", *(project_root / "docs").rglob("*.md")]
    targets = [
        (page, target) for page in pages for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    ]
    assert targets
    assert [f"{page.name}: {target}" for page, target in targets if not (page.parent / target).exists()] == []


def test_the_glossary_names_every_outcome(project_root: Path) -> None:
    """The table of outcomes has a row for each, and no others."""
    text = (project_root / "docs/glossary.md").read_text()
    table = text.split("| outcome | meaning |")[1].split("\n\n")[0]
    assert re.findall(r"^\| (\w+) \|", table, flags=re.MULTILINE) == [outcome.value for outcome in Outcome]
