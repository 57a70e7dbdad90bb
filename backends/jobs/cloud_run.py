"""Starting a Cloud Run job through the Admin API, with Google's credentials over our own HTTP client.

https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs/run
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any

import google.auth
import google.auth.credentials
import httpx
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from backends.jobs import JobNotStarted

API = "https://run.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class CloudRunJobs:
    """The jobs of one region. An endpoint is asked without credentials: it is for a server on this machine."""

    def __init__(self, http: httpx.AsyncClient, *, project: str, region: str, endpoint: str = "") -> None:
        self._http = http
        self._jobs = f"{endpoint or API}/v2/projects/{project}/locations/{region}/jobs"
        self._is_anonymous = bool(endpoint)
        self._credentials: google.auth.credentials.Credentials | None = None

    async def start(self, job: str) -> None:
        """Have one execution of the job begin. Raises JobNotStarted."""
        try:
            headers = {} if self._is_anonymous else await asyncio.to_thread(self._authorization)
            answer = await self._http.post(f"{self._jobs}/{job}:run", json={}, headers=headers)
        except GoogleAuthError as error:
            raise JobNotStarted(
                f"There are no credentials to start {job} ({error}); run `gcloud auth application-default login`, or "
                "give the program a service account."
            ) from error
        except httpx.HTTPError as error:
            raise JobNotStarted(
                f"Cloud Run does not answer ({type(error).__name__}); {job} was not started."
            ) from error
        if answer.status_code != HTTPStatus.OK:
            raise JobNotStarted(_sentence(job, answer))

    def _authorization(self) -> dict[str, str]:
        """Return the header with a token that is still good; asking Google for one blocks. Raises GoogleAuthError."""
        if self._credentials is None:
            self._credentials, _ = google.auth.default(scopes=[_SCOPE])
        if not self._credentials.valid:
            self._credentials.refresh(Request())
        return {"authorization": f"Bearer {self._credentials.token}"}


def _sentence(job: str, answer: httpx.Response) -> str:
    """Say what to do about Google's error: `{"error": {"code": 403, "message": "…", "status": "…"}}`."""
    said = _message(answer)
    if answer.status_code in _REFUSED:
        return f"Cloud Run refuses to start {job} ({said}); give this account the role Cloud Run Invoker for the job."
    if answer.status_code == HTTPStatus.NOT_FOUND:
        return f"There is no job {job} ({said}); check GOOGLE_CLOUD_REGION, TRANSFORM_JOB and BACKFILL_JOB."
    return f"Cloud Run did not start {job} ({answer.status_code}: {said})."


def _message(answer: httpx.Response) -> str:
    try:
        told: Any = json.loads(answer.content)
        return str(told["error"]["message"])
    except (ValueError, TypeError, KeyError):
        return "without a reason"
