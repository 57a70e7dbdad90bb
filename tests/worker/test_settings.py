"""The worker's settings: what cannot be right is refused before anything starts."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from runtime.settings import PartMissing
from worker.main import build
from worker.settings import WorkerSettings


@pytest.mark.parametrize("name", ["not_found_grace_s", "second_look_s"])
@pytest.mark.parametrize("seconds", [-1.0, 1e300, float("inf"), float("nan")])
def test_a_wait_beyond_every_use_is_refused(name: str, seconds: float) -> None:
    """A negative, endless or overflowing number of seconds is named at the start, not met in the middle of an event."""
    with pytest.raises(ValidationError, match=name):
        WorkerSettings(**{name: seconds})  # type: ignore[arg-type]


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


async def test_on_google_cloud_a_push_must_be_proven(tmp_path: Path) -> None:
    """There no shared word takes the place of Google's token."""
    told = {"backend": "gcp", "google_cloud_project": "p", "push_token": "word", "data_dir": tmp_path}
    local = {"bigquery_api_endpoint": "http://127.0.0.1:9", "secret_manager_endpoint": "127.0.0.1:9"}
    with pytest.raises(PartMissing, match="needs PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT"):
        build(WorkerSettings.model_validate(told | local))
