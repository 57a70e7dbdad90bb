"""A project of Google Cloud as its programs are told of it: each part is a server of this machine."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from tests.bigquery_emulator import new_dataset
from tests.google_tokens import ACCOUNT, AUDIENCE, served, signing_key

S = TypeVar("S")


def new_project(
    *, bigquery: str, cloud_run: str, secret_manager: str, certificates: str, strava: str, data_dir: Path
) -> dict[str, str]:
    """Return the environment of every program of a project that no other test has."""
    return {
        "BACKEND": "gcp",
        "BIGQUERY_API_ENDPOINT": bigquery,
        "CLOUD_RUN_API_ENDPOINT": cloud_run,
        "DATA_DIR": str(data_dir),
        "GOOGLE_CLOUD_PROJECT": new_dataset().replace("_", "-"),
        "GOOGLE_CLOUD_REGION": "europe-west1",
        "LOG_FORMAT": "google",
        "PUSH_AUDIENCE": AUDIENCE,
        "PUSH_CERTIFICATES_URL": certificates,
        "PUSH_SERVICE_ACCOUNT": ACCOUNT,
        "SECRET_MANAGER_ENDPOINT": secret_manager,
        "STRAVA_API_URL": f"{strava}/api/v3",
        "STRAVA_OAUTH_URL": f"{strava}/oauth",
    }


def told(program: Callable[..., S], environment: Mapping[str, str], **more: Any) -> S:
    """Read a program's settings."""
    return program(**{name.lower(): value for name, value in environment.items()}, **more)


class _Certificates(BaseHTTPRequestHandler):
    """Serves the certificates that tokens are checked by."""

    def do_GET(self) -> None:
        content = served(signing_key())
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served_certificates() -> Iterator[str]:
    """Serve them from a thread; yield their address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Certificates)
    serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/certs"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
