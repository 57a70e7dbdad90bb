"""Cloud Storage's JSON API on loopback, as far as Google's client asks it for the inbox. It keeps everything in memory.

Shapes of https://cloud.google.com/storage/docs/json_api/v1/objects: list, get (with `alt=media` and ranges), insert by
`uploadType=multipart`, rewrite, delete; and https://cloud.google.com/storage/docs/request-preconditions.
"""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c

OBJECT = r"/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)"
ROUTES: Mapping[str, re.Pattern[str]] = {
    "list": re.compile(r"/storage/v1/b/(?P<bucket>[^/]+)/o"),
    "get": re.compile(rf"/storage/v1{OBJECT}"),
    "media": re.compile(rf"/download/storage/v1{OBJECT}"),
    "insert": re.compile(r"/upload/storage/v1/b/(?P<bucket>[^/]+)/o"),
    "rewrite": re.compile(rf"/storage/v1{OBJECT}/rewriteTo/b/(?P<to_bucket>[^/]+)/o/(?P<to>[^/]+)"),
    "delete": re.compile(rf"/storage/v1{OBJECT}"),
}
METHODS = {"GET": ("list", "get", "media"), "POST": ("insert", "rewrite"), "DELETE": ("delete",)}
MESSAGES = {403: "does not have storage.objects.get access", 404: "No such object", 412: "conditionNotMet", 503: "Busy"}


class Refused(Exception):
    """A status that the server answers with."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class Stored:
    """An object as it is; another of its name has another generation."""

    content: bytes
    generation: int

    def resource(self, bucket: str, name: str) -> dict[str, Any]:
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": name,
            "generation": str(self.generation),
            "metageneration": "1",
            "size": str(len(self.content)),
            "crc32c": checksum(self.content),
            "updated": "2026-05-04T12:00:00.000Z",
        }


@dataclass
class CloudStorage:
    """One bucket. `fault` is asked before a call and names its status; `page` is the most of a list, `piece` of a copy.

    `calls` has the name of each call, and `sent` is how many bytes of content were.
    """

    bucket: str = "my-inbox"
    endpoint: str = ""
    objects: dict[str, Stored] = field(default_factory=dict)
    fault: Callable[[str, str], int] = lambda _call, _name: 0
    page: int = 2
    piece: int = 2**20
    calls: list[str] = field(default_factory=list)
    sent: int = 0
    _generation: int = 1_700_000_000_000_000

    def put(self, name: str, content: bytes) -> Stored:
        """Store an object as an upload does: whole."""
        self._generation += 1
        self.objects[name] = Stored(content, self._generation)
        return self.objects[name]

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and content."""
        path, query = (
            urlsplit(target).path,
            {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()},
        )
        for call in METHODS[method]:
            if (found := ROUTES[call].fullmatch(path)) is not None:
                break
        else:
            raise Refused(400)
        parts = {key: unquote(value) for key, value in found.groupdict().items()}
        self.calls.append(call)
        if status := self.fault(call, parts.get("name", "")):
            raise Refused(status)
        if parts.pop("bucket") != self.bucket:
            raise Refused(404)
        if call == "media":
            return self._media(self._found(parts["name"], query), headers)
        told = getattr(self, f"_{call}")(query=query, headers=headers, body=body, **parts)
        return (
            (204, {}, b"") if told is None else (200, {"content-type": "application/json"}, json.dumps(told).encode())
        )

    def _found(self, name: str, query: Mapping[str, str], prefix: str = "") -> Stored:
        stored = self.objects.get(name)
        generation, wanted = (query.get(key) for key in keys(prefix))
        if stored is None or generation not in {None, str(stored.generation)}:
            raise Refused(404)
        if wanted not in {None, str(stored.generation)}:
            raise Refused(412)
        return stored

    def _list(self, query: Mapping[str, str], **_: object) -> dict[str, Any]:
        prefix, delimiter = query.get("prefix", ""), query["delimiter"]
        names = sorted(each for each in self.objects if each.startswith(prefix))
        plain = [each for each in names if delimiter not in each.removeprefix(prefix)]
        begin = int(query.get("pageToken", "0"))
        told: dict[str, Any] = {
            "kind": "storage#objects",
            "items": [self.objects[each].resource(self.bucket, each) for each in plain[begin : begin + self.page]],
            "prefixes": sorted({prefix + each.removeprefix(prefix).split("/")[0] + "/" for each in names} - {*plain}),
        }
        return told | ({"nextPageToken": str(begin + self.page)} if begin + self.page < len(plain) else {})

    def _get(self, name: str, query: Mapping[str, str], **_: object) -> dict[str, Any]:
        return self._found(name, query).resource(self.bucket, name)

    def _media(self, stored: Stored, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        content, status, told = stored.content, 200, {"x-goog-hash": f"crc32c={checksum(stored.content)}"}
        if (asked := re.fullmatch(r"bytes=(\d+)-(\d+)", headers.get("range", ""))) is not None:
            begin, end = int(asked[1]), int(asked[2])
            if begin >= len(content):
                raise Refused(416)
            content, status = content[begin : end + 1], 206
            told = {"content-range": f"bytes {begin}-{begin + len(content) - 1}/{len(stored.content)}"}
        self.sent += len(content)
        return status, {**told, "content-type": "application/octet-stream"}, content

    def _insert(self, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        assert query["uploadType"] == "multipart"
        whole = BytesParser(policy=HTTP).parsebytes(
            b"content-type: " + headers["content-type"].encode() + b"\n\n" + body
        )
        told, content = (bytes(part.get_payload(decode=True)) for part in whole.iter_parts())
        name = json.loads(told)["name"]
        return self.put(name, content).resource(self.bucket, name)

    def _rewrite(self, name: str, to: str, to_bucket: str, query: Mapping[str, str], **_: object) -> dict[str, Any]:
        content = self._found(name, query, "source").content
        done = int(query.get("rewriteToken", "0")) + self.piece
        if is_done := done >= len(content):
            self.put(to, content)
        told = {"kind": "storage#rewriteResponse", "done": is_done, "objectSize": str(len(content))}
        if not is_done:
            return told | {"totalBytesRewritten": str(done), "rewriteToken": str(done)}
        return told | {
            "totalBytesRewritten": str(len(content)),
            "resource": self.objects[to].resource(to_bucket, to),
        }

    def _delete(self, name: str, query: Mapping[str, str], **_: object) -> None:
        self._found(name, query)
        del self.objects[name]


def keys(prefix: str) -> tuple[str, str]:
    """Return which parameters name a generation, and demand one."""
    return ("sourceGeneration", "ifSourceGenerationMatch") if prefix else ("generation", "ifGenerationMatch")


def lower(headers: Message) -> dict[str, str]:
    """Return headers by their names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


def checksum(content: bytes) -> str:
    """Return the checksum by which Cloud Storage tells a damaged transfer."""
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


@contextmanager
def running_cloud_storage() -> Iterator[CloudStorage]:
    """Serve on a free port of this machine."""
    storage = CloudStorage()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 2**16  # headers and content at once, or the kernel waits between them

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            try:
                status, told, content = storage.answer(self.command, self.path, lower(self.headers), body)
            except Refused as refused:
                status, told = refused.status, {"content-type": "application/json"}
                message = MESSAGES.get(status, "Invalid argument")
                content = json.dumps({"error": {"code": status, "message": message}}).encode()
            self.send_response(status)
            for key, value in {**told, "content-length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that it looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    storage.endpoint = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield storage
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
