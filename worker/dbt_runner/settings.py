"""The transformer's settings, and the environment that the dbt project reads."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from runtime.settings import SharedSettings

# The dbt project is beside our packages, in a checkout and where a wheel was installed.
PROJECT_DIR = Path(__file__).parents[2] / "transforms"


class TransformSettings(SharedSettings):
    """What `python -m worker.dbt_runner.main` and `athlete transform` read."""

    transform_debounce_s: float = Field(
        0.1, ge=0, description="Seconds that a change of raw waits for company before the transforms run."
    )

    @property
    def lock_path(self) -> Path:
        """Held by the process that runs the transforms."""
        return self.data_dir / "transform.lock"

    @property
    def dbt_dir(self) -> Path:
        """What dbt writes beside the tables: its manifest and what it compiled."""
        return self.data_dir / "dbt"

    def dbt_environment(self, extension_dir: Path) -> Mapping[str, str]:
        """Return the variables that `transforms/profiles.yml` reads for DuckDB, with absolute paths."""
        return {
            "DBT_TARGET": "duckdb",
            "TRANSFORM_DUCKDB_PATH": str(self.transform_path.resolve()),
            "PIPELINE_SQLITE_PATH": str(self.pipeline_path.resolve()),
            "DUCKDB_EXTENSION_DIR": str(extension_dir.resolve()),
        }

    @property
    def bigquery_environment(self) -> Mapping[str, str]:
        """The variables that `transforms/profiles.yml` reads for BigQuery; a server on this machine takes any token."""
        told = {
            "DBT_TARGET": "bigquery",
            "GCP_PROJECT": self.google_cloud_project,
            "BIGQUERY_RAW_DATASET": self.bigquery_raw_dataset,
            "BIGQUERY_LOCATION": self.bigquery_location,
            "BIGQUERY_MAXIMUM_BYTES_BILLED": str(self.bigquery_maximum_bytes_billed),
        }
        if not self.bigquery_api_endpoint:
            return told
        endpoint = {"BIGQUERY_API_ENDPOINT": self.bigquery_api_endpoint}
        return {**told, **endpoint, "BIGQUERY_METHOD": "oauth-secrets", "BIGQUERY_TOKEN": "none"}
