"""Strava's answers and its ways of saying no, as bytes: same content, same bytes."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Response

JSON = "application/json; charset=utf-8"
MESSAGES = {
    400: "Bad Request",
    401: "Authorization Error",
    403: "Forbidden",
    404: "Record Not Found",
    429: "Rate Limit Exceeded",
    500: "Internal Server Error",
}


class Refusal(Exception):
    """An answer other than success, in Strava's shape: at most one error, which has a resource, a field and a code."""

    def __init__(
        self, status: int, *error: str, headers: Mapping[str, str] | None = None, is_empty: bool = False
    ) -> None:
        super().__init__(f"{status}")
        errors = [dict(zip(("resource", "field", "code"), error, strict=True))] if error else []
        self.status, self.headers = status, headers
        self.body = None if is_empty else {"message": MESSAGES[status], "errors": errors}


def answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer; None is an empty body."""
    content = b"" if body is None else orjson.dumps(body)
    return Response(content, status_code=status, headers=dict(headers or {}), media_type=JSON)
