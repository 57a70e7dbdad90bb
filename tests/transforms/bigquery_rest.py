"""What dbt asks of BigQuery's REST interface while it compiles, answered by a server on loopback."""

import json
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.transforms.warehouse import AS_OF

Rows = list[dict[str, Any]]


class RestInterface(BaseHTTPRequestHandler):
    """Answers which tables a dataset has, and runs the queries by which dbt looks into them."""

    tables: Mapping[str, list[str]] = {}
    rows_of: Callable[[str], Rows]
    queries: dict[str, str]

    def do_GET(self) -> None:  # http.server's name
        path = self.path.split("?")[0]
        if "/queries/" in path:
            try:
                result = self._result(path.rsplit("/", 1)[1])
            except Exception as error:  # without an answer dbt would ask again for minutes
                self.send_error(HTTPStatus.BAD_REQUEST, explain=str(error))
                raise
            self._answer(result)
        else:
            dataset = path.split("/datasets/")[1].split("/")[0]
            names = self.tables.get(dataset, []) if "/tables" in path else []
            place = {"projectId": "a-project", "datasetId": dataset}
            self._answer({"tables": [{"tableReference": {**place, "tableId": n}, "type": "TABLE"} for n in names]})

    def do_POST(self) -> None:  # http.server's name
        job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.queries[job["jobReference"]["jobId"]] = job["configuration"]["query"]["query"]
        self._answer({**job, "status": {"state": "DONE"}, "statistics": {"query": {}}})

    def _result(self, job_id: str) -> dict[str, Any]:
        rows = self.rows_of(self.queries[job_id])
        names = list(rows[0]) if rows else ["nothing"]
        kinds = ["INTEGER" if rows and isinstance(rows[0][name], int) else "STRING" for name in names]
        return {
            "jobReference": {"projectId": "a-project", "jobId": job_id},
            "jobComplete": True,
            "totalRows": str(len(rows)),
            "schema": {"fields": [{"name": n, "type": k} for n, k in zip(names, kinds, strict=True)]},
            "rows": [{"f": [{"v": None if v is None else str(v)} for v in row.values()]} for row in rows],
        }

    def _answer(self, content: Mapping[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


def compiled(
    life: Any,
    folder: Path,
    tables: Mapping[str, list[str]],
    rows_of: Callable[[str], Rows],
    *arguments: str,
) -> dict[str, Any]:
    """Return each model's node, compiled for BigQuery, when these tables exist already."""
    handler = type("Handler", (RestInterface,), {"tables": tables, "rows_of": staticmethod(rows_of), "queries": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        result = life.with_variables(
            DBT_TARGET="bigquery",
            GCP_PROJECT="a-project",
            BIGQUERY_METHOD="oauth-secrets",
            BIGQUERY_TOKEN="unused",
            BIGQUERY_API_ENDPOINT=f"http://127.0.0.1:{server.server_port}",
            DBT_TARGET_PATH=str(folder),
        ).dbt("compile", *arguments, "--vars", json.dumps({"as_of": AS_OF}))
        server.shutdown()
        thread.join()
    assert result.success, result.exception
    return {f"{r.node.schema}.{r.node.name}": r.node for r in result.result if r.node.resource_type != "test"}
