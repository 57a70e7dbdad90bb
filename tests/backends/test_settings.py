"""Settings that are wrong are refused by name, before anything starts."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from backends.settings import LogLevel, SharedSettings


@pytest.mark.parametrize("text", ["WARNING", "warning", "Warning"])
def test_a_level_is_read_in_any_case(text: str) -> None:
    """`warning` and `WARNING` are the same level."""
    assert SharedSettings.model_validate({"log_level": text}).log_level is LogLevel.WARNING


@pytest.mark.parametrize("text", ["verbose", "20", " "])
def test_a_level_that_is_none_is_refused(text: str) -> None:
    """The error names the setting and the levels there are."""
    with pytest.raises(ValidationError, match="'DEBUG', 'INFO', 'WARNING' or 'ERROR'"):
        SharedSettings.model_validate({"log_level": text})


def test_everything_lies_in_the_data_folder() -> None:
    """The files that the programs share are found from one setting."""
    settings = SharedSettings(data_dir=Path("here"))
    paths = [settings.pipeline_path, settings.transform_path, settings.mart_path, settings.tokens_path]
    assert {path.parent for path in paths} == {Path("here")}
    assert len(set(paths)) == 4
