"""One log line an event while events are few, one a second when they pour in: a line costs more than the answer."""

import time
from collections.abc import Callable, Mapping

import structlog

from runtime.logs import logged_object
from service.request_ids import new_request_id

log = structlog.get_logger(__name__)


class Tally:
    """Logs queued events: each of the first `lines_per_s` in a second, then how many more there were."""

    def __init__(self, *, lines_per_s: int = 20, clock: Callable[[], float] = time.monotonic) -> None:
        self._lines_per_s = lines_per_s
        self._clock = clock
        self._second_began = float("-inf")
        self._lines = 0
        self._untold = 0

    def queued(self, attributes: Mapping[str, str]) -> None:
        """Tell of the event with these attributes, or count it."""
        now = self._clock()
        if now - self._second_began >= 1:
            self.flush()
            self._second_began, self._lines = now, 0
        if self._lines >= self._lines_per_s:
            self._untold += 1
            return
        self._lines += 1
        log.info("event.queued", request_id=new_request_id(), **_fields(attributes))

    def flush(self) -> None:
        """Tell how many events were counted and not told."""
        if self._untold:
            log.info("event.queued_more", count=self._untold)
        self._untold = 0


def _fields(attributes: Mapping[str, str]) -> dict[str, object]:
    return {
        "event_id": attributes["event_id"],
        "object_type": attributes["object_type"],
        "aspect_type": attributes["aspect_type"],
        **logged_object(attributes["object_type"], int(attributes["object_id"])),
    }
