"""The charts' specifications: colours by name, units on axes."""

import json
from typing import Any

from dashboard import charts
from dashboard.measures import MEASURES, SHARES
from dashboard.periods import Period
from dashboard.sports import GROUPS


def bar(sport: str, rank: int) -> dict[str, Any]:
    """Build one bar segment."""
    start = {"start": "2026-11-16", "period": "Week of Mon 16 Nov 2026"}
    return start | {"sport": sport, "rank": rank, "value": 1.0, "shown": "1.0 km"}


def colours(encoding: dict[str, Any]) -> dict[str, str]:
    """Read which colour a chart gives each name."""
    scale = encoding["color"]["scale"]
    return dict(zip(scale["domain"], scale["range"], strict=True))


def test_a_sport_has_the_same_colour_on_every_chart() -> None:
    """Colours go by name, so a sport that is missing does not shift the others."""
    two = charts.by_period([bar("Swim", 2), bar("Run", 0)], MEASURES["Distance"], Period.WEEK).to_dict()
    one = charts.by_period([bar("Swim", 2)], MEASURES["Time"], Period.YEAR).to_dict()
    part = {"sport": "Swim", "group": "Swim", "share": 1.0, "percent": "100%", "shown": "1 h 00 min"}
    mixed = charts.mix([part], SHARES["Time"]).to_dict()["layer"][0]
    assert colours(two["encoding"]) == {"Run": GROUPS["run"].colour, "Swim": GROUPS["swim"].colour}
    assert colours(one["encoding"]) == colours(mixed["encoding"]) == {"Swim": GROUPS["swim"].colour}


def test_axes_name_their_units() -> None:
    """Kilometres, hours and metres are written on the axis; a count needs no unit."""
    titles = [
        charts.by_period([bar("Run", 0)], measure, Period.MONTH).to_dict()["encoding"]["y"]["title"]
        for measure in MEASURES.values()
    ]
    assert titles == ["Distance (km)", "Time (h)", "Elevation (m)", "Activities"]


def test_charts_carry_their_data_and_ask_nobody_for_more() -> None:
    """No address of any tile, font or data set is in a chart, but that of its format."""
    chart = charts.by_period([bar("Run", 0)], MEASURES["Distance"], Period.WEEK).to_dict()
    chart.pop("$schema")
    assert "http" not in json.dumps(chart)
