"""How a form is called, and by which definition it is shown."""

import math

import pytest

from dashboard.form import FITNESS_DAYS, Definition, band, limits
from dashboard.formatting import MINUS, Teller


@pytest.mark.parametrize(
    ("value", "word", "between"),
    [
        (25, "very fresh", "from +25 on"), (10, "fresh", "+10 to +25"), (0, "neutral", f"{MINUS}10 to +10"),
        (-10, "neutral", f"{MINUS}10 to +10"), (-10.1, "building", f"{MINUS}30 to {MINUS}10"),
        (-30.1, "overreaching", f"below {MINUS}30"),
    ],
)  # fmt: skip
def test_a_form_has_a_word(tell: Teller, value: float, word: str, between: str) -> None:
    """Each band begins with its lower end."""
    assert (band(value), limits(value, tell)) == (word, between)


def test_a_definition_chooses_columns() -> None:
    """Both curves have the exponential ones as their own."""
    for curve, prefix in {"exp": "", "linear": "linear_", "both": ""}.items():
        columns = [Definition(curve, moment).form for moment in ("before", "after")]
        assert columns == [f"{prefix}form", f"{prefix}form_after"]
    assert Definition("linear").share(FITNESS_DAYS) == 1 / 42
    assert Definition("both").share(FITNESS_DAYS) == 1 - math.exp(-1 / 42)
