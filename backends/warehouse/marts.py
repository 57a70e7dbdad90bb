"""Reading the warehouse: the published marts for the pages, and all of it for a person's own SQL."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


class MartMissing(Exception):
    """No mart was published yet: the first transform has not finished."""


class MartDamaged(MartMissing):
    """The published marts cannot be read; the next transform publishes them again."""


class QueryFailed(Exception):
    """The engine refused a query; the sentence is the engine's reason."""


class MartRows(list[dict[str, object]]):
    """The rows of a query; `scanned_bytes` is what an engine that bills by bytes read, None where reading is free."""

    def __init__(self, rows: Iterable[dict[str, object]] = (), scanned_bytes: int | None = None) -> None:
        super().__init__(rows)
        self.scanned_bytes = scanned_bytes


class MartReader(Protocol):
    """Reads the published marts; safe to call from several threads."""

    def version(self) -> str | None:
        """Return a text that is another once the marts are; None while there are none. Costs no query.

        Raises WarehouseBusy.
        """

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> MartRows:
        """Run one query (positional `?` parameters) on the newest snapshot.

        Raises MartMissing, WarehouseBusy, QueryFailed.
        """

    def close(self) -> None:
        """Release the snapshot."""


class MartCounts(Protocol):
    """Proves of an athlete that nothing is published any more."""

    def rows_of(self, athlete_id: int, activity_ids: Sequence[int]) -> Mapping[str, int]:
        """Count by layer, `staging` and `mart`, the rows that name the athlete or one of these activities of theirs.

        Raises MartMissing, WarehouseBusy, QueryFailed.
        """


class MartSnapshot(Protocol):
    """What dbt built, and what readers see of it. Every call blocks, and nobody may build meanwhile."""

    def is_built(self) -> bool:
        """Whether dbt has built anything."""

    def is_published(self) -> bool:
        """Whether readers have a snapshot that is not damaged."""

    def publish(self) -> None:
        """Replace the snapshot with what dbt built, as a whole. Raises MartMissing, WarehouseBusy."""

    def separate(self) -> None:
        """Give dbt a file of its own again after publishing; it must not build before. Raises WarehouseBusy."""

    def compact(self) -> None:
        """Rewrite what dbt built without the bytes of rows that were removed. Raises MartMissing, WarehouseBusy."""

    def discard_if_damaged(self, error: str) -> bool:
        """Remove what dbt built if dbt's error says that it is unreadable; all of it comes from raw. Raises OSError."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MartLimits:
    """What one question of a reader's own may take."""

    rows: int = 10_000
    seconds: float = 20.0
    bytes: int = 64_000_000  # of texts, and of lists as the engine has them; a page holds each answer in memory


@dataclass(frozen=True, kw_only=True, slots=True)
class MartAnswer:
    """The first rows of an answer, and whether there are more. `scanned_bytes` is as in `MartRows`."""

    columns: list[str]
    rows: list[dict[str, object]]
    is_cut: bool
    scanned_bytes: int | None = None

    @classmethod
    def of(
        cls, columns: list[str], rows: Sequence[Sequence[object]], limits: MartLimits, scanned_bytes: int | None = None
    ) -> "MartAnswer":
        """Keep as many rows as the limit has. Raises QueryFailed where two columns have one name."""
        if len(set(columns)) < len(columns):
            raise QueryFailed("Two columns of the answer have one name: give one of them another with `as`.")
        kept = [dict(zip(columns, row, strict=True)) for row in rows[: limits.rows]]
        return cls(columns=columns, rows=kept, is_cut=len(rows) > limits.rows, scanned_bytes=scanned_bytes)


class MartQuestion(Protocol):
    """One statement of a reader's own. `answer` blocks; another thread may cancel it."""

    def answer(self) -> MartAnswer:
        """Run it once. Raises MartMissing, WarehouseBusy, QueryFailed."""

    def cancel(self) -> None:
        """End it; its answer is then QueryFailed."""


class MartConsole(Protocol):
    """A reader's own SQL over the tables of mart and no others; safe in several threads."""

    def bytes_of(self, sql: str) -> int | None:
        """Return what an engine that bills by bytes would read; None where reading is free.

        Raises MartMissing, WarehouseBusy, QueryFailed.
        """

    def asking(self, sql: str) -> MartQuestion:
        """Prepare a question. Raises MartMissing, WarehouseBusy, QueryFailed."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """A query's column names, and its rows as they are fetched; fetching may raise what asking raises.

    `scanned_bytes` is what an engine that bills by bytes reads for it; None where reading is free.
    """

    columns: list[str]
    rows: Iterator[tuple[object, ...]]
    scanned_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ArrowResult:
    """A query's rows as batches of Arrow, each of `schema`; fetching may raise what asking raises."""

    schema: "pa.Schema"
    batches: "Iterator[pa.RecordBatch]"
    scanned_bytes: int | None = None


class SqlConsole(Protocol):
    """All of the warehouse to look at, for a person at the command line: raw, staging and mart, read-only."""

    def query(self, sql: str) -> QueryResult:
        """Run one statement. Raises MartMissing, WarehouseBusy, QueryFailed."""

    def arrow(self, sql: str) -> ArrowResult:
        """Run one statement, for who keeps the engine's own types. Raises MartMissing, WarehouseBusy, QueryFailed."""

    def close(self) -> None:
        """Release what was opened."""
