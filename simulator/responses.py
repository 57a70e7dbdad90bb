"""Strava's answers and its ways of saying no, as bytes: same content, same bytes."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Response

JSON = "application/json; charset=utf-8"


class Refusal(Exception):
    """An answer other than success, in Strava's shape. `body` None is an empty body."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}")
        self.status, self.body, self.headers = status, body, dict(headers or {})


def answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer; None is an empty body."""
    content = b"" if body is None else orjson.dumps(body)
    return Response(content, status_code=status, headers=dict(headers or {}), media_type=JSON)


def problem(message: str, resource: str, field: str, code: str) -> dict[str, Any]:
    """Return the body of an error."""
    return {"message": message, "errors": [{"resource": resource, "field": field, "code": code}]}


def bad_request(resource: str, field: str, code: str) -> Refusal:
    """400."""
    return Refusal(400, problem("Bad Request", resource, field, code))


def unauthorized(resource: str, field: str, code: str) -> Refusal:
    """401, without rate headers as Strava often does."""
    return Refusal(401, problem("Authorization Error", resource, field, code))


def not_found(resource: str, headers: Mapping[str, str] | None = None, *, is_empty: bool = False) -> Refusal:
    """404; the body may be empty."""
    body = None if is_empty else problem("Record Not Found", resource, "id", "invalid")
    return Refusal(404, body, headers)


def unknown_path(headers: Mapping[str, str]) -> Refusal:
    """404: the API has no such address, or not for this method."""
    return Refusal(404, problem("Record Not Found", "resource", "path", "invalid"), headers)


def rate_limit_exceeded(headers: Mapping[str, str]) -> Refusal:
    """429, without `Retry-After`."""
    return Refusal(429, problem("Rate Limit Exceeded", "Application", "rate limit", "exceeded"), headers)


def inactive() -> Refusal:
    """403: the subscription of the application's owner lapsed."""
    return Refusal(403, problem("Forbidden", "Application", "Status", "Inactive"))


def server_error() -> Refusal:
    """500."""
    return Refusal(500, {"message": "Internal Server Error", "errors": []})
