"""How a table of `raw` is stated: its columns, its key, and its layout on BigQuery.

Types are those that both SQL engines know: int64, string, bool, timestamp (UTC) and json.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Column:
    """One column, and what dbt's documentation says of it."""

    name: str
    type: str
    description: str
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class IdRange:
    """How BigQuery divides a table by ids of activities; what is outside, such as ids made from files, goes together.

    Strava's ids never change and grow with time, so a row never moves, and a merge that names its ids by literals reads
    the partitions of these alone.
    """

    start: int = 0
    end: int = 40_000_000_000
    interval: int = 10_000_000


@dataclass(frozen=True)
class Table:
    """One table; `key` names the column that identifies a row.

    `partitions` (of the key, or of another column) and `clustering` are its layout on BigQuery.
    """

    name: str
    key: str
    description: str
    columns: Sequence[Column]
    partitions: IdRange | None = None
    clustering: Sequence[str] = ()
    partitioned_by: str | None = None

    @cached_property
    def types(self) -> dict[str, str]:
        """The type of each column, in order."""
        return {column.name: column.type for column in self.columns}


def optional(name: str, kind: str, description: str) -> Column:
    """Return a column that may be null."""
    return Column(name, kind, description, is_required=False)


ATHLETE = Column("athlete_id", "int64", "Whose it is.")
INGESTED_AT = Column("ingested_at", "timestamp", "When the row last changed; rises strictly from change to change.")
