"""A Secret Manager on loopback, as Google documents it, for Google's own client. It keeps everything in memory.

https://cloud.google.com/secret-manager/docs/reference/rpc/google.cloud.secretmanager.v1 has the calls,
https://cloud.google.com/secret-manager/docs/etags what an etag does, and
https://cloud.google.com/secret-manager/docs/reference/consistency which reads may be behind.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NoReturn

import grpc
from google.cloud import secretmanager_v1 as sm
from google.protobuf.empty_pb2 import Empty

State: Any = sm.SecretVersion.State
Code = grpc.StatusCode
LARGEST_PAYLOAD = 65_536
SECRET_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
ANNOTATION_KEY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


class Refused(Exception):
    """An error as the server answers it."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code


def no_fault(_: str) -> grpc.StatusCode | None:
    """Answer every call."""
    return None


@dataclass
class StoredSecret:
    """A secret with its versions; the first has number 1."""

    meta: sm.Secret
    versions: list[sm.SecretVersion] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)


@dataclass
class Project:
    """What one project keeps, which calls it had, and how a test makes them fail."""

    secrets: dict[str, StoredSecret] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fault: Callable[[str], grpc.StatusCode | None] = no_fault  # asked before a call: it changes nothing then
    lost: Callable[[str], grpc.StatusCode | None] = no_fault  # asked after a call: only its answer is lost then
    page_size: int = 25_000
    behind: dict[str, StoredSecret] | None = None
    etags: int = 0

    def fall_behind(self) -> None:
        """From now on show the present state to every read but that of a version by its number."""
        self.behind = deepcopy(self.secrets)

    def seen(self) -> dict[str, StoredSecret]:
        """Return the secrets as an eventually consistent read shows them."""
        return self.secrets if self.behind is None else self.behind

    def etag(self) -> str:
        """Return an etag that was never used; the quotes belong to it."""
        self.etags += 1
        return f'"{self.etags}"'

    def alive(self, secret_id: str) -> list[int]:
        """Return the numbers of a secret's versions that are not destroyed."""
        return [n for n, each in enumerate(self.secrets[secret_id].versions, 1) if each.state != State.DESTROYED]


class SecretManagerServer:
    """Answers the calls of `google.cloud.secretmanager.v1`, one at a time."""

    def __init__(self) -> None:
        self.projects: dict[str, Project] = {}
        self.endpoint = ""
        self._lock = Lock()

    def project(self, name: str) -> Project:
        """Return a project, which begins empty."""
        return self.projects.setdefault(name, Project())

    def handlers(self) -> grpc.GenericRpcHandler:
        """Return the calls by their names."""
        calls: dict[str, tuple[Any, Any, Callable[[Project, Any], Any]]] = {
            "CreateSecret": (sm.CreateSecretRequest, sm.Secret, create_secret),
            "GetSecret": (sm.GetSecretRequest, sm.Secret, lambda at, asked: secret(at.seen(), asked.name).meta),
            "UpdateSecret": (sm.UpdateSecretRequest, sm.Secret, update_secret),
            "DeleteSecret": (sm.DeleteSecretRequest, None, delete_secret),
            "ListSecrets": (sm.ListSecretsRequest, sm.ListSecretsResponse, list_secrets),
            "AddSecretVersion": (sm.AddSecretVersionRequest, sm.SecretVersion, add_version),
            "GetSecretVersion": (sm.GetSecretVersionRequest, sm.SecretVersion, get_version),
            "ListSecretVersions": (sm.ListSecretVersionsRequest, sm.ListSecretVersionsResponse, list_versions),
            "AccessSecretVersion": (sm.AccessSecretVersionRequest, sm.AccessSecretVersionResponse, access_version),
            "DisableSecretVersion": (sm.DisableSecretVersionRequest, sm.SecretVersion, set_state(State.DISABLED)),
            "EnableSecretVersion": (sm.EnableSecretVersionRequest, sm.SecretVersion, set_state(State.ENABLED)),
            "DestroySecretVersion": (sm.DestroySecretVersionRequest, sm.SecretVersion, set_state(State.DESTROYED)),
        }
        return grpc.method_handlers_generic_handler(
            "google.cloud.secretmanager.v1.SecretManagerService",
            {
                name: grpc.unary_unary_rpc_method_handler(
                    self._answer(name, call),
                    request_deserializer=request.deserialize,
                    response_serializer=response.serialize if response else Empty.SerializeToString,
                )
                for name, (request, response, call) in calls.items()
            },
        )

    def _answer(self, name: str, call: Callable[[Project, Any], Any]) -> Callable[[Any, grpc.ServicerContext], Any]:
        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            with self._lock:
                project = self.project(resource_of(request).split("/")[1])
                project.calls.append(name)
                try:
                    fail(project.fault(name))
                    made = deepcopy(call(project, request))
                    fail(project.lost(name))
                except Refused as error:
                    context.abort(error.code, str(error))
                return made

        return answer


@contextmanager
def running_server() -> Iterator[SecretManagerServer]:
    """Serve on a free port of this machine."""
    server, secret_manager = grpc.server(ThreadPoolExecutor(8)), SecretManagerServer()
    server.add_generic_rpc_handlers((secret_manager.handlers(),))
    secret_manager.endpoint = f"localhost:{server.add_insecure_port('localhost:0')}"
    server.start()
    try:
        yield secret_manager
    finally:
        server.stop(None).wait()


def fail(code: grpc.StatusCode | None) -> None:
    """Answer with a fault, if one is wanted."""
    if code is not None:
        raise Refused(code, "the test wants it")


def resource_of(request: Any) -> str:
    """Return the name that a request is about."""
    if isinstance(request, sm.UpdateSecretRequest):
        return request.secret.name
    return str(request.parent if hasattr(request, "parent") else request.name)


def refuse(text: str) -> NoReturn:
    """Answer INVALID_ARGUMENT."""
    raise Refused(Code.INVALID_ARGUMENT, text)


def check_etag(asked: str, stored: str) -> None:
    """Let a request pass that names no etag, or the present one."""
    if asked and asked != stored:
        raise Refused(Code.FAILED_PRECONDITION, f"The etag provided {asked} does not match the current etag {stored}.")


def secret(secrets: dict[str, StoredSecret], name: str) -> StoredSecret:
    """Return the secret that a name is about, be it the secret's or a version's."""
    secret_id = name.split("/")[3]
    if secret_id not in secrets:
        raise Refused(Code.NOT_FOUND, f"Secret [{'/'.join(name.split('/')[:4])}] not found or has no versions.")
    return secrets[secret_id]


def index_of(stored: StoredSecret, name: str) -> int:
    """Return the place of the version that a name is about."""
    asked = name.split("/")[5]
    number = len(stored.versions) if asked == "latest" else int(asked)
    if not 1 <= number <= len(stored.versions):
        raise Refused(Code.NOT_FOUND, f"Secret Version [{name}] not found.")
    return number - 1


def check_annotations(annotations: Any) -> None:
    """Refuse what Google does not take as an annotation."""
    if not all(ANNOTATION_KEY.fullmatch(key) for key in annotations):
        refuse("an annotation's key is not valid")
    if sum(len(key) + len(value) for key, value in annotations.items()) >= 16_384:
        refuse("annotations are too large")


def create_secret(project: Project, request: sm.CreateSecretRequest) -> sm.Secret:
    """Create a secret without a version."""
    name = f"{request.parent}/secrets/{request.secret_id}"
    if not SECRET_ID.fullmatch(request.secret_id):
        refuse("secret_id is not valid")
    if not sm.Secret.pb(request.secret).replication.WhichOneof("replication"):
        refuse("replication must be set")
    check_annotations(request.secret.annotations)
    if request.secret_id in project.secrets:
        raise Refused(Code.ALREADY_EXISTS, f"Secret [{name}] already exists.")
    meta = deepcopy(request.secret)
    meta.name, meta.etag = name, project.etag()
    project.secrets[request.secret_id] = StoredSecret(meta)
    return meta


def update_secret(project: Project, request: sm.UpdateSecretRequest) -> sm.Secret:
    """Replace the annotations or the labels; a version is untouched by it."""
    stored = secret(project.secrets, request.secret.name)
    if not request.update_mask.paths or set(request.update_mask.paths) - {"annotations", "labels"}:
        refuse("update_mask is not valid")
    check_annotations(request.secret.annotations)
    check_etag(request.secret.etag, stored.meta.etag)
    for path in request.update_mask.paths:
        setattr(stored.meta, path, dict(getattr(request.secret, path)))
    stored.meta.etag = project.etag()
    return stored.meta


def delete_secret(project: Project, request: sm.DeleteSecretRequest) -> Empty:
    """Delete a secret with its versions."""
    stored = secret(project.secrets, request.name)
    check_etag(request.etag, stored.meta.etag)
    del project.secrets[request.name.split("/")[3]]
    return Empty()


def page(project: Project, newest_first: Sequence[Any], request: Any) -> tuple[Sequence[Any], str]:
    """Return one page, and the token of the next."""
    if request.filter:
        refuse("this server knows no filters")
    begin, size = int(request.page_token or 0), min(request.page_size or project.page_size, project.page_size)
    end = begin + size
    return newest_first[begin:end], str(end) if end < len(newest_first) else ""


def list_secrets(project: Project, request: sm.ListSecretsRequest) -> sm.ListSecretsResponse:
    """List the secrets, newest first."""
    newest_first = [each.meta for each in reversed(project.seen().values())]
    secrets, token = page(project, newest_first, request)
    return sm.ListSecretsResponse(secrets=secrets, next_page_token=token, total_size=len(newest_first))


def list_versions(project: Project, request: sm.ListSecretVersionsRequest) -> sm.ListSecretVersionsResponse:
    """List a secret's versions in every state, newest first, without their values."""
    stored = secret(project.seen(), request.parent)
    versions, token = page(project, stored.versions[::-1], request)
    return sm.ListSecretVersionsResponse(versions=versions, next_page_token=token, total_size=len(stored.versions))


def add_version(project: Project, request: sm.AddSecretVersionRequest) -> sm.SecretVersion:
    """Add an enabled version; the secret's etag stays."""
    stored = secret(project.secrets, request.parent)
    if not 0 < len(request.payload.data) <= LARGEST_PAYLOAD:
        refuse("payload is empty or too large")
    name = f"{request.parent}/versions/{len(stored.versions) + 1}"
    stored.versions.append(sm.SecretVersion(name=name, state=State.ENABLED, etag=project.etag()))
    stored.payloads.append(request.payload.data)
    return stored.versions[-1]


def get_version(project: Project, request: sm.GetSecretVersionRequest) -> sm.SecretVersion:
    """Describe a version; `latest` is the newest, in any state."""
    stored = secret(project.seen(), request.name)
    return stored.versions[index_of(stored, request.name)]


def access_version(project: Project, request: sm.AccessSecretVersionRequest) -> sm.AccessSecretVersionResponse:
    """Read a version: by its number as it is now, by `latest` as it may have been."""
    is_alias = request.name.endswith("/latest")
    stored = secret(project.seen() if is_alias else project.secrets, request.name)
    index = index_of(stored, request.name)
    version = stored.versions[index]
    if version.state != State.ENABLED:
        raise Refused(
            Code.FAILED_PRECONDITION, f"Secret Version [{version.name}] is in {State(version.state).name} state."
        )
    return sm.AccessSecretVersionResponse(name=version.name, payload={"data": stored.payloads[index]})


def set_state(state: Any) -> Callable[[Project, Any], sm.SecretVersion]:
    """Return the call that enables, disables or destroys a version; destroying is for good."""

    def call(project: Project, request: Any) -> sm.SecretVersion:
        stored = secret(project.secrets, request.name)
        index = index_of(stored, request.name)
        version = stored.versions[index]
        check_etag(request.etag, version.etag)
        if version.state == State.DESTROYED:
            raise Refused(Code.FAILED_PRECONDITION, f"Secret Version [{version.name}] is in DESTROYED state.")
        version.state, version.etag = state, project.etag()
        if state == State.DESTROYED:
            stored.payloads[index] = b""
        return version

    return call
