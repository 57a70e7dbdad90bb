"""The worker's settings: what cannot be right is refused before anything starts."""

import pytest
from pydantic import ValidationError

from worker.settings import WorkerSettings


@pytest.mark.parametrize("name", ["not_found_grace_s", "second_look_s"])
@pytest.mark.parametrize("seconds", [-1.0, 1e300, float("inf"), float("nan")])
def test_a_wait_beyond_every_use_is_refused(name: str, seconds: float) -> None:
    """A negative, endless or overflowing number of seconds is named at the start, not met in the middle of an event."""
    with pytest.raises(ValidationError, match=name):
        WorkerSettings(**{name: seconds})  # type: ignore[arg-type]
