"""The settings that all programs share: where the data is and how they log."""

import os
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Backend(StrEnum):
    """The engine under the programs."""

    EMBEDDED = "embedded"
    GCP = "gcp"


class LogFormat(StrEnum):
    """Coloured lines for a person, or one JSON object a line, as any machine or Cloud Logging reads it."""

    CONSOLE = "console"
    JSON = "json"
    GOOGLE = "google"


class LogLevel(StrEnum):
    """The least level that is logged; lower case is read too."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"

    @classmethod
    def _missing_(cls, value: object) -> "LogLevel | None":
        upper = value.upper() if isinstance(value, str) else None
        return next((level for level in cls if level == upper), None)


HOST = r"^[A-Za-z0-9._:-]+$"  # a name or an IPv4 or IPv6 address


def port_or(default: int) -> Callable[[], Any]:
    """Return what tells a program's port where no setting does: the one that Cloud Run asks it at, or the default.

    The port is told as text, which the field judges as it does a setting.

    Cloud Run tells it in PORT, to services alone, which know from K_SERVICE that they are such. Elsewhere PORT may be
    meant for another program. https://cloud.google.com/run/docs/container-contract#env-vars
    """
    return lambda: os.environ["PORT"] if {"K_SERVICE", "PORT"} <= os.environ.keys() else default


def is_web_address(text: str) -> bool:
    """Whether the text is a URL that can be asked."""
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or half an IPv6 address
        is_one = False
    return is_one and not any(character.isspace() for character in text)


def _web_address(text: str) -> str:
    if not is_web_address(text):
        raise ValueError("it is no web address; write one such as https://www.strava.com/api/v3")
    return text


# https://cloud.google.com/resource-manager/docs/creating-managing-projects: some ids begin with a domain's name.
PROJECT = r"([a-z0-9.-]+:)?[a-z][a-z0-9-]*(?<!-)"
# https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
TOPIC = r"projects/[a-z0-9:.-]+/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}"
WebAddress = Annotated[str, AfterValidator(_web_address)]


class SharedSettings(BaseSettings):
    """Read from the environment, then from `.env`; names are the upper-case field names."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    backend: Backend = Field(
        Backend.EMBEDDED, description="`embedded` is SQLite and DuckDB on this machine; `gcp` is Google Cloud."
    )
    data_dir: Path = Field(Path("data"), description="Folder that holds the queue, the warehouse and the tokens.")
    archive_follows_deletes: bool = Field(
        default=True,
        description="Remove what your export says of an activity when it is deleted at Strava after the export.",
    )
    log_format: LogFormat = Field(
        LogFormat.CONSOLE,
        description="`console` for a person, `json` for one object a line, `google` for Cloud Logging.",
    )
    log_level: LogLevel = Field(
        LogLevel.INFO, description="The least level that is logged: DEBUG, INFO, WARNING or ERROR."
    )
    google_cloud_project: str = Field(
        "", validate_default=True, description="Google Cloud: id of the project that everything is in."
    )
    google_cloud_region: str = Field(
        "",
        pattern=r"^[a-z0-9-]*$",
        description="Google Cloud: region of the jobs, such as europe-west1; without it no program starts one.",
    )
    cloud_run_api_endpoint: str = Field(
        "",
        pattern=r"^(http://(localhost|127\.0\.0\.1):[0-9]+)?$",
        description=(
            "Google Cloud: address of a server on this machine that is asked to start jobs instead of Cloud Run, "
            "without credentials; for tests."
        ),
    )
    transform_job: str = Field(
        "athlete-transform", description="Google Cloud: the job that builds the marts, which fresh data starts."
    )
    backfill_job: str = Field(
        "athlete-backfill", description="Google Cloud: the job that loads histories, which the sweep starts."
    )
    transform_interval_s: float = Field(
        300.0,
        ge=0,
        description="Google Cloud: seconds between two starts of the job that builds the marts.",
    )
    pubsub_topic: str = Field(
        "",
        description="Topic that takes the events with `BACKEND=gcp`, such as projects/my-project/topics/strava-events.",
    )
    pubsub_emulator_host: str = Field(
        "", description="Host and port of Google's Pub/Sub emulator, for tests; empty: the real Pub/Sub."
    )
    token_secret_prefix: str = Field(
        "athlete-tokens",
        pattern=r"^[A-Za-z0-9_-]{1,200}$",
        description="Google Cloud: what the names of the secrets that hold tokens begin with.",
    )
    secret_manager_endpoint: str = Field(
        "",
        pattern=r"^((localhost|127\.0\.0\.1):[0-9]+)?$",
        description=(
            "Google Cloud: host and port of a server on this machine that is asked instead of Secret Manager, "
            "without encryption or credentials; for tests."
        ),
    )

    bigquery_raw_dataset: str = Field(
        "raw", pattern=r"^[A-Za-z0-9_]{1,1024}$", description="Google Cloud: the dataset that holds what Strava said."
    )
    bigquery_location: str = Field(
        "EU", pattern=r"^[A-Za-z0-9-]+$", description="Google Cloud: where BigQuery keeps the datasets."
    )
    bigquery_maximum_bytes_billed: int = Field(
        10 * 2**30, ge=10 * 2**20, description="Google Cloud: bytes beyond which BigQuery refuses a single statement."
    )
    bigquery_api_endpoint: str = Field(
        "",
        pattern=r"^(http://(localhost|127\.0\.0\.1):[0-9]+)?$",
        description=(
            "Google Cloud: address of a server on this machine that is asked instead of BigQuery, without credentials; "
            "for tests."
        ),
    )

    @field_validator("google_cloud_project")
    @classmethod
    def _is_told_on_gcp(cls, project: str, info: ValidationInfo) -> str:
        if not project and info.data.get("backend") is Backend.GCP:
            raise ValueError("BACKEND=gcp needs it")
        if project and not re.fullmatch(PROJECT, project):
            raise ValueError("write the project's id, such as my-project, and not its name")
        return project

    @field_validator("pubsub_topic")
    @classmethod
    def _names_a_topic(cls, topic: str) -> str:
        if topic and not re.fullmatch(TOPIC, topic):
            raise ValueError("write projects/PROJECT/topics/TOPIC")
        return topic

    @property
    def pipeline_path(self) -> Path:
        """SQLite: queue, ledger and `raw`."""
        return self.data_dir / "pipeline.sqlite"

    @property
    def transform_path(self) -> Path:
        """DuckDB: staging and mart as dbt builds them."""
        return self.data_dir / "transform.duckdb"

    @property
    def mart_path(self) -> Path:
        """DuckDB: the published snapshot that readers open."""
        return self.data_dir / "mart.duckdb"

    @property
    def docs_path(self) -> Path:
        """HTML: dbt's pages about the tables, as `athlete docs` writes them."""
        return self.data_dir / "docs.html"

    @property
    def athlete_file_path(self) -> Path:
        """TOML, the athlete's own: settings, goals and gear."""
        return self.data_dir / "athlete.toml"

    @property
    def files_path(self) -> Path:
        """Folder of the recordings that were imported, by their content."""
        return self.data_dir / "files"

    @property
    def inbox_path(self) -> Path:
        """Folder whose files `athlete up` imports; one whose name begins with a dot is still being written."""
        return self.data_dir / "inbox"

    @property
    def queries_path(self) -> Path:
        """Folder of the athlete's own SQL, as page SQL saves it: a file for each query."""
        return self.data_dir / "queries"

    @property
    def tokens_path(self) -> Path:
        """JSON, mode 0600: the athletes' tokens."""
        return self.data_dir / "tokens.json"

    @property
    def budget_path(self) -> Path:
        """JSON: the calls that Strava allows the app, as all programs of the machine share them."""
        return self.data_dir / "budget.json"


class ZonedSettings(SharedSettings):
    """Where the athlete's clock is; shared by what shows moments and what files without a zone are counted by."""

    display_timezone: ZoneInfo = Field(
        ZoneInfo("Europe/Berlin"), description="IANA name of the time zone in which moments are shown."
    )

    @field_validator("display_timezone", mode="before")
    @classmethod
    def _known(cls, value: object) -> ZoneInfo:
        try:
            return value if isinstance(value, ZoneInfo) else ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("it is no time zone of the IANA list; write one such as Europe/Berlin") from None


class StravaAppSettings(SharedSettings):
    """The app as Strava knows it, and where Strava answers; shared by the programs that speak to Strava."""

    strava_client_id: str = Field("", description="Client ID of your Strava app (https://www.strava.com/settings/api).")
    strava_client_secret: SecretStr = Field(SecretStr(""), description="Client Secret of your Strava app.")
    strava_api_url: WebAddress = Field("https://www.strava.com/api/v3", description="Where Strava's API answers.")
    strava_oauth_url: WebAddress = Field("https://www.strava.com/oauth", description="Where Strava's OAuth answers.")

    @property
    def has_strava_app(self) -> bool:
        """Whether the app's id and secret are set."""
        return bool(self.strava_client_id and self.strava_client_secret.get_secret_value())


class PartMissing(Exception):
    """What the settings ask for is not there, be it another setting or a package; the sentence says what to do."""


def settings_complaint(error: ValidationError | UnicodeDecodeError, prefix: str = "") -> str:
    """Name each setting that is wrong, and what is wrong with it; never its value, which may be a secret.

    `prefix` is what the names of the program's own settings begin with.
    """
    if isinstance(error, UnicodeDecodeError):
        return "Settings cannot be read: .env is no text in UTF-8; save it as such."
    faults = [
        f"{prefix}{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors()
    ]
    return f"Settings are wrong (environment or .env): {'; '.join(faults)}. The README lists every setting."
