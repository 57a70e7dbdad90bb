"""The Map page: what it shows of routes and tiles, and what it hides where others look on."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.context import PageContext
from dashboard.formatting import NARROW
from tests.dashboard.conftest import ATHLETE
from tests.dashboard.test_pages import drawn, html, said, visit

pytestmark = pytest.mark.slow

HOME = 5_252_000, 1_340_000  # 1e-5 degrees


def the_map(context: PageContext, **told: str) -> AppTest:
    """Open the page by an address."""
    return visit(context, "map", **told)


def route(mart_file: Any, activity_id: int, day: str, **fields: Any) -> None:
    """Add an activity and its route: about 11 km to the north of home."""
    mart_file.activity(day, "Run", km=11, minutes=55, activity_id=activity_id, name=f"Run {activity_id}")
    row = {
        "activity_id": activity_id, "athlete_id": ATHLETE, "sport_group": "run",
        "start_date_local": date.fromisoformat(day),
        "path_latitudes": [HOME[0] + step * 1_000 for step in range(11)], "path_longitudes": [HOME[1]] * 11,
        "is_virtual": False, "is_private": False,
    }  # fmt: skip
    mart_file.row("route", **row | fields)


@pytest.fixture
def mapped(mart_file: Any) -> Any:
    """Two routes, and one tile of each size; published."""
    route(mart_file, 1, "2026-11-10")
    route(mart_file, 2, "2026-11-12")
    for zoom, x, y in ((14, 8801, 5372), (17, 70408, 42976)):
        where = {"z": zoom, "x": x, "y": y, "is_precise": True, "is_private": False, "sport_group": "run"}
        mart_file.row("tile_visit", athlete_id=ATHLETE, activity_id=1, start_date_local=date(2026, 11, 10), **where)
    mart_file.health()
    mart_file.publish()
    return mart_file


@pytest.mark.parametrize(("radius", "is_offered"), [(None, True), (0.0, True), (300.0, False)])
def test_small_tiles_are_not_offered_where_home_is_hidden(
    mapped: Any, context_of: Any, radius: float | None, is_offered: bool
) -> None:
    """A radius hides home from these tiles too, and a link to them leads to the large ones."""
    app = the_map(replace(context_of(mapped), privacy_radius_m=radius), view="tiles", zoom="17")
    assert ("zoom" in [box.key for box in app.selectbox]) is is_offered
    asked = [caption.value for caption in app.caption if "Parameters" in caption.value]
    assert any(f"`{ATHLETE}`, `{17 if is_offered else 14}`" in text for text in asked)


@pytest.mark.parametrize("view", ["density", "tiles"])
def test_a_map_without_routes_says_how_many_are_private(mart_file: Any, context_of: Any, view: str) -> None:
    """Where others look on and all is private, the emptiness is explained."""
    route(mart_file, 1, "2026-11-10", is_private=True)
    route(mart_file, 2, "2026-11-12", is_private=True)
    mart_file.health()
    mart_file.publish()
    app = the_map(context_of(mart_file), view=view)
    app.toggle[0].set_value(True)
    assert "2 private activities are not on this map." in said(drawn(app))


def on_each_picture(mart_file: Any, number: int, day: str, **told: Any) -> None:
    """Add an activity with a route, a tile of its own, and the route that all of them are on."""
    route(mart_file, number, day, **told)
    own = {"athlete_id": ATHLETE, "activity_id": number, "is_private": False, "sport_group": "run"} | told
    own["start_date_local"] = date.fromisoformat(day)
    mart_file.row("tile_visit", **own, z=14, x=8800 + number, y=5372, is_precise=True)
    mart_file.row("route_group", **own, route_group_id=1)


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        ("density", "1 routes around"),
        ("tiles", "1 different tiles"),
        ("routes", "No route was used twice in this filter."),
    ],
)
def test_the_map_obeys_the_filter(mart_file: Any, context_of: Any, view: str, sentence: str) -> None:
    """Of the runs of twelve months there is one; the ride and the older run are left out."""
    for number, (group, day) in enumerate([("run", "2026-11-12"), ("ride", "2026-11-12"), ("run", "2025-11-18")], 1):
        on_each_picture(mart_file, number, day, sport_group=group)
    mart_file.health()
    mart_file.publish()
    app = the_map(context_of(mart_file), view=view, sport="run")
    pictures = [picture.alt for element in app.get("image") for picture in element.proto.imgs]
    assert sentence in said(app) + "".join(pictures)


@pytest.mark.parametrize(
    ("view", "whole", "shared"),
    [
        ("density", "2 routes around", "1 routes around"),
        ("interactive", "The newest 2 of 2 routes in this area.", "The newest 1 of 1 routes in this area."),
        ("tiles", "2 different tiles", "1 different tiles"),
        ("routes", "1 routes were used more than once.", "No route was used twice in this filter."),
    ],
)
def test_a_private_activity_is_on_no_shared_map(
    mart_file: Any, context_of: Any, view: str, whole: str, shared: str
) -> None:
    """Neither its route, nor its tiles, nor the route that it shares with another, nor itself among the reasons."""
    for number, is_private in ((1, False), (2, True)):
        on_each_picture(mart_file, number, "2026-11-12", is_private=is_private)
    mart_file.health()
    mart_file.publish()
    app = the_map(context_of(mart_file), view=view)
    for is_shared, sentence in ((False, whole), (True, shared)):
        app.toggle[0].set_value(is_shared)
        pictures = [picture.alt for element in drawn(app).get("image") for picture in element.proto.imgs]
        assert sentence in said(app) + "".join(pictures)
        assert ("activity?id=2" in said(app) + html(app)) is not is_shared


@pytest.mark.parametrize(
    ("view", "sentence"), [("density", "1 routes around"), ("interactive", "1 of them is near its ends and hidden")]
)
def test_a_route_that_is_cut_away_is_not_counted(mart_file: Any, context_of: Any, view: str, sentence: str) -> None:
    """Of two routes one stays within the radius around its ends; the other is shown in two parts and counted once."""
    past_the_door = [HOME[0] + step * 1_000 for step in (0, 1, 2, 3, 2, 1, 0, -1, -2, -3)]
    route(mart_file, 1, "2026-11-10", path_latitudes=past_the_door, path_longitudes=[HOME[1]] * 10)
    route(mart_file, 2, "2026-11-12", path_latitudes=[HOME[0], HOME[0] + 50], path_longitudes=[HOME[1]] * 2)
    mart_file.health()
    mart_file.publish()
    app = the_map(replace(context_of(mart_file), privacy_radius_m=200.0), view=view)
    pictures = [picture.alt for element in app.get("image") for picture in element.proto.imgs]
    assert sentence in said(app) + "".join(pictures)


def test_the_numbers_behind_the_picture_are_those_of_its_routes(mapped: Any, context_of: Any) -> None:
    """By year, the newest first; a route that is shown in two parts counts once."""
    past_the_door = [HOME[0] + step * 1_000 for step in (0, 1, 2, 3, 2, 1, 0, -1, -2, -3)]
    route(mapped, 3, "2025-11-30", path_latitudes=past_the_door, path_longitudes=[HOME[1]] * 10)
    mapped.publish()
    app = the_map(replace(context_of(mapped), privacy_radius_m=200.0), view="density", range="all")
    [numbers] = [table.value for table in app.dataframe]
    assert list(numbers.columns) == ["Year", "Routes", "Distance"]
    assert numbers.to_numpy().tolist() == [["2026", 2, f"22.0{NARROW}km"], ["2025", 1, f"11.0{NARROW}km"]]


def test_all_routes_used_twice_are_counted(mapped: Any, context_of: Any) -> None:
    """The table ends at fifty, the count does not; the colour of a sport is read out."""
    for number in range(1, 53):
        for time in (1, 2):
            mapped.activity("2026-11-01", "Run", km=5, minutes=25, activity_id=number * 10 + time)
            mapped.row(
                "route_group", athlete_id=ATHLETE, activity_id=number * 10 + time, route_group_id=number,
                sport_group="run", start_date_local=date(2026, 11, 1), is_private=False,
            )  # fmt: skip
    mapped.publish()
    app = the_map(context_of(mapped), view="routes")
    assert "52 routes were used more than once." in said(app)
    assert "and 2 more routes" in said(app)
    assert "more activities" not in said(app)
    assert html(app).count('role="img" aria-label="Run"') == 50


def test_a_picture_of_tiles_shows_the_area_that_is_chosen(mapped: Any, context_of: Any) -> None:
    """As that of routes does; the numbers are of all areas."""
    there = {"path_latitudes": [2_841_270] * 3, "path_longitudes": [-1_639_310] * 3}
    route(mapped, 3, "2026-11-14", **there)
    where = {"z": 14, "x": 7445, "y": 6843, "is_precise": True, "is_private": False, "sport_group": "run"}
    mapped.row("tile_visit", athlete_id=ATHLETE, activity_id=3, start_date_local=date(2026, 11, 14), **where)
    mapped.publish()
    pictures, elsewhere = set(), []
    for area in ("52.5,13.4", "28.4,-16.4"):
        app = the_map(context_of(mapped), view="tiles", area=area)
        assert app.selectbox(key="area").value == area
        assert app.metric[0].value == "2"
        elsewhere.append("The largest square lies in another area" in said(app))
        pictures.add(tuple(picture.url for element in app.get("image") for picture in element.proto.imgs))
    assert len(pictures) == 2
    assert sorted(elsewhere) == [False, True]
    density = the_map(context_of(mapped), area=area)
    assert density.selectbox(key="area").options == app.selectbox(key="area").options


def visited(context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - AppTest runs this text by itself
    """Draw the page that the visit is at."""
    import streamlit as st  # noqa: PLC0415 - see above

    from dashboard import navigation  # noqa: PLC0415 - see above

    entry = next(one for one in navigation.ENTRIES if one.path == st.session_state.get("at", "map"))
    navigation.draw(context, entry, navigation._reader(context))


def test_the_shared_view_stays_on(mapped: Any, context_of: Any) -> None:
    """Over another page, by a link of the sidebar, which tells nothing; in a link to others; until it is turned off."""
    app = drawn(AppTest.from_function(visited, kwargs={"context": context_of(mapped)}))
    assert not app.toggle[0].value
    app.toggle[0].set_value(True)
    assert drawn(app).query_params == {"shared": "1"}
    for page in ("overview", "pipeline", "map"):
        app.session_state["at"] = page
        app.query_params.clear()
        app = drawn(app)
    assert app.toggle[0].value
    assert app.query_params == {"shared": "1"}
    assert "200 m around both ends of each route are cut." in said(app)
    assert "200 m around both ends of each route are cut." in said(the_map(context_of(mapped), shared="1"))
    app.toggle[0].set_value(False)
    app = drawn(app)
    assert (app.query_params, app.toggle[0].value) == ({}, False)
    assert "200 m" not in said(app)


def test_the_best_time_on_a_route_is_one_without_a_motor(mapped: Any, context_of: Any) -> None:
    """An e-bike has been there too, and was faster."""
    for number, (minutes, is_assisted) in enumerate([(60, False), (45, True)], 901):
        mapped.activity("2026-11-01", "Ride", km=20, minutes=minutes, activity_id=number, is_assisted=is_assisted)
        mapped.row(
            "route_group", athlete_id=ATHLETE, activity_id=number, route_group_id=901, sport_group="ride",
            start_date_local=date(2026, 11, 1), is_private=False,
        )  # fmt: skip
    mapped.publish()
    told = html(the_map(context_of(mapped), view="routes"))
    assert "1:00:00" in told
    assert "45:00" not in told
