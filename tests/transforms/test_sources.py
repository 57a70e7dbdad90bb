"""What dbt says of `raw` is what the schema states: documentation, columns and types."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from backends.warehouse.schema import TABLES
from backends.warehouse.sqlite.athletes import REMOVALS

PROJECT = Path(__file__).parents[2] / "transforms"
SCHEMA = {table.name: table for table in TABLES}
READS = re.compile(r"raw_rows\(\s*'(\w+)',\s*(\{.*?\})", re.DOTALL)
MODELS = [path for path in sorted((PROJECT / "models/staging").glob("*.sql")) if READS.search(path.read_text())]


def sources() -> list[dict[str, Any]]:
    """The tables that the project documents."""
    [raw] = yaml.safe_load((PROJECT / "models/staging/_sources.yml").read_text())["sources"]
    tables: list[dict[str, Any]] = raw["tables"]
    return tables


@pytest.mark.parametrize("source", sources(), ids=lambda source: source["name"])
def test_documentation_is_the_schemas(source: dict[str, Any]) -> None:
    """Each table and each of its columns has the schema's sentence, in the schema's order."""
    table = SCHEMA[source["name"]]
    assert source["description"] == table.description
    documented = [(column["name"], column["description"]) for column in source["columns"]]
    assert documented == [(column.name, column.description) for column in table.columns]


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_models_read_columns_as_they_are_typed(model: Path) -> None:
    """A column is read under a name and as a type that the schema states."""
    for table, columns in READS.findall(model.read_text()):
        types = SCHEMA[table].types
        read: dict[str, str] = ast.literal_eval(columns)
        assert {name: types.get(name) for name in read} == read


def test_a_table_is_asked_once_for_its_nulls() -> None:
    """A test for each column would be a query for each: on BigQuery every one is billed as ten MiB."""
    files = [*PROJECT.rglob("_models.yml"), *PROJECT.rglob("_seeds.yml")]
    assert len(files) > 10
    assert [file.name for file in files if re.search(r"\bnot_null\b", file.read_text())] == []


def test_a_receipt_counts_every_table_that_a_purge_empties() -> None:
    """A new table that knows athletes is counted too."""
    text = (PROJECT / "models/staging/stg_strava__purges.sql").read_text()
    counted = ast.literal_eval(text[text.index("[") : text.index("]") + 1])
    assert sorted(counted) == sorted(REMOVALS)


def test_every_source_is_read() -> None:
    """The check above meets every documented table."""
    read = {table for model in MODELS for table, _ in READS.findall(model.read_text())}
    assert read == {source["name"] for source in sources()}


# No mart tells of them: what is staged of them follows with the next whole run, within the hour.
ONLY_STAGED = {"_ingestion_state", "strava_subscriptions"}


@pytest.mark.slow
def test_a_change_of_every_source_reaches_the_marts(warehouse: Any) -> None:
    """A new table is told of by the watermark, built by every run, or no mart shows it; so is a model without any."""

    def chosen(*selection: str) -> set[str]:
        """The models and sources that dbt chooses."""
        result = warehouse.dbt("ls", *selection, "--resource-type", "model", "--resource-type", "source")
        assert result.success, result.exception
        return {name.removeprefix("source:").removeprefix("athlete_dashboard.") for name in result.result}

    told = {part.partition("=")[0] for part in warehouse.raw.watermark().split(" ")}
    of_every_run = {"pipeline_readings", "transform_runs"}
    without_source = {"intermediate.pipeline.int_pipeline__build"}
    assert {source["name"] for source in sources()} == told | of_every_run | ONLY_STAGED
    of_the_moment = {"mart.pipeline.pipeline_health"}  # it says when the run began
    every_run = {f"raw.{name}" for name in of_every_run} | without_source | of_the_moment
    assert chosen("--select", "tag:every_run") == every_run
    of_the_project = {"mart.documentation.documentation"}  # which an upgrade builds, with everything else
    assert chosen("--exclude", "source:raw+") == without_source | of_the_project
    staged = chosen("--select", *(f"source:raw.{name}+" for name in ONLY_STAGED))
    assert {name.split(".")[0] for name in staged} == {"raw", "staging"}
