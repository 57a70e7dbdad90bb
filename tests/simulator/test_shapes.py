"""What the simulator shows has the keys and types of what was recorded from the real one."""

from collections.abc import Callable
from typing import Any

Sample = Callable[[str], Any]

#: Keys that came with what those activities were (photos, accepted tags), not with every activity.
OPTIONAL = {"average_temp", "average_cadence", "pr_rank", "upload_id", "average_heartrate"}


def kind(value: Any) -> str:
    """Name the type; int and float are one, as Strava mixes them."""
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def differences(real: Any, simulated: Any, path: str = "") -> list[str]:
    """List the keys of the real one that are missing, and those of another type; null fits every type."""
    if real is None or simulated is None:
        return []
    if kind(real) != kind(simulated):
        return [f"{path}: {kind(real)} is {kind(simulated)}"]
    if isinstance(real, list):
        return differences(real[0], simulated[0], f"{path}[]") if real and simulated else []
    if not isinstance(real, dict):
        return []
    missing = [f"{path}.{key} is missing" for key in real if key not in simulated and key not in OPTIONAL]
    shared = [key for key in real if key in simulated]
    return missing + [line for key in shared for line in differences(real[key], simulated[key], f"{path}.{key}")]


async def test_detailed_run_has_the_recorded_shape(lab: Any, samples: Sample) -> None:
    """Splits, laps, best efforts, gear and map included."""
    made = await lab.save(sport_type="Run", distance=42_300)
    full = (await lab.get(f"/activities/{made['id']}", include_all_efforts="true")).json()
    assert differences(samples("activity_run_marathon"), full) == []
    names = [effort["name"] for effort in samples("activity_run_marathon")["best_efforts"]]
    assert sorted(effort["name"] for effort in full["best_efforts"]) == sorted(names)


async def test_detailed_ride_has_the_recorded_shape(lab: Any, samples: Sample) -> None:
    """The indoor one that contradicts itself."""
    made = await lab.save(sport_type="VirtualRide")
    full = (await lab.get(f"/activities/{made['id']}")).json()
    assert differences(samples("activity_ride_indoor"), full) == []


async def test_listed_run_has_the_recorded_shape(lab: Any, samples: Sample) -> None:
    """Nothing of the detail, in Strava's order of keys."""
    await lab.save(sport_type="Run")
    (simulated,) = (await lab.get("/athlete/activities", per_page=1)).json()
    real = samples("athlete_activities_page")[0]
    assert differences(real, simulated) == []
    assert [key for key in simulated if key in real][:20] == list(real)[:20]


async def test_streams_gear_tokens_and_subscriptions_have_the_recorded_shapes(lab: Any, samples: Sample) -> None:
    """One after the other."""
    made = await lab.save(sport_type="Run")
    curves = (await lab.get(f"/activities/{made['id']}/streams", keys="distance", key_by_type="true")).json()
    assert differences(samples("activity_streams"), curves) == []
    shoes = (await lab.get("/athlete")).json()["shoes"][-1]["id"]
    for real, gear_id in zip(samples("gear"), (shoes, "b5000001"), strict=True):
        assert differences(real, (await lab.get(f"/gear/{gear_id}")).json()) == []
    back = await lab.authorize("activity:read_all")
    exchanged = (await lab.token_request(grant_type="authorization_code", code=back["code"])).json()
    assert differences(samples("token_exchange"), exchanged) == []
    lab.refresh_token = exchanged["refresh_token"]
    refreshed = (await lab.token_request(grant_type="refresh_token", refresh_token=lab.refresh_token)).json()
    assert differences(samples("token_refresh"), refreshed) == []
    form = {"client_id": "4242", "client_secret": "simulated-client-secret"}
    listed = (await lab.client.get("/api/v3/push_subscriptions", params=form)).json()
    assert differences(samples("subscription_list"), listed) == []


async def test_errors_have_the_recorded_shapes(bare_lab: Any, samples: Sample) -> None:
    """401 and the refused code."""
    assert differences(samples("error_401"), (await bare_lab.get("/athlete")).json()) == []
    refused = await bare_lab.token_request(grant_type="authorization_code", code="x")
    assert (refused.status_code, refused.json()) == (400, samples("token_invalid_code"))
