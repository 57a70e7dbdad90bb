"""Which files `make lint` lints again: those that may have come to be other than they were found clean."""

from pathlib import Path

import pytest

from tests.lint_sql import lint_what_changed

MODELS = ["models/one.sql", "models/two.sql"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two models, a macro and a rule, and what dbt has written there."""
    for name in (*MODELS, "macros/unit.sql", "models/_models.yml", "target/one.sql", "rules"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("select 1")
    return tmp_path


def linted(project: Path) -> list[str]:
    """Lint the project, and return what the linter was given."""
    given: list[str] = []
    lint_what_changed(project, [project / "rules"], project / "clean.json", given.extend)
    return [str(Path(file).relative_to(project)) for file in given]


@pytest.mark.parametrize(
    ("changed", "due"),
    [
        ("models/one.sql", ["models/one.sql"]),
        ("models/three.sql", [MODELS[0], "models/three.sql", MODELS[1]]),
        ("tests/single.sql", [*MODELS, "tests/single.sql"]),
        *((name, MODELS) for name in ("macros/unit.sql", "models/_models.yml", "rules")),
        ("target/one.sql", []),
    ],
)
def test_what_a_change_may_concern_is_linted_again(project: Path, changed: str, due: list[str]) -> None:
    """A model alone for its own text, all for what each may depend on, and none a second time."""
    assert linted(project) == MODELS
    assert linted(project) == []
    (project / changed).parent.mkdir(exist_ok=True)
    (project / changed).write_text("select 2")
    assert linted(project) == due
    assert linted(project) == []


def test_what_is_not_clean_is_linted_again(project: Path) -> None:
    """Also where it was clean before, and so is what was edited while it was linted."""
    assert linted(project) == MODELS
    (project / MODELS[0]).write_text("SELECT 1")

    def fail(_: list[str]) -> None:
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        lint_what_changed(project, [project / "rules"], project / "clean.json", fail)

    def edit(_: list[str]) -> None:
        (project / MODELS[0]).write_text("select 3")

    lint_what_changed(project, [project / "rules"], project / "clean.json", edit)
    assert linted(project) == MODELS[:1]
