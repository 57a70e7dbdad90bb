"""Secret Manager through Google's client: the few calls that tokens need, with our own errors.

https://cloud.google.com/secret-manager/docs/reference/rpc/google.cloud.secretmanager.v1
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.api_core.exceptions import (
    Aborted,
    AlreadyExists,
    BadRequest,
    FailedPrecondition,
    GoogleAPICallError,
    GoogleAPIError,
    NotFound,
    PermissionDenied,
    RetryError,
    ServiceUnavailable,
    Unauthenticated,
)
from google.api_core.retry import AsyncRetry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient as GoogleClient
from google.cloud.secretmanager_v1 import SecretVersion
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcAsyncIOTransport,
)

from backends.tokens import TokensUnavailable

TIMEOUT_S = 8.0  # of one call with its repetitions; well inside a lease
# Every call may be made twice: a version that is added twice holds the same tokens, and an etag fits once.
_RETRY = AsyncRetry(predicate=if_exception_type(ServiceUnavailable), initial=0.2, maximum=2.0, timeout=TIMEOUT_S)
_PAGE = 50  # versions, newest first: those before them were destroyed by earlier saves


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """A secret without its values: what is noted on it, and the mark of its last change."""

    etag: str
    annotations: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One value of a secret; `data` is None where the version is disabled or destroyed."""

    number: int
    data: bytes | None = field(repr=False)


class SecretClient:
    """The secrets of one project. Every method raises TokensUnavailable when Google does not answer, or refuses.

    An endpoint is asked without encryption and credentials: it is for a server on this machine.
    """

    def __init__(self, project: str, endpoint: str = "") -> None:
        self._project = project
        self._endpoint = endpoint
        self._google: GoogleClient | None = None

    async def get(self, secret_id: str) -> Secret | None:
        """Return a secret, or None where there is none."""
        found = await self._ask("get_secret", {"name": self._name(secret_id)}, none_for=(NotFound,))
        return found and _secret(found)

    async def create(self, secret_id: str, annotations: Mapping[str, str] | None = None) -> Secret | None:
        """Create a secret without a value; None where it exists already."""
        secret = {"replication": {"automatic": {}}, "annotations": annotations or {}}
        request = {"parent": f"projects/{self._project}", "secret_id": secret_id, "secret": secret}
        created = await self._ask("create_secret", request, none_for=(AlreadyExists,))
        return created and _secret(created)

    async def annotate(self, secret_id: str, etag: str, annotations: Mapping[str, str]) -> Secret | None:
        """Replace the annotations, if nothing has changed since `etag` was given; None where something has."""
        secret = {"name": self._name(secret_id), "etag": etag, "annotations": annotations}
        request = {"secret": secret, "update_mask": {"paths": ["annotations"]}}
        changed = await self._ask("update_secret", request, none_for=(FailedPrecondition, Aborted, NotFound))
        return changed and _secret(changed)

    async def delete(self, secret_id: str) -> None:
        """Delete a secret with all its versions; deleting none is success."""
        await self._ask("delete_secret", {"name": self._name(secret_id)}, none_for=(NotFound,))

    async def ids(self) -> list[str]:
        """Return the ids of all secrets of the project. A new one may be missing for minutes."""
        ids, token = [], ""
        while True:
            page = await self._ask("list_secrets", {"parent": f"projects/{self._project}", "page_token": token})
            ids += [each.name.rpartition("/")[2] for each in page.secrets]
            token = page.next_page_token
            if not token:
                return ids

    async def add(self, secret_id: str, data: bytes) -> int | None:
        """Add a version and return its number; None where there is no such secret."""
        request = {"parent": self._name(secret_id), "payload": {"data": data}}
        added = await self._ask("add_secret_version", request, none_for=(NotFound,))
        return added and _number(added.name)

    async def access(self, secret_id: str, number: int) -> Version | None:
        """Read a version by its number, which shows at once what was added; None where there is none."""
        request = {"name": self._name(secret_id, number)}
        try:
            found = await self._ask("access_secret_version", request, none_for=(NotFound,), raises=FailedPrecondition)
        except FailedPrecondition:
            return Version(number=number, data=None)
        return found and Version(number=number, data=found.payload.data)

    async def latest(self, secret_id: str) -> int:
        """Return the number of a recent version, 0 where none is known: it may be minutes behind. Reads no value."""
        request = {"name": self._name(secret_id, "latest")}
        found = await self._ask("get_secret_version", request, none_for=(NotFound,))
        return _number(found.name) if found else 0

    async def has(self, secret_id: str, number: int) -> bool:
        """Whether there is a version of this number, in any state. Reads no value."""
        request = {"name": self._name(secret_id, number)}
        return await self._ask("get_secret_version", request, none_for=(NotFound,)) is not None

    async def not_destroyed(self, secret_id: str) -> list[int]:
        """Return which of the newest versions still have a value, by number. One may be missing for minutes."""
        page = await self._ask("list_secret_versions", {"parent": self._name(secret_id), "page_size": _PAGE})
        return [_number(each.name) for each in page.versions if each.state is not SecretVersion.State.DESTROYED]

    async def destroy(self, secret_id: str, number: int) -> None:
        """Destroy the value of a version; one that is destroyed already, or gone, is success."""
        request = {"name": self._name(secret_id, number)}
        await self._ask("destroy_secret_version", request, none_for=(FailedPrecondition, NotFound))

    async def close(self) -> None:
        """Close the connection."""
        if self._google is not None:
            await self._google.transport.close()
            self._google = None

    def _name(self, secret_id: str, version: int | str = "") -> str:
        return f"projects/{self._project}/secrets/{secret_id}{f'/versions/{version}' if version else ''}"

    async def _ask(
        self,
        method: str,
        request: Mapping[str, Any],
        *,
        none_for: tuple[type[Exception], ...] = (),
        raises: type[Exception] | tuple[()] = (),
    ) -> Any:
        """Make one call; `none_for` and `raises` are what Google says that is an answer. A list comes by pages."""
        try:
            return await getattr(self._opened(), method)(request=request, retry=_RETRY, timeout=TIMEOUT_S)
        except none_for:
            return None
        except raises:
            raise
        except (GoogleAPIError, GoogleAuthError) as error:
            raise TokensUnavailable(_sentence(method, error)) from error

    def _opened(self) -> GoogleClient:
        """Open the connection on the loop that uses it."""
        if self._google is None:
            self._google = self._connected()
        return self._google

    def _connected(self) -> GoogleClient:
        if not self._endpoint:
            return GoogleClient()
        channel = grpc.aio.insecure_channel(self._endpoint)
        return GoogleClient(transport=SecretManagerServiceGrpcAsyncIOTransport(channel=channel))


def _secret(found: Any) -> Secret:
    return Secret(etag=found.etag, annotations=dict(found.annotations))


def _number(name: str) -> int:
    return int(name.rpartition("/")[2])


def _sentence(method: str, error: Exception) -> str:
    """Say what to do about Google's error; its text names the project, a secret or a permission, never a value."""
    cause = error.cause if isinstance(error, RetryError) and error.cause else error
    if isinstance(cause, GoogleAuthError):
        return (
            f"There are no credentials for Secret Manager ({cause}); run `gcloud auth application-default login`, or "
            "give the program a service account."
        )
    if isinstance(cause, PermissionDenied | Unauthenticated):
        return (
            f"Secret Manager refuses {method} ({cause.message}); check GOOGLE_CLOUD_PROJECT, and give this account the "
            "role Secret Manager Admin for the secrets that begin with TOKEN_SECRET_PREFIX."
        )
    if isinstance(cause, BadRequest | NotFound):
        return f"Secret Manager does not accept {method} ({cause.message}); check the project and its policies."
    said = f"{cause.code}: {cause.message}" if isinstance(cause, GoogleAPICallError) else str(cause)
    return f"Secret Manager cannot do {method} now ({said}); try again later."
