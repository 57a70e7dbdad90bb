"""The pretend Strava's settings: a wrong one is refused by name, before anything starts."""

import pytest
from pydantic import ValidationError

from simulator.settings import SimulatorSettings


@pytest.mark.parametrize("text", ["WARNING", "warning"])
def test_a_level_is_read_in_any_case(text: str) -> None:
    """`warning` is as good as `WARNING`."""
    assert SimulatorSettings(log_level=text).log_level == text


def test_a_level_that_is_none_is_refused() -> None:
    """The error names the setting."""
    with pytest.raises(ValidationError, match="log_level"):
        SimulatorSettings(log_level="verbose")
