"""Has the marts built of what an import stored, where no pipeline runs that does it by itself."""

import asyncio
from dataclasses import dataclass, field

from athlete.data_dir import running_process
from athlete.transform import fault
from backends.engine import is_on_gcp
from worker.dbt_runner.settings import TransformSettings
from worker.dbt_runner.transformer import Transformed


@dataclass(slots=True)
class Charts:
    """Builds while the import goes on, and once more at its end if more came; `are_built` tells that it did."""

    settings: TransformSettings
    are_built: bool = field(default=False, init=False)
    _has_rows: bool = field(default=False, init=False)
    _first: "asyncio.Task[Transformed | None] | None" = field(default=None, init=False)

    @property
    def is_needed(self) -> bool:
        """Whether nobody else builds them: neither `athlete up` nor, on Google Cloud, the sweep."""
        return not is_on_gcp(self.settings) and running_process(self.settings.data_dir) is None

    async def begin(self) -> None:
        """Start to build what is stored so far."""
        self._has_rows = True
        if self.is_needed and (self._first is None or self._first.done()):
            self._first = asyncio.create_task(_build(self.settings))

    async def finish(self) -> str:
        """Build what came since; return what to say where that failed. Raises WarehouseBusy, OSError.

        Nothing is built where no import got so far as to store a row.
        """
        if self._first is not None:
            await self._first
        if not (self._has_rows and self.is_needed):
            return ""
        done = await _build(self.settings)
        if done is not None and not done.is_published:
            return f"The charts are as before. {fault(done)}"
        self.are_built = True
        return ""


async def _build(settings: TransformSettings) -> Transformed | None:
    from worker.dbt_runner.main import open_transformer  # noqa: PLC0415 - dbt, which the other commands need not wait for

    async with open_transformer(settings, stays=True) as transformer:
        return await transformer.run_if_stale()
