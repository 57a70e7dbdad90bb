"""What is particular to reading BigQuery: what a look costs, what a job says of itself, limits, and errors."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from backends.warehouse import WarehouseBusy
from backends.warehouse.bigquery.client import Place
from backends.warehouse.bigquery.console import BigQuerySqlConsole
from backends.warehouse.bigquery.mart_console import BigQueryMartConsole
from backends.warehouse.bigquery.marts import BigQueryMartReader
from backends.warehouse.marts import MartLimits, MartMissing, QueryFailed
from tests.bigquery_stores import BigQueryMarts

GIGABYTE = 10**9


@pytest.fixture(scope="module")
def marts(bigquery_emulator: str) -> BigQueryMarts:
    """Marts that are built: three numbers."""
    marts = BigQueryMarts(bigquery_emulator)
    marts.build(3)
    return marts


def test_a_look_for_other_marts_is_no_job(marts: BigQueryMarts) -> None:
    """An open page costs nothing while nothing changes: the version comes from metadata."""
    reader = marts.reader()
    before = len(list(marts.client.list_jobs()))
    assert len({reader.version() for _ in range(5)}) == 1
    assert len(list(marts.client.list_jobs())) == before


def test_marts_are_new_when_all_of_them_are(marts: BigQueryMarts) -> None:
    """A table that was replaced is no other version before the build has ended."""
    reader = marts.reader()
    before = reader.version()
    marts.make("mart.numbers", "select 1 as n")
    assert reader.version() == before
    marts.publish()
    assert reader.version() != before


def test_an_athletes_rows_are_counted_in_both_layers(bigquery_emulator: str) -> None:
    """Tables with athletes count theirs, tables with activities alone those; views and others are left out."""
    marts = BigQueryMarts(bigquery_emulator)
    with pytest.raises(MartMissing, match="`athlete transform`"):
        marts.reader().rows_of(7, [1])
    marts.make("staging.laps", "select activity_id from unnest([1, 1, 2, 3]) as activity_id")
    marts.make("mart.activities", "select 7 as athlete_id, 1 as activity_id union all select 8, 2")
    marts.make("mart.dates", "select date '2026-05-04' as date_day")
    marts.client.query_and_wait("create view mart.shown as select * from mart.activities")
    marts.publish()
    assert marts.reader().rows_of(7, [1, 3]) == {"staging": 3, "mart": 1}
    assert marts.reader().rows_of(9, []) == {"staging": 0, "mart": 0}


def test_a_person_asks_in_bigquerys_sql(marts: BigQueryMarts) -> None:
    """Names, rows as they are fetched, and what they cost."""
    marts.build(2_500)
    with closing(BigQuerySqlConsole(marts.place)) as console:
        answer = console.query("select n, [n] as many, struct(n as m) as one from mart.numbers order by n")
        rows = list(answer.rows)
    assert (answer.columns, rows[0], len(rows)) == (["n", "many", "one"], (1, [1], {"m": 1}), 2_500)
    assert answer.scanned_bytes is not None


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select 1; select 2", "SCRIPT is refused"),
        ("delete from mart.numbers where true", "DELETE is refused"),
        ("create table mart.mine as select 1 as n", "CREATE_TABLE_AS_SELECT is refused"),
        ("select nothing_such from mart.numbers", "nothing_such"),
        ("selekt", "selekt|SELEKT"),
    ],
)
def test_a_person_can_only_ask(marts: BigQueryMarts, sql: str, told: str) -> None:
    """What changes anything, is more than one statement or is no SQL is refused in one line before it runs."""
    with closing(BigQuerySqlConsole(marts.place)) as console, pytest.raises(QueryFailed, match=told) as caught:
        console.query(sql)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_not_there_is_named(marts: BigQueryMarts) -> None:
    """A person reads which one, and how marts are made."""
    with closing(BigQuerySqlConsole(marts.place)) as console, pytest.raises(MartMissing, match=r"future.*`athlete"):
        console.query("select * from mart.future")


# -- against a server that answers as BigQuery's REST interface does -------------------------------------------------

Answer = tuple[int, dict[str, Any]]
PUBLISHED = {"etag": "a", "tableReference": {"projectId": "p", "datasetId": "mart", "tableId": "publication"}}
ONE_ROW = {
    "jobComplete": True,
    "jobReference": {"projectId": "p", "jobId": "j", "location": "EU"},
    "schema": {"fields": [{"name": "n", "type": "INTEGER"}]},
    "totalRows": "1",
    "rows": [{"f": [{"v": "5"}]}],
}


class Answering(BaseHTTPRequestHandler):
    """Answers by a function of path and body, and keeps the bodies."""

    answer: Callable[[str, dict[str, Any]], Answer]
    asked: list[dict[str, Any]]

    def do_GET(self) -> None:  # http.server's name
        self._reply({})

    def do_POST(self) -> None:  # http.server's name
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        self._reply(body)

    def _reply(self, body: dict[str, Any]) -> None:
        status, content = self.answer(self.path.partition("?")[0], body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


Serve = Callable[[Callable[[str, dict[str, Any]], Answer]], tuple[Place, list[dict[str, Any]]]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A way to start such a server."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[str, dict[str, Any]], Answer]) -> tuple[Place, list[dict[str, Any]]]:
        asked: list[dict[str, Any]] = []
        handler = type("Handler", (Answering,), {"answer": staticmethod(answer), "asked": asked})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever).start()
        servers.append(server)
        endpoint = f"http://127.0.0.1:{server.server_port}"
        return Place(project="p", location="EU", endpoint=endpoint, maximum_bytes_billed=20 * GIGABYTE), asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def dry(body: dict[str, Any], total_bytes: int) -> Answer:
    """Answer a dry run."""
    query = {"statementType": "SELECT", "totalBytesProcessed": str(total_bytes), "schema": ONE_ROW["schema"]}
    statistics = {"totalBytesProcessed": str(total_bytes), "query": query}
    return HTTPStatus.OK, {**body, "status": {"state": "DONE"}, "statistics": statistics}


def test_each_job_says_who_asks_and_how_much_it_may_read(serve: Serve) -> None:
    """Labels for the bill, a limit, the cache, values bound: in the dry run and the query; the dry run comes once."""

    def answer(path: str, body: dict[str, Any]) -> Answer:
        if path.endswith("/jobs"):
            return dry(body, GIGABYTE)
        return HTTPStatus.OK, PUBLISHED if "/tables/" in path else ONE_ROW

    place, asked = serve(answer)
    reader = BigQueryMartReader(place)
    sql = "select n from mart.numbers where n > ?"
    assert reader.rows(sql, [1]) == reader.rows(sql, [2]) == [{"n": 5}]
    dry_run, first, second = asked
    assert dry_run["configuration"]["dryRun"]
    for body in (dry_run["configuration"] | dry_run["configuration"]["query"], first, second):
        assert body["labels"] == {"program": "athlete-dashboard", "reader": "marts"}
        assert body["maximumBytesBilled"] == str(20 * GIGABYTE)
        assert body["useQueryCache"]
        assert body["queryParameters"][0]["parameterType"] == {"type": "INT64"}
        assert body["query"] == sql
    assert second["queryParameters"][0]["parameterValue"] == {"value": "2"}


def test_a_question_of_a_page_ends_by_itself(serve: Serve) -> None:
    """BigQuery is told how long it may take; what the pages ask of themselves has no such limit."""
    place, asked = serve(lambda path, body: dry(body, GIGABYTE) if path.endswith("/jobs") else (HTTPStatus.OK, ONE_ROW))
    assert BigQueryMartConsole(place, MartLimits(seconds=20)).asking("select n from mart.numbers").answer().rows == [
        {"n": 5}
    ]
    assert [body["jobTimeoutMs"] for body in (asked[0]["configuration"], asked[1])] == ["20000", "20000"]
    with closing(BigQuerySqlConsole(place)) as console:
        assert list(console.query("select n from mart.numbers").rows) == [(5,)]
    assert "jobTimeoutMs" not in asked[3]


def test_a_query_over_the_limit_is_not_run(serve: Serve) -> None:
    """What the dry run tells is enough: a person reads the bytes and what to do."""
    place, asked = serve(lambda _, body: dry(body, 21 * GIGABYTE))
    with closing(BigQuerySqlConsole(place)) as console, pytest.raises(QueryFailed, match=r"21.0 GB.*narrow it"):
        console.query("select * from raw.strava_streams")
    assert len(asked) == 1


ERRORS = [
    (403, "accessDenied", "Access Denied: Table p:mart.t", WarehouseBusy, "BigQuery Data Viewer"),
    (403, "quotaExceeded", "Quota exceeded", WarehouseBusy, "quota is spent"),
    (400, "bytesBilledLimitExceeded", "Query exceeded limit for bytes billed", QueryFailed, "limit for bytes"),
    (400, "invalidQuery", "Syntax error:\nat [1:1]", QueryFailed, "^Syntax error: at .1:1.$"),
    (404, "notFound", "Not found: Table p:mart.t", MartMissing, "p:mart.t.*`athlete transform`"),
]


@pytest.mark.parametrize(("status", "reason", "message", "kind", "told"), ERRORS)
def test_googles_errors_become_the_ports(
    serve: Serve, status: int, reason: str, message: str, kind: type[Exception], told: str
) -> None:
    """Refused for good, for the moment, or not there: one line says what to do."""
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    place, _ = serve(lambda path, _: (HTTPStatus.OK, PUBLISHED) if "/tables/" in path else (status, {"error": error}))
    with pytest.raises(kind, match=told):
        BigQueryMartReader(place).rows("select 1 as n")
