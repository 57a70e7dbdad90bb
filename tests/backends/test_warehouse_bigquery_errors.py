"""What the store in BigQuery makes of Google's errors."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from backends.warehouse import StatementRejected, WarehouseBusy
from backends.warehouse.bigquery.client import BigQuery, Conflict, Place
from backends.warehouse.bigquery.loads import PREFIX, load
from backends.warehouse.bigquery.statements import Given
from tests.bigquery_stores import EmptiedDataset
from tests.contracts.test_raw_store import payload, seen


class Refusing(BaseHTTPRequestHandler):
    """Answers every request with one error, as BigQuery's REST interface does, and keeps what was asked."""

    status: int
    reason: str
    message: str
    asked: list[dict[str, Any]]

    def do_POST(self) -> None:  # http.server's name
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        error = {"reason": self.reason, "message": self.message}
        body = json.dumps({"error": {"code": self.status, "message": self.message, "errors": [error]}}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def refused_with() -> Iterator[Callable[[int, str, str], tuple[BigQuery, list[dict[str, Any]]]]]:
    """A way to speak to a BigQuery that answers everything with one error."""
    servers: list[ThreadingHTTPServer] = []

    def serve(status: int, reason: str, message: str) -> tuple[BigQuery, list[dict[str, Any]]]:
        asked: list[dict[str, Any]] = []
        told = {"status": status, "reason": reason, "message": message, "asked": asked}
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Refusing,), told))
        threading.Thread(target=server.serve_forever).start()
        servers.append(server)
        place = Place(project="p", location="EU", endpoint=f"http://127.0.0.1:{server.server_port}")
        return BigQuery(place, repeats_for_s=0), asked

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


ERRORS = [
    (400, "invalidQuery", "Could not serialize access to table t due to concurrent update", Conflict, "somebody else"),
    (400, "invalidQuery", "Transaction is aborted due to concurrent update against table t", Conflict, "somebody else"),
    (400, "resourcesExceeded", "Too many DML statements outstanding against table t", Conflict, "somebody else"),
    (403, "quotaExceeded", "Quota exceeded: too many table dml insert operations", WarehouseBusy, "quota is spent"),
    (403, "rateLimitExceeded", "Exceeded rate limits", WarehouseBusy, "try again later"),
    (403, "accessDenied", "Access Denied: User does not have permission", WarehouseBusy, "BigQuery Data Editor"),
    (404, "notFound", "Not found: Table p:raw.t", WarehouseBusy, "start the worker once"),
    (403, "jobRateLimitExceeded", "Exceeded rate limits: too many jobs", WarehouseBusy, "try again later"),
    (400, "resourceInUse", "Dataset p:raw is in use", WarehouseBusy, "try again later"),
    (400, "tableUnavailable", "Table p:raw.t is not available", WarehouseBusy, "try again later"),
    (503, "backendError", "Try again", WarehouseBusy, "try again later"),
    (400, "invalidQuery", "Syntax error", StatementRejected, "does not take"),
    (400, "bytesBilledLimitExceeded", "limit for bytes billed: 10", WarehouseBusy, "BIGQUERY_MAXIMUM_BYTES_BILLED"),
]


@pytest.mark.parametrize(("status", "reason", "message", "kind", "told"), ERRORS)
async def test_googles_errors_become_ours(
    refused_with: Callable[[int, str, str], tuple[BigQuery, list[dict[str, Any]]]],
    status: int,
    reason: str,
    message: str,
    kind: type[Exception],
    told: str,
) -> None:
    """What time can mend is to be tried later; what it cannot is a fault. A statement is labelled and has a limit."""
    bigquery, asked = refused_with(status, reason, message)
    with pytest.raises(kind, match=told):
        await bigquery.query("probe", "select 1")
    query = asked[0]["configuration"]
    assert query["labels"] == {"program": "athlete-dashboard", "statement": "probe"}
    assert query["query"]["maximumBytesBilled"] == str(10 * 2**30)
    assert query["query"]["defaultDataset"] == {"projectId": "p", "datasetId": "raw"}
    await bigquery.close()


async def test_a_load_that_is_refused_is_to_be_tried_later(
    refused_with: Callable[[int, str, str], tuple[BigQuery, list[dict[str, Any]]]],
) -> None:
    """As a statement is; the table that the rows were to come in would have expired within an hour."""
    bigquery, asked = refused_with(403, "quotaExceeded", "Quota exceeded: too many load jobs")
    with pytest.raises(WarehouseBusy, match="quota is spent"):
        await bigquery.run(partial(load, statement="put_events", given=Given("entries", {"delivery_id": "string"}, [])))
    assert asked[0]["tableReference"]["tableId"].startswith(PREFIX)
    assert 0 < int(asked[0]["expirationTime"]) / 1000 - time.time() <= 3600
    await bigquery.close()


async def test_a_closed_store_is_busy(bigquery_dataset: EmptiedDataset) -> None:
    """Work that comes after closing is refused, not lost in silence."""
    store = bigquery_dataset.opener()()
    await store.close()
    with pytest.raises(WarehouseBusy, match="was closed"):
        await store.apply([seen(payload(1), 1)])
