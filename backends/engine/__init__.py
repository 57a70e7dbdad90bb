"""Opens the parts that `BACKEND` asks for: the one place that knows which adapters an engine has.

Google's packages are imported where they are asked for: who runs on one machine needs none of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from runtime.settings import Backend, PartMissing, SharedSettings

if TYPE_CHECKING:
    from backends.warehouse.bigquery.client import Place


def is_on_gcp(settings: SharedSettings) -> bool:
    """Whether the engine is Google Cloud."""
    return settings.backend is Backend.GCP


def built_every(settings: SharedSettings) -> timedelta:
    """Return how often the marts are built although nothing changed, each full hour or day of UTC: a cloud bills it."""
    return timedelta(days=1) if is_on_gcp(settings) else timedelta(hours=1)


@contextmanager
def google_packages() -> Iterator[None]:
    """Say of a package that is not installed which list has it. Raises PartMissing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise PartMissing(
            f"BACKEND=gcp needs Google's packages ({error}): install requirements/athlete-gcp.txt, which has those of "
            "every program."
        ) from error


def bigquery_place(settings: SharedSettings) -> "Place":
    """Return where `raw` is in BigQuery."""
    with google_packages():
        from backends.warehouse.bigquery.client import Place  # noqa: PLC0415 - Google's packages
    return Place(
        project=settings.google_cloud_project,
        location=settings.bigquery_location,
        dataset=settings.bigquery_raw_dataset,
        endpoint=settings.bigquery_api_endpoint,
        maximum_bytes_billed=settings.bigquery_maximum_bytes_billed,
    )
