"""What the pages say of a load: its methods, and the formula with the athlete's values."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from dashboard.formatting import Teller
from dashboard.overview import load
from dashboard.training import audit

BERLIN = ZoneInfo("Europe/Berlin")
ENGLISH = Teller(now=datetime(2026, 4, 2, 12, tzinfo=BERLIN), zone=BERLIN)
GERMAN = Teller(now=ENGLISH.now, zone=BERLIN, language="de")
NEWEST = {
    "name": "Tempo", "activity_id": 1, "start_date_local": ENGLISH.now.date(),
    "moving_time_s": 3600, "average_heartrate_bpm": 148.4, "load": 64.3, "load_method": "heart_rate",
    "is_load_capped": False, "load_normalised_power_w": None, "load_trimp": None, "load_ftp_w": None,
    "load_resting_heartrate_bpm": 60.0, "load_max_heartrate_bpm": 190.0,
    "load_threshold_heartrate_bpm": 170.5, "load_threshold_speed_mps": None, "load_suffer_score_factor": None,
}  # fmt: skip


def test_the_share_of_each_method_is_told() -> None:
    """The one with the most comes first, as the query has it; a method that is new to us keeps its name."""
    rows = [
        {"load_method": "heart_rate", "load_share": 0.61},
        {"load_method": "power_estimated", "load_share": 0.385},
        {"load_method": "by_moon", "load_share": 0.005},
    ]
    wanted = "Load: 61\u202f% heart rate, 38\u202f% estimated power, < 1\u202f% by_moon"
    assert load.coverage(rows, ENGLISH) == wanted
    assert load.coverage(rows[:1], GERMAN) == "Belastung: 61\u202f% Herzfrequenz"


def test_the_newest_load_is_explained_by_this_athletes_values() -> None:
    """Activities without a load are passed over; what the cap took is said."""
    why = load.why([{**NEWEST, "load": None}, NEWEST], ENGLISH)
    assert why is not None
    told = (
        "The newest: 64 in 1\\:00\\:00 by heart rate: 100 · training impulse ÷ that of an hour at threshold; at rest "
        "60.0 bpm, threshold 170.5 bpm, maximum 190.0 bpm, average 148 bpm."
    )
    assert why.inputs == [told]
    assert why.activities == [NEWEST]
    assert why.excluded == ()
    capped = load.why([{**NEWEST, "is_load_capped": True}], ENGLISH)
    assert capped is not None
    assert len(capped.excluded) == 1
    assert load.why([{**NEWEST, "load": None}], ENGLISH) is None


@pytest.mark.parametrize("method", load.METHODS)
def test_every_method_has_a_formula_whose_values_it_has(method: str) -> None:
    """Nothing stays in braces."""
    values = {name: 1.0 for name in NEWEST if name.startswith("load_")}
    why = load.why([{**NEWEST, **values, "load_method": method}], GERMAN)
    assert why is not None
    assert load.FORMULAS[method]
    assert "{" not in why.inputs[0]


def test_an_activity_without_a_method_of_its_order_has_no_load() -> None:
    """What the order leaves out is told beside, and is not the activity's load."""
    key = {"activity_id": 1, "name": "Lap", "sport_type": "Ride", "sport_group": "ride"}
    row = {**key, "start_date_local": date(2026, 5, 4), "load_method": "time", "load": 50.0, "is_chosen": False}
    told = audit.audit_table([[row]], ENGLISH)
    assert "other methods: time alone" in told
    assert "<b>" not in told
