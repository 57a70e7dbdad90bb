"""The API answers as Strava's reference says."""

from datetime import datetime
from typing import Any

import pytest


@pytest.mark.slow
async def test_athlete_is_detailed_only_with_the_profile_scope(bare_lab: Any) -> None:
    """Without `profile:read_all` the athlete's gear is not told."""
    await bare_lab.connect("activity:read_all")
    short = (await bare_lab.get("/athlete")).json()
    await bare_lab.connect("activity:read_all", "profile:read_all")
    full = (await bare_lab.get("/athlete")).json()
    assert (short["id"], short["resource_state"], "shoes" in short) == (4242424242, 2, False)
    assert (full["id"], full["resource_state"], len(full["bikes"])) == (4242424242, 3, 2)


async def test_list_is_newest_first_in_pages_until_an_empty_one(lab: Any) -> None:
    """Pages join without gap or overlap to the whole, newest start first, thirty at a time by default."""
    truth = [item["id"] for item in (await lab.client.get("/simulator/activities?fields=id")).json()]
    pages: list[list[dict[str, Any]]] = []
    while not pages or pages[-1]:
        pages.append((await lab.get("/athlete/activities", page=len(pages) + 1)).json())
    listed = [activity for page in pages for activity in page]
    assert [activity["id"] for activity in listed] == truth
    assert {len(page) for page in pages[:-2]} == {30}
    starts = [activity["start_date"] for activity in listed]
    assert starts == sorted(starts, reverse=True)


async def test_after_alone_is_ascending_and_both_bounds_descending(lab: Any) -> None:
    """Strava's own order depends on the bounds; they exclude an activity that starts on them."""
    everything = (await lab.get("/athlete/activities", per_page=200)).json()
    low, high = (int(datetime.fromisoformat(everything[i]["start_date"]).timestamp()) for i in (20, 5))
    after = (await lab.get("/athlete/activities", after=low, per_page=200)).json()
    between = (await lab.get("/athlete/activities", after=low, before=high, per_page=200)).json()
    assert [activity["id"] for activity in after] == [activity["id"] for activity in reversed(everything[:20])]
    assert [activity["id"] for activity in between] == [activity["id"] for activity in everything[6:20]]


@pytest.mark.parametrize("query", [{"page": 0}, {"per_page": 0}, {"per_page": 201}])
async def test_impossible_pages_are_refused(lab: Any, query: dict[str, int]) -> None:
    """400 in Strava's shape."""
    answer = await lab.get("/athlete/activities", **query)
    assert (answer.status_code, answer.json()["message"]) == (400, "Bad Request")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"before": "nan"}, "before"),
        ({"after": "inf"}, "after"),
        ({"after": "yesterday"}, "after"),
        ({"page": "first"}, "page"),
        ({"per_page": "1.5"}, "per page"),
    ],
)
async def test_unreadable_bounds_and_pages_are_refused(lab: Any, query: dict[str, str], field: str) -> None:
    """400 in Strava's shape."""
    answer = await lab.get("/athlete/activities", **query)
    assert (answer.status_code, answer.json()) == (
        400,
        {"message": "Bad Request", "errors": [{"resource": "Activity", "field": field, "code": "invalid"}]},
    )


@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        ("GET", "/activities/abc", "Activity"),
        ("GET", "/activities/abc/streams", "Activity"),
        ("DELETE", "/push_subscriptions/abc", "PushSubscription"),
    ],
)
async def test_id_that_is_no_number_is_not_found(lab: Any, method: str, path: str, resource: str) -> None:
    """404 in Strava's shape."""
    credentials = {"client_id": "4242", "client_secret": "simulated-client-secret"}
    headers = {"Authorization": f"Bearer {lab.token}"}
    answer = await lab.client.request(method, f"/api/v3{path}", params=credentials, headers=headers)
    assert (answer.status_code, answer.json()) == (
        404,
        {"message": "Record Not Found", "errors": [{"resource": resource, "field": "id", "code": "invalid"}]},
    )


async def test_summary_is_the_detail_without_its_own_keys(lab: Any) -> None:
    """All that list and detail share is equal, but for `resource_state` and the map."""
    for summary in (await lab.get("/athlete/activities", per_page=25)).json():
        full = (await lab.get(f"/activities/{summary['id']}", include_all_efforts="true")).json()
        assert (summary["resource_state"], full["resource_state"]) == (2, 3)
        assert "polyline" not in summary["map"]
        assert "polyline" in full["map"]
        shared = set(summary) - {"resource_state", "map"}
        assert {key: summary[key] for key in shared} == {key: full[key] for key in shared}


async def test_hidden_efforts_only_come_when_asked_for(lab: Any) -> None:
    """`include_all_efforts` adds efforts; without it none is hidden."""
    fewer = 0
    for item in (await lab.client.get("/simulator/activities?fields=id")).json():
        every = (await lab.get(f"/activities/{item['id']}", include_all_efforts="true")).json()
        some = (await lab.get(f"/activities/{item['id']}")).json()
        assert not any(effort["hidden"] for effort in some.get("segment_efforts", []))
        fewer += len(every.get("segment_efforts", [])) > len(some.get("segment_efforts", []))
    assert fewer > 0


async def test_streams_by_type_hold_what_was_asked_for_and_fit(lab: Any) -> None:
    """All streams have one length, distance ends at the activity's, unrecorded ones are absent."""
    made = await lab.save(sport_type="Run", distance=10_000, moving_time=3000)
    data = (await lab.get(f"/activities/{made['id']}/streams", keys="time,latlng,watts", key_by_type="true")).json()
    assert set(data) == {"time", "latlng", "distance"}
    assert len({stream["original_size"] for stream in data.values()}) == 1
    assert (data["distance"]["data"][-1], data["time"]["data"][-1]) == (10_000, 3000)
    assert data["time"]["resolution"] == "high"


async def test_streams_come_as_a_list_by_default(lab: Any) -> None:
    """Without `key_by_type` each stream names its type."""
    made = await lab.save(sport_type="Ride")
    listed = (await lab.get(f"/activities/{made['id']}/streams", keys="heartrate,altitude")).json()
    assert "altitude" in {stream["type"] for stream in listed}


async def test_a_low_resolution_is_a_hundred_points(lab: Any) -> None:
    """Both ends stay, and the answer tells how many points there were."""
    made = await lab.save(sport_type="Run", distance=42_195, moving_time=14_000)
    query = {"keys": "time,latlng", "key_by_type": "true"}
    full = (await lab.get(f"/activities/{made['id']}/streams", **query)).json()
    thin = (await lab.get(f"/activities/{made['id']}/streams", **query, resolution="low")).json()
    assert {key: stream["resolution"] for key, stream in thin.items()} == dict.fromkeys(full, "low")
    for key, stream in thin.items():
        assert stream["original_size"] == len(full[key]["data"]) > len(stream["data"]) == 100
        assert (stream["data"][0], stream["data"][-1]) == (full[key]["data"][0], full[key]["data"][-1])


async def test_the_series_that_points_are_chosen_by_comes_along(lab: Any) -> None:
    """Distance by default, time when asked for; client libraries put the keys into the path."""
    made = await lab.save(sport_type="Ride")
    path = f"/activities/{made['id']}/streams/heartrate,altitude"
    assert "distance" in {stream["type"] for stream in (await lab.get(path)).json()}
    by_time = {stream["type"] for stream in (await lab.get(path, series_type="time", resolution="low")).json()}
    assert by_time >= {"time", "altitude"}
    assert "distance" not in by_time


@pytest.mark.parametrize("query", [{"resolution": "best"}, {"series_type": "latlng"}])
async def test_a_resolution_or_series_that_there_is_not_is_refused(lab: Any, query: dict[str, str]) -> None:
    """400 in Strava's shape."""
    made = await lab.save(sport_type="Run")
    answer = await lab.get(f"/activities/{made['id']}/streams", keys="time", **query)
    assert (answer.status_code, answer.json()["message"]) == (400, "Bad Request")


async def test_manual_activity_has_no_streams(lab: Any) -> None:
    """None at all is a 404."""
    made = await lab.save(sport_type="Run", manual=True)
    assert (await lab.get(f"/activities/{made['id']}")).status_code == 200
    assert (await lab.get(f"/activities/{made['id']}/streams", keys="time")).status_code == 404


async def test_gear_is_told_and_matches_the_activity(lab: Any) -> None:
    """An activity's gear is the short form of the gear's own answer."""
    made = await lab.save(sport_type="Run")
    worn = (await lab.get(f"/activities/{made['id']}")).json()["gear"]
    full = (await lab.get(f"/gear/{worn['id']}")).json()
    assert (worn["resource_state"], full["resource_state"]) == (2, 3)
    assert (full["name"], full["distance"]) == (worn["name"], worn["distance"])
    assert (await lab.get("/gear/g1")).status_code == 404


async def test_unknown_activity_is_404_in_strava_s_shape(lab: Any) -> None:
    """A message and a list of errors."""
    answer = await lab.get("/activities/1")
    assert (answer.status_code, answer.json()["errors"][0]["resource"]) == (404, "Activity")


RATE_HEADERS = {"x-ratelimit-limit", "x-ratelimit-usage", "x-readratelimit-limit", "x-readratelimit-usage"}


@pytest.mark.parametrize("path", ["/activities/1", "/activities/1/streams", "/activities/abc", "/gear/g1"])
async def test_what_is_not_there_is_strava_s_own_word(lab: Any, path: str) -> None:
    """The 404 is JSON and carries the rate headers: a client may believe it."""
    answer = await lab.get(path)
    assert (answer.status_code, answer.json()["message"]) == (404, "Record Not Found")
    assert answer.headers["content-type"].startswith("application/json")
    assert set(answer.headers) >= RATE_HEADERS


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/activitys/1"), ("GET", "/activities/1/2/3"), ("GET", "/"), ("POST", "/athlete"), ("PUT", "/nothing")],
)
async def test_a_path_that_the_api_does_not_have_is_named_so(lab: Any, method: str, path: str) -> None:
    """404 in Strava's shape with the rate headers; the fault is the path's, not an activity's."""
    answer = await lab.client.request(method, f"/api/v3{path}", headers={"Authorization": f"Bearer {lab.token}"})
    assert (answer.status_code, answer.json()) == (
        404,
        {"message": "Record Not Found", "errors": [{"resource": "resource", "field": "path", "code": "invalid"}]},
    )
    assert set(answer.headers) >= RATE_HEADERS


@pytest.mark.parametrize("path", ["/activities/1", "/api/activities/1", "/oauth/tokens"])
async def test_beside_the_api_there_is_a_website(lab: Any, path: str) -> None:
    """A base address that lacks a part meets a page, without rate headers: no word on any activity."""
    answer = await lab.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert not RATE_HEADERS & set(answer.headers)


async def test_the_control_api_keeps_its_own_404(lab: Any) -> None:
    """It says in `detail` what is missing."""
    assert "detail" in (await lab.client.delete("/simulator/activities/1")).json()
    assert "detail" in (await lab.client.get("/simulator/nothing")).json()


async def test_no_token_and_a_bad_token_are_401_without_rate_headers(bare_lab: Any) -> None:
    """Both read as Strava's authorization error."""
    for token in ("", "nonsense"):
        bare_lab.token = token
        answer = await bare_lab.get("/athlete")
        assert (answer.status_code, answer.json()["message"]) == (401, "Authorization Error")
        assert "x-ratelimit-usage" not in answer.headers


async def test_token_in_the_query_still_works(lab: Any) -> None:
    """Strava accepts it until June 2027, and client libraries use it."""
    answer = await lab.client.get("/api/v3/athlete", params={"access_token": lab.token})
    assert answer.status_code == 200


async def test_without_activity_scope_activities_are_401(bare_lab: Any) -> None:
    """The error names the missing permission."""
    await bare_lab.connect("profile:read_all")
    answer = await bare_lab.get("/athlete/activities")
    assert (answer.status_code, answer.json()["errors"][0]) == (
        401,
        {"resource": "AccessToken", "field": "activity:read_permission", "code": "missing"},
    )


async def test_without_read_all_private_activities_are_not_there(bare_lab: Any) -> None:
    """They are neither listed nor found, and places are rounded to two decimals."""
    await bare_lab.connect("activity:read")
    hidden = await bare_lab.save(sport_type="Run", private=True)
    open_ = await bare_lab.save(sport_type="Run")
    listed = (await bare_lab.get("/athlete/activities", per_page=200)).json()
    assert not any(activity["private"] for activity in listed)
    assert (await bare_lab.get(f"/activities/{hidden['id']}")).status_code == 404
    place = (await bare_lab.get(f"/activities/{open_['id']}")).json()["start_latlng"]
    assert place == [round(part, 2) for part in place]
