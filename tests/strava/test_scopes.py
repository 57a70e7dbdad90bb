"""What granted scopes bring, in words."""

from typing import Any

import pytest

from strava.scopes import missing_scopes, read_scopes, reads_activities, scope_verdict


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (set(), "did not say"),
        ({"read", "activity:read_all", "profile:read_all"}, "All scopes are granted"),
        ({"read", "activity:read", "profile:read_all"}, "activity:read_all is missing: private activities"),
        ({"read", "activity:read_all"}, "profile:read_all is missing"),
    ],
)
def test_the_verdict_names_what_is_missing_and_its_cost(scope: set[str], expected: str) -> None:
    """Each missing scope is named with what will not arrive."""
    assert expected in scope_verdict(frozenset(scope))


def test_either_scope_of_activities_brings_some() -> None:
    """Public activities arrive with `activity:read`; without both scopes there is nothing to connect for."""
    assert reads_activities({"activity:read"})
    assert reads_activities({"activity:read_all"})
    assert not reads_activities({"read", "profile:read_all", "activity:write"})
    assert list(missing_scopes({"read", "activity:read"})) == ["activity:read_all", "profile:read_all"]


@pytest.mark.parametrize(
    ("value", "scope"),
    [("read,activity:read_all", {"read", "activity:read_all"}), ("read  a", {"read", "a"}), ("", set()), (None, set())],
)
def test_scopes_are_read_from_text(value: Any, scope: set[str]) -> None:
    """Commas and spaces separate them; anything but a text tells none."""
    assert read_scopes(value) == scope
