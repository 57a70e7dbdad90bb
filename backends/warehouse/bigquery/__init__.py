"""`raw` in BigQuery. Google's client is imported where a composition root asks for the store."""

from typing import TYPE_CHECKING

from backends.warehouse import WarehouseBusy
from runtime.settings import SharedSettings

if TYPE_CHECKING:
    from backends.warehouse.bigquery.store import BigQueryRawStore


async def open_bigquery_store(settings: SharedSettings) -> "BigQueryRawStore":
    """Return `raw`, whose tables are made and migrated; the caller closes it. Raises WarehouseBusy, SchemaMismatch."""
    from backends.warehouse.bigquery.client import BigQuery, Place  # noqa: PLC0415 - takes a second, on Google Cloud alone
    from backends.warehouse.bigquery.store import BigQueryRawStore  # noqa: PLC0415 - as above
    from backends.warehouse.bigquery.tables import migrate  # noqa: PLC0415 - as above

    if not settings.google_cloud_project:
        raise WarehouseBusy("GOOGLE_CLOUD_PROJECT is empty; set it to the id of the project that holds the warehouse.")
    place = Place(
        project=settings.google_cloud_project,
        location=settings.bigquery_location,
        dataset=settings.bigquery_raw_dataset,
        endpoint=settings.bigquery_api_endpoint,
        maximum_bytes_billed=settings.bigquery_maximum_bytes_billed,
    )
    bigquery = BigQuery(place)
    try:
        await bigquery.run(migrate)
    except BaseException:
        await bigquery.close()
        raise
    return BigQueryRawStore(bigquery)
