"""The settings of the simulator."""

import pytest
from pydantic import ValidationError

from simulator.rates import Limits
from simulator.settings import SimulatorSettings
from simulator.webhook_delivery import RetrySpacing


def test_every_setting_is_described_and_has_a_default() -> None:
    """So the program starts with nothing set, and the README can tell what each is for."""
    for name, field in SimulatorSettings.model_fields.items():
        assert field.description, name
        assert not field.is_required(), name


def test_limits_and_spacing_read_strava_s_notation() -> None:
    """Two numbers with a comma; anything else is an error."""
    assert (Limits.from_text("100,1000"), str(Limits(100, 1000))) == (Limits(quarter=100, day=1000), "100,1000")
    assert RetrySpacing.from_text("0.5,2") == RetrySpacing(0.5, 2)
    with pytest.raises(ValueError, match="abc"):
        Limits.from_text("abc,1")


def test_negative_years_are_refused() -> None:
    """A history cannot end before it begins."""
    with pytest.raises(ValidationError):
        SimulatorSettings(years=-1)


@pytest.mark.parametrize("text", ["WARNING", "warning"])
def test_a_log_level_is_read_in_any_case(text: str) -> None:
    """`warning` is as good as `WARNING`."""
    assert SimulatorSettings(log_level=text).log_level == text


def test_a_log_level_that_is_none_is_refused() -> None:
    """The error names the setting."""
    with pytest.raises(ValidationError, match="log_level"):
        SimulatorSettings(log_level="verbose")
