"""The worker's settings: what cannot be right is refused before anything starts."""

from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from runtime.settings import Backend
from worker.settings import WorkerSettings


@pytest.mark.parametrize("name", ["not_found_grace_s", "second_look_s"])
@pytest.mark.parametrize("seconds", [-1.0, 1e300, float("inf"), float("nan")])
def test_a_wait_beyond_every_use_is_refused(name: str, seconds: float) -> None:
    """A negative, endless or overflowing number of seconds is named at the start, not met in the middle of an event."""
    with pytest.raises(ValidationError, match=name):
        WorkerSettings(**{name: seconds})  # type: ignore[arg-type]


class OnGoogleCloud(WorkerSettings):
    """The worker's settings once the engine has all parts for it."""

    runs_on: ClassVar = frozenset(Backend)


@pytest.mark.parametrize("given", [{"push_audience": "https://worker"}, {"push_service_account": "push@x"}])
def test_half_of_what_proves_a_push_is_refused(given: dict[str, Any]) -> None:
    """An audience without an account would let in every account of Google's, and an account alone checks nothing."""
    with pytest.raises(ValidationError, match="set PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT, or neither"):
        WorkerSettings(**given)


def test_certificates_come_over_tls() -> None:
    """Somebody who changes them on the way could sign pushes; on loopback there is no way."""
    with pytest.raises(ValidationError, match="https://"):
        WorkerSettings.model_validate({"push_certificates_url": "http://example.org/certs"})
    assert WorkerSettings.model_validate({"push_certificates_url": "http://127.0.0.1:1/certs"})


def test_on_google_cloud_a_push_must_be_proven() -> None:
    """There no shared word takes the place of Google's token."""
    with pytest.raises(ValidationError) as caught:
        OnGoogleCloud.model_validate({"backend": "gcp", "push_token": "word"})
    assert {fault["loc"][0] for fault in caught.value.errors()} == {"push_audience", "push_service_account"}
    proven = {"push_audience": "https://worker", "push_service_account": "push@x"}
    assert OnGoogleCloud.model_validate({"backend": "gcp", **proven}).backend is Backend.GCP
