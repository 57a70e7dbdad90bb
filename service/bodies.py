"""Reads a request's body no further than a limit, whatever its Content-Length claims."""

from starlette.types import Receive


class BodyTooLarge(Exception):
    """The body is longer than the limit; the rest of it was not read."""


class CallerLeft(Exception):
    """The connection closed before the body was complete; there is nobody to answer."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """Return the whole body. Raises BodyTooLarge, CallerLeft."""
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerLeft
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return body
