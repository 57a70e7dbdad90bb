"""What dbt asks of BigQuery's REST interface, answered by a server on loopback that keeps what it was sent."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.transforms.warehouse import AS_OF, failures

Rows = list[dict[str, Any]]
Columns = Mapping[str, str]  # types by name
Answer = Callable[[str], tuple[Columns, Rows]]


@dataclass(frozen=True, slots=True)
class Job:
    """A statement as dbt sent it, with the job's settings."""

    sql: str
    configuration: Mapping[str, Any]


class RestInterface(BaseHTTPRequestHandler):
    """Answers which tables a dataset has, and runs the queries by which dbt looks into them.

    Other statements are taken and not executed; a table that is made for a moment has the columns of the one it is for.
    """

    tables: Mapping[str, Columns] = {}
    answer: Answer
    jobs: dict[str, Job]

    def do_GET(self) -> None:  # http.server's name
        parts = self.path.split("?")[0].split("/projects/a-project/")[1].split("/")
        match parts:
            case ["queries", job_id]:
                try:
                    result = self._result(job_id)
                except Exception as error:  # without an answer dbt would ask again for minutes
                    self.send_error(HTTPStatus.BAD_REQUEST, explain=str(error))
                    raise
                self._answer(result)
            case ["jobs", job_id]:
                self._answer(self._done(job_id))
            case ["datasets", dataset, "tables", name]:
                columns = self.tables.get(f"{dataset}.{name.partition('__dbt_tmp')[0]}")
                self._answer(_table(dataset, name, columns) if columns else {}, found=bool(columns))
            case ["datasets", dataset, *_]:
                names = [name.partition(".")[2] for name in self.tables if name.startswith(f"{dataset}.")]
                self._answer({"tables": [_table(dataset, name, {}) for name in names], **_dataset(dataset)})
            case _:
                self._answer({"datasets": [_dataset(name) for name in ("staging", "mart")]})

    def do_POST(self) -> None:  # http.server's name
        job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        job_id, configuration = job["jobReference"]["jobId"], job["configuration"]
        self.jobs[job_id] = Job(configuration["query"]["query"], configuration)
        self._answer(self._done(job_id))

    def do_DELETE(self) -> None:  # http.server's name
        self._answer({})

    def _done(self, job_id: str) -> dict[str, Any]:
        reference = {"projectId": "a-project", "jobId": job_id, "location": "EU"}
        return {
            "jobReference": reference,
            "configuration": self.jobs[job_id].configuration,
            "status": {"state": "DONE"},
            "statistics": {"query": {}},
        }

    def _result(self, job_id: str) -> dict[str, Any]:
        sql = self.jobs[job_id].sql
        types, rows = self.answer(sql) if re.match(r"(\s|/\*.*?\*/)*select\b", sql) else ({"nothing": "string"}, [])
        return {
            "jobReference": {"projectId": "a-project", "jobId": job_id},
            "jobComplete": True,
            "totalRows": str(len(rows)),
            "schema": {"fields": [{"name": name, "type": kind.upper()} for name, kind in types.items()]},
            "rows": [{"f": [{"v": None if v is None else str(v)} for v in row.values()]} for row in rows],
        }

    def _answer(self, content: Mapping[str, Any], *, found: bool = True) -> None:
        body = json.dumps(content).encode()
        self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


def _dataset(name: str) -> dict[str, Any]:
    return {"datasetReference": {"projectId": "a-project", "datasetId": name}, "location": "EU"}


def _table(dataset: str, name: str, columns: Columns) -> dict[str, Any]:
    reference = {"projectId": "a-project", "datasetId": dataset, "tableId": name}
    fields = [{"name": column, "type": kind.upper()} for column, kind in columns.items()]
    return {"tableReference": reference, "type": "TABLE", "schema": {"fields": fields}}


def compiled(life: Any, folder: Path, tables: Mapping[str, Columns], answer: Answer, *arguments: str) -> dict[str, Any]:
    """Return the node of each model and test, compiled for BigQuery, when these tables exist already."""
    return sent(life, folder, tables, answer, "compile", *arguments)[0]


def sent(
    life: Any, folder: Path, tables: Mapping[str, Columns], answer: Answer, *command: str
) -> tuple[dict[str, Any], list[Job]]:
    """Run dbt for BigQuery, where these tables exist; return each model's node, and what was sent in that order."""
    jobs: dict[str, Job] = {}
    handler = type("Handler", (RestInterface,), {"tables": tables, "answer": staticmethod(answer), "jobs": jobs})
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
        ).dbt(*command, "--vars", json.dumps({"as_of": AS_OF}))
        server.shutdown()
        thread.join()
    assert result.success, failures(result)
    nodes = {f"{r.node.schema}.{r.node.name}": copy(r.node) for r in result.result}  # dbt compiles its own once more
    return nodes, list(jobs.values())
