"""Cloud Run's Admin API on loopback, as far as programs ask it: starting a job.

Shapes of https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs/run.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RUN = re.compile(r"/v2/projects/([^/]+)/locations/([^/]+)/jobs/([^/:]+):run")
ERRORS = {
    403: ("PERMISSION_DENIED", "Permission 'run.jobs.run' denied on resource 'athlete-transform'."),
    404: ("NOT_FOUND", "Resource 'athlete-transform' of kind 'JOB' does not exist."),
    503: ("UNAVAILABLE", "The service is currently unavailable."),
}


@dataclass
class CloudRun:
    """Which jobs were started, and the status that starting one is answered with."""

    endpoint: str = ""
    started: list[str] = field(default_factory=list)
    status: int = 200

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Return status and JSON."""
        found = RUN.fullmatch(path)
        if found is None or json.loads(body) != {}:
            return 400, {"error": {"code": 400, "message": "Invalid argument.", "status": "INVALID_ARGUMENT"}}
        project, region, job = found.groups()
        if self.status != 200:
            status, message = ERRORS[self.status]
            return self.status, {"error": {"code": self.status, "message": message, "status": status}}
        self.started.append(job)
        name = f"projects/{project}/locations/{region}/jobs/{job}/executions/{job}-{len(self.started):05}"
        execution = {
            "@type": "type.googleapis.com/google.cloud.run.v2.Execution",
            "name": name,
            "createTime": "2026-05-04T12:00:00.000000Z",
            "taskCount": 1,
        }
        operation = f"projects/{project}/locations/{region}/operations/{len(self.started):05}"
        return 200, {"name": operation, "metadata": execution, "done": False}


@contextmanager
def running_cloud_run() -> Iterator[CloudRun]:
    """Serve on a free port of this machine."""
    cloud_run = CloudRun()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, told = cloud_run.answer(self.path, body)
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json; charset=UTF-8")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cloud_run.endpoint = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield cloud_run
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
