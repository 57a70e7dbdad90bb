"""Starting a job: Cloud Run's answers, and what is told of its errors."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from backends.jobs import JobNotStarted
from backends.jobs.cloud_run import CloudRunJobs
from tests.cloud_run_server import CloudRun, running_cloud_run


@pytest.fixture
def cloud_run() -> Iterator[CloudRun]:
    """Cloud Run as the test wants it."""
    with running_cloud_run() as server:
        yield server


@pytest.fixture
async def jobs(cloud_run: CloudRun) -> AsyncIterator[CloudRunJobs]:
    """What starts jobs there."""
    async with httpx.AsyncClient(trust_env=False) as http:
        yield CloudRunJobs(http, project="p", region="europe-west1", endpoint=cloud_run.endpoint)


async def test_a_job_is_started(cloud_run: CloudRun, jobs: CloudRunJobs) -> None:
    """Each call begins one execution."""
    await jobs.start("athlete-transform")
    await jobs.start("athlete-backfill")
    assert cloud_run.started == ["athlete-transform", "athlete-backfill"]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "give this account the role Cloud Run Invoker"),
        (404, "check GOOGLE_CLOUD_REGION, TRANSFORM_JOB"),
        (503, "503: The service is currently unavailable"),
    ],
)
async def test_an_error_says_what_to_do(cloud_run: CloudRun, jobs: CloudRunJobs, status: int, said: str) -> None:
    """Google's own words are told, and what they mean here."""
    cloud_run.status = status
    with pytest.raises(JobNotStarted, match=said):
        await jobs.start("athlete-transform")


async def test_no_answer_is_told(jobs: CloudRunJobs, cloud_run: CloudRun) -> None:
    """Where nothing listens, the job was not started."""
    async with httpx.AsyncClient(trust_env=False) as http:
        nowhere = CloudRunJobs(http, project="p", region="r", endpoint="http://127.0.0.1:9")
        with pytest.raises(JobNotStarted, match=r"does not answer \(ConnectError\)"):
            await nowhere.start("athlete-transform")


async def test_without_credentials_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the command that makes some."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")

    def refuse(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as http:
        with pytest.raises(JobNotStarted, match="gcloud auth application-default login"):
            await CloudRunJobs(http, project="p", region="r").start("athlete-transform")
