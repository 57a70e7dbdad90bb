"""The Activity page: the numbers are the mart's, and what cannot be shown is said."""

import json
from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.activity import course_chart, recorded
from dashboard.context import PageContext
from dashboard.formatting import MINUS, NARROW, Teller
from tests.dashboard.conftest import ATHLETE
from tests.dashboard.test_pages import drawn, html, said, taken_for_emojis, visit

pytestmark = pytest.mark.slow

HOME = 5_252_000, 1_340_000  # 1e-5 degrees
RUN = {
    "is_assisted": False, "is_virtual": False, "is_race": False, "is_manual": False, "is_trainer": False,
    "is_private": False, "source": "api",
}  # fmt: skip


def activity(context: PageContext, **told: str) -> AppTest:
    """Open the page by an address."""
    return visit(context, "activity", **told)


@pytest.fixture
def run(mart_file: Any) -> Any:
    """Three runs, the last two on one route, and a ride; published."""
    more = {"average_heartrate_bpm": 151.6, "max_heartrate_bpm": 171.0, "average_cadence_rpm": 84.5, "load": 61.4,
            "load_method": "time", "gear_name": "<b>Blue</b>", "calories_kcal": 640.0}  # fmt: skip
    for number, day, minutes in ((1, "2026-11-01", 60), (2, "2026-11-08", 50), (3, "2026-11-15", 55)):
        mart_file.activity(day, "Run", 11.42, minutes, 46, activity_id=number, name=f"Run <{number}>", **RUN, **more)
        path = {"path_latitudes": [HOME[0] + step * 1_000 for step in range(11)], "path_longitudes": [HOME[1]] * 11}
        mart_file.row("route", activity_id=number, athlete_id=ATHLETE, is_virtual=False, **path)
        mart_file.row("route_group", activity_id=number, athlete_id=ATHLETE, route_group_id=1, is_private=False)
        mart_file.row("tile_visit", activity_id=number, athlete_id=ATHLETE, z=14, x=number // 2, y=1,
                      start_date_local=date.fromisoformat(day))  # fmt: skip
        mart_file.row("tile_visit", activity_id=number, athlete_id=ATHLETE, z=17, x=number, y=1,
                      start_date_local=date.fromisoformat(day))  # fmt: skip
        mart_file.row("record_best_effort", activity_id=number, athlete_id=ATHLETE, effort_name="5K",
                      distance_m=5000.0, sport_group="run",
                      elapsed_time_s=minutes * 25, pace_s_per_km=minutes * 5.0)  # fmt: skip
    for index, seconds in ((1, 600), (2, 500)):
        mart_file.row("lap", activity_id=3, athlete_id=ATHLETE, lap_index=index, distance_m=2000.0,
                      moving_time_s=seconds, elapsed_time_s=seconds + 9)  # fmt: skip
    for priority, method, load, is_chosen in ((2, "heart_rate", 61.4, True), (7, "time", 45.8, False)):
        mart_file.row("load_alternatives", activity_id=3, athlete_id=ATHLETE, load_method=method, load=load,
                      is_chosen=is_chosen, priority=priority)  # fmt: skip
    mart_file.activity("2026-11-16", "Ride", 30, 60, activity_id=4, name="Private ride", **RUN | {"is_private": True})
    mart_file.health()
    mart_file.publish()
    return mart_file


def test_the_numbers_of_an_activity_are_the_marts(run: Any, context_of: Any) -> None:
    """Header, facts, laps, efforts with rank, the same route, new tiles and loads; names are text."""
    app = activity(context_of(run), id="3")
    told = html(app)
    assert "Run &lt;3&gt;" in told
    assert "&lt;b&gt;Blue&lt;/b&gt;" in told
    assert 'href="https://www.strava.com/activities/3"' in told
    for title, shown in (
        ("Distance", "11.42 <small>km</small>"), ("Moving time", "55:00"), ("Pace", "4:49 <small>/km</small>"),
        ("Heart rate", "152 <small>bpm</small>"), ("Cadence", "169 <small>spm</small>"),
        ("Elevation", "46 <small>m</small>"),
    ):  # fmt: skip
        assert f"<dt>{title}</dt><dd>{shown}</dd>" in told
    assert "5:00 <small>/km</small>" in told, "the pace of the first lap"
    assert "2 of 3" in told, "the rank of its 5 km"
    assert "**2 of 3** on this route" in said(app)
    assert "New explorer tiles: 0 of 1; of the small ones 1 of 1." in said(app)
    assert taken_for_emojis(app) == []
    assert told.index("heart rate</td>") < told.index("time alone</td>")
    assert "activity?id=2" in told


def test_imperial_and_german(run: Any, context_of: Any) -> None:
    """Miles, and the words of the other language."""
    told = html(activity(context_of(run), id="3", lang="de", units="imperial"))
    assert "<dt>Distanz</dt><dd>7,10 <small>mi</small></dd>" in told
    assert "Auf Strava ansehen" in told


def test_previous_and_next_stay_within_the_sport(run: Any, context_of: Any) -> None:
    """The newest has no next; a click leads on without losing the filters."""
    app = activity(context_of(run), id="3", sport="run", range="90d")
    assert app.button(key="activity-next").disabled
    app.button(key="activity-previous").click()
    app = drawn(app)
    assert "Run &lt;2&gt;" in html(app)
    assert app.query_params == {"id": "2", "sport": "run", "range": "90d"}


def test_without_an_id_the_newest_of_the_sport_is_shown(run: Any, context_of: Any) -> None:
    """Of all sports it is the ride; where others look it is what they may see."""
    assert "Private ride" in html(activity(context_of(run)))
    assert "Run &lt;3&gt;" in html(activity(context_of(run), sport="run"))
    assert "Run &lt;3&gt;" in html(activity(context_of(run), shared="1"))


@pytest.mark.parametrize("word", ["77", "0x1", "99999999999999999999", "-1", "<b>"])
def test_an_activity_that_is_not_there_is_said_so(run: Any, context_of: Any, word: str) -> None:
    """Another athlete's, or none at all: nothing of it is drawn, and the newest is offered."""
    run.activity("2026-11-17", "Run", 5, 25, activity_id=77, athlete_id=7002, name="Foreign", **RUN)
    run.publish()
    app = activity(context_of(run), id=word)
    assert "There is no activity" in said(app)
    assert "Foreign" not in html(app)
    assert "<b>" not in said(app)
    app.button(key="activity-newest").click()
    assert "Private ride" in html(drawn(app))


def test_a_shared_view_hides_private_activities_and_home(run: Any, context_of: Any) -> None:
    """A private one is not named; a route loses its ends, and its rows are not offered."""
    app = activity(context_of(run), id="4", shared="1")
    assert "This activity is private." in said(app)
    assert "Private ride" not in html(app) + said(app)
    assert "200 m around both ends" in said(activity(context_of(run), id="3", shared="1"))
    viewed = activity(replace(context_of(run), privacy_radius_m=50_000.0), id="3")
    assert "All of this route is near its ends and hidden." in said(viewed)
    assert not any("path_latitudes" in element.value for element in viewed.code)
    assert any("path_latitudes" in element.value for element in activity(context_of(run), id="3").code)


def test_an_activity_without_anything_says_what_is_missing(mart_file: Any, context_of: Any) -> None:
    """Typed in by hand: no route, laps, efforts or load."""
    mart_file.activity("2026-11-17", "WeightTraining", 0, 30, activity_id=1, **RUN | {"is_manual": True})
    mart_file.health()
    mart_file.publish()
    text = said(activity(context_of(mart_file), id="1"))
    for sentence in (
        "No route and no curves:",
        "No laps:",
        "No splits: an activity typed in by hand has none.",
        "This activity has no route.",
        "Nothing tells how hard it was",
    ):
        assert sentence in text
    assert "This route" not in text


def test_a_route_used_once_was_not_used_before(run: Any, context_of: Any) -> None:
    """Also while its group is not built."""
    path = {"path_latitudes": [HOME[0]] * 2, "path_longitudes": [HOME[1], HOME[1] + 1_000]}
    run.row("route", activity_id=4, athlete_id=ATHLETE, is_virtual=False, **path)
    run.publish()
    assert "This route was not used before." in said(activity(context_of(run), id="4"))


def test_links_to_an_activity_keep_what_the_address_says(run: Any, context_of: Any) -> None:
    """Sport, days, language and units go with it, so that the way back is to the same numbers."""
    app = visit(context_of(run), "overview", sport="run", range="all", units="imperial")
    assert 'href="activity?id=2&amp;sport=run&amp;range=all&amp;units=imperial"' in html(app)


COURSE = {
    "activity_id": 3, "athlete_id": ATHLETE, "point_count": 700, "seconds": [0.0, 60.0, 120.0, 180.0],
    "distances_m": [0.0, 200.0, 200.0, 500.0], "speeds_mps": [4.0, 3.2, 0.1, 5.0],
    "altitudes_m": [34.0, 36.0, 36.0, 40.0],
    "heartrates_bpm": [120.0, float("nan"), 150.0, 160.0], "latitudes": [52.52, 52.53, 52.54, 52.55],
    "longitudes": [13.4, 13.4, 13.4, 13.4], "powers_w": [], "cadences_per_minute": [], "grades_percent": [],
}  # fmt: skip


def test_the_power_curve_is_drawn_against_the_best(run: Any, context_of: Any) -> None:
    """In words and as shares, of the durations that it has; an e-bike's and estimated power have none."""
    for number, measured in ((5, {"is_power_measured": True}), (6, {"is_power_measured": False})):
        run.activity("2026-11-17", "Ride", 30, 60, activity_id=number, **RUN | measured)
    run.activity(
        "2026-11-17", "EBikeRide", 30, 60, activity_id=7, **RUN | {"is_power_measured": True, "is_assisted": True}
    )
    key = {"athlete_id": ATHLETE, "sport_group": "ride", "start_date_local": date(2026, 11, 17)}
    for number in (5, 6, 7):
        for duration, watts in ((1, 800.0), (5, 750.0), (1200, 241.0)):
            told = {"duration_s": duration, "power_w": watts, "weight_kg": 80.0}
            run.row("power_curve_activity", activity_id=number, **key, **told)
    for period, watts in (("all", 259.0), ("2026", 250.0), ("2025", 259.0), ("last_90_days", 245.0)):
        for duration in (5, 1200, 3600):
            told = {"duration_s": duration, "power_w": watts * (4 if duration == 5 else 1), "w_per_kg": watts / 80}
            run.row("power_curve", activity_id=4, period=period, **key, **told)
    run.publish()
    app = activity(context_of(run), id="5")
    assert "Of the best of all time: 5 s 750 W (72 %), 20 min 241 W (93 %)." in said(app)
    assert "Private ride</a>, 16 Nov 2026" in html(app), "whose the best is"
    assert "for 20 min 241.0 W ÷ 259.0 W = 93 %." in said(app)
    _, rows = drawn_chart(app)
    points = [(row["title"], row["duration"], row["series"]) for row in rows["rows"]]
    best = [(title, duration, series) for title, series in (("All time", "neutral"), ("2026", "last"),
            ("Last 90 days", "accent")) for duration in (5, 1200)]  # fmt: skip
    assert points == [*best, *(("This activity", duration, "ride") for duration in (1, 5, 1200))]
    assert rows["rows"][-1]["shown"] == "241 W (3.01 W/kg)"
    assert "Vom Besten aller Zeiten: 5 s 750 W (72 %)" in said(activity(context_of(run), id="5", lang="de"))
    for other in "67":
        assert "Power curve" not in html(activity(context_of(run), id=other))


def drawn_chart(app: AppTest) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return the specification of the chart of the route, and its rows by their name."""
    [proto] = [element.proto for element in app.get("vega_lite_chart")]
    rows = {each.name: pa.ipc.open_stream(each.data.data).read_all().to_pylist() for each in proto.datasets}
    return json.loads(proto.spec), rows


def test_the_curves_are_drawn_beside_the_route(run: Any, context_of: Any) -> None:
    """Each point has its values as they are told; standing has no pace, and what was not recorded is no number."""
    run.row("activity_course", **COURSE)
    run.publish()
    app = activity(context_of(run), id="3")
    chart, rows = drawn_chart(app)
    points = rows["points"]
    assert [point["speed"] for point in points] == [250.0, 312.5, None, 200.0]
    assert [point["heartrate"] for point in points] == [120.0, None, 150.0, 160.0]
    assert points[1]["speed_shown"] == "5:12\u202f/km"
    assert points[2]["speed_shown"] == points[1]["heartrate_shown"] == "\N{EN DASH}"
    assert len(rows["rows"]) == 3
    assert {row["level"] for row in rows["rows"]} <= {5 + step / 10 for step in range(51)}
    assert len(chart["vconcat"]) == 4, "route, pace, heart rate, height"
    named = {layer.get("name") for row in chart["vconcat"] for layer in row["layer"]}
    assert len(chart["params"][0]["views"]) == 3
    assert set(chart["params"][0]["views"]) <= named, "a browser draws nothing where a view is missing"
    assert "4 of the 700 points" in said(app)
    app.segmented_control(key="colour").set_value("heartrate")
    assert drawn(app).query_params["colour"] == "heartrate"
    assert "is a higher heart rate: 123 bpm to 159 bpm" in said(app)


def test_a_route_without_recorded_gradients_is_coloured_by_its_heights(run: Any, context_of: Any) -> None:
    """As of an import: by the slope over 100 m to either side, as far as there is any; recorded ones come first."""
    climb = {
        "seconds": [float(30 * n) for n in range(6)], "distances_m": [0.0, 50.0, 100.0, 200.0, 300.0, 300.0],
        "altitudes_m": [10.0, 10.0, 10.0, 20.0, float("nan"), 30.0], "latitudes": [52.52 + n / 1000 for n in range(6)],
        "longitudes": [13.4] * 6, "speeds_mps": [3.0] * 6, "heartrates_bpm": [],
    }  # fmt: skip
    run.row("activity_course", **COURSE | climb)
    run.row("activity_course", **COURSE | climb | {"activity_id": 2, "grades_percent": [float(n) for n in range(6)]})
    run.publish()
    app = drawn(activity(context_of(run), id="3", colour="grade"))
    assert "is steeper up: 0.8 % to 10.0 %" in said(app).replace(NARROW, " ")
    assert "it is the slope of the heights over 200 m" in said(app)
    # 0, 5/150, 10/200, 20/200, 10/100 and 10/100
    levels = [row["level"] for row in drawn_chart(app)[1]["rows"]]
    low, high = np.percentile([0, 10 / 3, 5, 10, 10, 10], (5, 95))
    slopes = np.clip((np.array([0, 10 / 3, 5, 10, 10]) - low) / (high - low), 0, 1)
    assert levels == pytest.approx(5 + 5 * slopes, abs=0.051)
    told = said(activity(context_of(run), id="2", colour="grade"))
    assert "steeper up: 0.2" in told
    assert "slope of the heights" not in told


def test_a_chart_of_one_kind_is_written_once(run: Any, context_of: Any) -> None:
    """Another run's chart differs in its numbers alone, and drawing it changes nothing of what is kept."""
    run.row("activity_course", **COURSE)
    run.row("activity_course", **COURSE | {"activity_id": 2, "heartrates_bpm": [100.0, 110.0, 120.0, 130.0]})
    run.publish()
    written = course_chart._written.cache_info().misses
    [first, _], [other, _], [again, _] = (drawn_chart(activity(context_of(run), id=number)) for number in "323")
    assert course_chart._written.cache_info().misses - written <= 1
    assert first == again
    numbers = [{each["name"]: each.pop("value") for each in chart["params"][1:]} for chart in (first, other)]
    assert numbers[0]["heartrate_low"] == pytest.approx(120 - 0.08 * 40)
    assert numbers[1]["heartrate_high"] == pytest.approx(130 + 0.08 * 30)
    assert (numbers[0]["begins"], numbers[0]["ends"]) == (0, 0.5)
    assert first == other


def test_an_even_pace_is_a_line_within_its_axis(run: Any, context_of: Any) -> None:
    """What has no extent has an axis with one, whose labels differ."""
    run.row("activity_course", **COURSE | {"speeds_mps": [1000 / 333] * 4, "heartrates_bpm": [120.0] * 4})
    run.publish()
    chart, rows = drawn_chart(activity(context_of(run), id="3"))
    numbers = {each["name"]: each["value"] for each in chart["params"][1:]}
    assert {point["speed"] for point in rows["points"]} == {333.0}
    assert (numbers["speed_low"], numbers["speed_high"]) == pytest.approx((328, 338))
    assert (numbers["heartrate_low"], numbers["heartrate_high"]) == (119, 121)


def test_what_does_not_move_has_no_chart_of_speed(run: Any, context_of: Any) -> None:
    """Nor is a route or a table told its speed."""
    still = {"speeds_mps": [0.0] * 4, "distances_m": [0.0] * 4, "latitudes": None, "longitudes": None}
    run.row("activity_course", **COURSE | still)
    run.publish()
    chart, rows = drawn_chart(activity(context_of(run), id="3"))
    assert [row["title"]["text"] for row in chart["vconcat"]] == ["Heart rate", "Height"]
    assert "speed" not in rows["points"][0]


def test_a_point_is_pointed_at_from_its_neighbours_middles(run: Any, context_of: Any) -> None:
    """Columns touch each other, one of a point that stands still has no width, and there is none without a distance."""
    run.row("activity_course", **COURSE | {"distances_m": [0.0, 200.0, 200.0, float("nan")]})
    run.publish()
    points = drawn_chart(activity(context_of(run), id="3"))[1]["points"]
    columns = [(point["from"], point["until"]) for point in points]
    assert columns == [(0.0, 0.1), (0.1, 0.2), (0.2, 0.2), (None, None)]


def test_the_line_below_the_route_has_the_pieces_of_the_route(run: Any, context_of: Any) -> None:
    """Where home is hidden in the middle of the way, too, no corner joins what is left on both sides."""
    there_and_back = [52.52, 52.56, 52.60, 52.52, 52.61, 52.57, 52.52]
    lists = {name: [1.0] * 7 for name in ("speeds_mps", "altitudes_m", "heartrates_bpm")}
    run.row("activity_course", **COURSE | lists | {
        "seconds": [60.0 * n for n in range(7)], "distances_m": [4_000.0 * n for n in range(7)],
        "latitudes": there_and_back, "longitudes": [13.4] * 7,
    })  # fmt: skip
    run.publish()
    rows = drawn_chart(activity(context_of(run), id="3", shared="1"))[1]
    steps = [((step["x"], step["y"]), (step["x2"], step["y2"])) for step in rows["rows"]]
    drawn_steps = []
    for before, after in pairwise(sorted(rows["line"], key=lambda corner: corner["i"])):
        if before["part"] == after["part"]:
            drawn_steps.append(((before["x"], before["y"]), (after["x"], after["y"])))
    assert drawn_steps == steps
    assert {corner["part"] for corner in rows["line"]} == {0, 1}


def test_what_the_points_tell_is_the_marts(run: Any, context_of: Any) -> None:
    """Splits with the pace on the flat, the shares of each zone, halves and decoupling; the last split is shorter."""
    for index, metres, seconds, flat in ((1, 1000.0, 300.0, 3.6), (2, 420.0, 120.0, None)):
        run.row("split", activity_id=3, athlete_id=ATHLETE, unit_system="metric", split_index=index, distance_m=metres,
                elapsed_time_s=seconds + 9, moving_time_s=seconds, elevation_difference_m=-12.4,
                grade_adjusted_speed_mps=flat, average_heartrate_bpm=151.6, source="streams")  # fmt: skip
    for zone, low, high, seconds in ((1, 0.0, 133.0, 600), (2, 133.0, None, 1800)):
        run.row("time_in_zone", activity_id=3, athlete_id=ATHLETE, kind="heart_rate", zone=zone, seconds=seconds,
                lower_bound=low, upper_bound=high, bounds_source="strava")  # fmt: skip
    run.row("stream_summary", activity_id=3, athlete_id=ATHLETE, recorded_s=3300, moving_s=3200, heartrate_s=3200,
            heartrate_suspect_s=0, trimp=98.6, cadence_per_min=169.4, grade_adjusted_speed_mps=3.5, first_half_s=1700.0,
            second_half_s=1600.0, split_change_pct=-5.882, decoupling_pct=3.14)  # fmt: skip
    run.publish()
    told = html(activity(context_of(run), id="3")).replace("\u202f", " ")
    for shown in (
        '<td class="">1</td>', "5:00 <small>/km</small>", "4:38 <small>/km</small>", '<td class="">0.42</td>',
        "4:46 <small>/km</small>", f"{MINUS}12 <small>m</small>", "75 %", "133 <small>bpm</small>", "28:20",
        f"26:40 <small>{MINUS}5.9 % negative split</small>", "+3.1 %", "169 <small>spm</small>", ">99</td>",
    ):  # fmt: skip
        assert shown in told, shown
    german = html(activity(context_of(run), id="3", lang="de", units="imperial"))
    assert "zweite Hälfte schneller" in german
    assert "Abschnitte" not in said(activity(context_of(run), id="2"))


def test_equal_halves_are_an_even_split(tell: Teller) -> None:
    """What rounds to nothing is neither negative nor positive."""
    halves = {"first_half_s": 1700.0, "second_half_s": 1700.4, "split_change_pct": 0.02}
    row: defaultdict[str, Any] = defaultdict(lambda: None, halves.items())
    told = dict(recorded.facts(row, "run", tell))
    assert told["Second half"] == "28:20 <small>even split</small>"


def test_points_without_a_time_or_a_distance_are_drawn_as_far_as_they_are_known(run: Any, context_of: Any) -> None:
    """A recording may lack either at any point, at its last one too."""
    nan = float("nan")
    gaps = {"seconds": [0.0, nan, 120.0, 180.0], "distances_m": [0.0, 400.0, 1200.0, nan]}
    run.row("activity_course", **COURSE | gaps)
    run.publish()
    _, rows = drawn_chart(activity(context_of(run), id="3"))
    none = "\N{EN DASH}"
    assert [point["time"] for point in rows["points"]] == ["0:00", none, "2:00", "3:00"]
    assert [point["distance"] for point in rows["points"]][2:] == ["1.20\u202fkm", none]
    assert "1 km" in {row["text"].replace("\u202f", " ") for row in rows["marks"]}


def test_a_course_near_home_keeps_its_curves_and_hides_where_it_was(run: Any, context_of: Any) -> None:
    """No point tells a place; how fast and how high it was says nothing of where."""
    run.row("activity_course", **COURSE)
    run.publish()
    app = activity(replace(context_of(run), privacy_radius_m=1500.0), id="3")
    chart, rows = drawn_chart(app)
    assert not rows.get("rows")
    assert not any("x" in point for point in rows["points"])
    assert (len(rows["points"]), len(chart["vconcat"])) == (4, 3)
    assert not any("latitudes" in element.value for element in app.code)


def test_an_activity_without_curves_says_what_brings_them(run: Any, context_of: Any) -> None:
    """A setting for new ones, a command for the history, another for the athlete's own files."""
    text = said(activity(context_of(run), id="3"))
    assert all(words in text for words in ("`STREAMS=all`", "`athlete backfill --streams`", "`athlete import`"))


def test_what_happened_is_told_in_its_order(run: Any, context_of: Any) -> None:
    """The event, what it changed, and how long it took; a deleted activity says when, and nothing else."""
    at = datetime(2026, 11, 15, 12)  # noqa: DTZ001 - the mart keeps UTC
    base = {"athlete_id": ATHLETE, "is_renamed": False}
    run.row(
        "activity_event", **base, activity_id=3, event_kind="create", event_id="a", happened_at=at, outcome="stored"
    )
    changed = base | {"is_renamed": True, "new_sport_type": "TrailRun", "is_made_private": False}
    run.row("activity_event", **changed, activity_id=3, event_kind="update", event_id="b",
            happened_at=at + timedelta(hours=1), outcome="stored")  # fmt: skip
    run.row("event_latency", athlete_id=ATHLETE, event_id="a", save_to_raw_s=1.1, save_to_chart_s=2.2, is_on_chart=True)
    run.row("activity_event", **base, activity_id=55, event_kind="removed", happened_at=at)
    run.publish()
    told = html(activity(context_of(run), id="3"))
    first = "15 Nov 2026, 13:00:00 CET saved on Strava<small>stored · stored 1.1 s after the save · in the charts"
    second = "14:00:00 CET changed on Strava<small>stored · renamed · sport changed to Trail Run · no longer private"
    assert 0 < told.index(first) < told.index(second)
    edit = {"athlete_id": ATHLETE, "activity_id": 3, "change_kind": "changed", "changed_at": at + timedelta(hours=2)}
    name = {"changed_field": "name", "old_value": "<b>Jog</b>", "new_value": "Race", "source": "webhook"}
    run.row("change_log", **edit, **name, change_id="n", event_id="b")
    gear = {"changed_field": "trainer", "old_value": "true", "new_value": "false", "source": "reconcile"}
    run.row("change_log", **edit, **gear, change_id="t")
    brought = edit | {"change_kind": "imported", "source": "import", "changed_at": at + timedelta(hours=3)}
    run.row("change_log", **brought, change_id="i1/3", import_id="i1")
    run.publish()
    told = html(activity(context_of(run), id="3"))
    assert "14:00:00 CET changed on Strava<small>stored · title: &lt;b&gt;Jog&lt;/b&gt; → Race</small>" in told
    assert "15:00:00 CET found by the daily check<small>indoors: yes → no</small>" in told
    imported = '<a href="pipeline?import=i1">imported from your own files</a>'
    assert f"16:00:00 CET changed<small>{imported}</small>" in told
    assert "was deleted on Strava on 15 Nov 2026" in said(activity(context_of(run), id="55"))
