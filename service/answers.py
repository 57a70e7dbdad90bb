"""The webhook's answers to Strava, made once: 200 says that the event is durable, all others that it was not taken."""

from dataclasses import dataclass

import orjson
from starlette.types import Message, Send


@dataclass(frozen=True, slots=True)
class Answer:
    """One finished HTTP answer as the two ASGI messages that carry it."""

    status: int
    start: Message
    body: Message

    @classmethod
    def of(cls, status: int, sentence: str | None = None, *headers: tuple[bytes, bytes]) -> "Answer":
        """Make an answer with an empty body, or with `{"detail": sentence}`."""
        body = b"" if sentence is None else orjson.dumps({"detail": sentence})
        kind = [] if sentence is None else [(b"content-type", b"application/json")]
        length = (b"content-length", b"%d" % len(body))
        return cls(
            status=status,
            start={"type": "http.response.start", "status": status, "headers": [length, *kind, *headers]},
            body={"type": "http.response.body", "body": body},
        )

    async def send(self, send: Send) -> None:
        """Send it."""
        await send(self.start)
        await send(self.body)


TAKEN = Answer.of(200)
UNKNOWN_PATH = Answer.of(404, "Not Found")
TOO_LARGE = Answer.of(413, "The body is larger than any event of Strava's.", (b"connection", b"close"))
NOT_DURABLE = Answer.of(503, "The event could not be stored; send it again.", (b"retry-after", b"30"))


def unreadable(fault: str) -> Answer:
    """Refuse a body that is not one of Strava's events, saying what is wrong with it."""
    return Answer.of(400, f"This is not a Strava event: {fault}.")
