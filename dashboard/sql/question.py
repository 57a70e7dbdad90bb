"""A question under way: asked in a thread of its own, so that the page can offer to cancel it."""

import logging
from threading import Thread
from time import perf_counter

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartAnswer, MartMissing, MartQuestion, QueryFailed

LOG = logging.getLogger(__name__)


class Asking:
    """Asks at once. When `is_done`, either `answer` is there or `fault` says in a sentence why there is none."""

    def __init__(self, question: MartQuestion) -> None:
        self.answer: MartAnswer | None = None
        self.fault = ""
        self.milliseconds = 0.0
        self._question = question
        self._thread = Thread(target=self._ask, daemon=True)
        self._thread.start()

    def is_done(self, wait_s: float) -> bool:
        """Whether it has ended, after waiting so long at most."""
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """End it."""
        self._question.cancel()

    def _ask(self) -> None:
        started = perf_counter()
        try:
            self.answer = self._question.answer()
        except (MartMissing, QueryFailed, WarehouseBusy) as error:
            self.fault = str(error)
        except Exception as error:
            LOG.exception("dashboard.sql_failed")
            self.fault = f"{type(error).__name__}: {error}"
        self.milliseconds = (perf_counter() - started) * 1000
