"""The worker's settings: where it listens for pushes, and how it speaks to Strava."""

from collections.abc import Mapping

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from backends.warehouse.streams import StreamRule
from runtime.http_client import is_loopback
from runtime.settings import HOST, StravaAppSettings, WebAddress, ZonedSettings, port_or
from strava.budget_state import Lane
from worker.stream_rules import read_rules


class WorkerSettings(StravaAppSettings):
    """What `python -m worker.main` reads."""

    worker_host: str = Field("127.0.0.1", pattern=HOST, description="Address that the worker listens on.")
    worker_port: int = Field(
        default_factory=port_or(8081),
        ge=0,
        le=65535,
        description="Port that the worker listens on; 0 takes a free one.",
    )
    worker_allowed_hosts: str = Field(
        "",
        description=(
            "Names, separated by commas, under which the worker is asked, "
            "beside names of this machine and addresses in digits."
        ),
    )
    api_docs: bool = Field(
        False,
        description="Whether /openapi.json describes the programs that answer HTTP.",
    )
    push_token: SecretStr = Field(
        SecretStr(""),
        description=(
            "Word by which the worker knows the deliverer; without it every push is refused. "
            "`athlete up` makes one at each start."
        ),
    )
    push_audience: str = Field(
        "",
        description=(
            "Audience of the tokens by which Pub/Sub proves its pushes, as its subscription names it; "
            "it takes the place of PUSH_TOKEN."
        ),
    )
    push_service_account: str = Field(
        "",
        validate_default=True,
        description="E-mail of the service account in whose name Pub/Sub pushes; needed with PUSH_AUDIENCE.",
    )
    push_certificates_url: WebAddress = Field(
        "https://www.googleapis.com/oauth2/v1/certs",
        description="Where Google's certificates are, by which these tokens are checked.",
    )
    strava_subscription_id: int | None = Field(
        None,
        description="Subscription whose events alone are taken; empty: the one of `athlete subscription create`.",
    )
    budget_share_reconcile: float = Field(
        0.9, gt=0, le=1, description="Share of each of Strava's limits up to which reconciling and second looks may go."
    )
    budget_share_detail: float = Field(
        0.75,
        gt=0,
        le=1,
        description="Share of each limit up to which details of the history may be fetched and events replayed.",
    )
    budget_share_streams: float = Field(
        0.5, gt=0, le=1, description="Share of each limit up to which streams may be fetched."
    )
    not_found_grace_s: float = Field(
        300.0,
        ge=0,
        le=86_400,
        description="Seconds for which Strava must not show a stored activity before that counts as a deletion.",
    )
    ledger_days: int = Field(
        400,
        ge=31,
        le=36_500,
        description="Days for which the ledger keeps what became of settled events; the daily job removes older rows.",
    )
    second_look_s: float = Field(
        600.0,
        ge=0,
        le=43_200,
        description="Seconds after a create in which its detail is fetched once more, for late efforts; 0 never.",
    )
    settle_after_s: float = Field(
        21_600.0,
        ge=0,
        le=43_200,
        description="Seconds after a create in which its detail is fetched a last time, for late segments; 0 never.",
    )
    streams: str = Field(
        "",
        description=(
            "Whose recorded curves are fetched, one call an activity: `all`, sports (`Run,Ride`), athletes (`1234567`) "
            "or an athlete's sport (`1234567:Run`), separated by commas; empty: nobody's."
        ),
    )
    streams_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="Days that an activity may be old whose curves `STREAMS` has fetched; empty takes all of them.",
    )
    reconcile_guard_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of the stored activities, and at least ten, that the daily job removes only with --confirm.",
    )
    reconcile_looks: int = Field(
        50,
        ge=0,
        description="Details that the daily job fetches again, for edits that leave no trace in Strava's list; 0 none.",
    )

    retention_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description=(
            "Days after which the daily job removes what the API sent and did not send again since; empty keeps it."
        ),
    )

    @field_validator("push_service_account")
    @classmethod
    def _belong_together(cls, text: str, info: ValidationInfo) -> str:
        if bool(text) != bool(info.data.get("push_audience")):
            raise ValueError("set PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT, or neither")
        return text

    @field_validator("push_certificates_url")
    @classmethod
    def _cannot_be_forged(cls, url: str) -> str:
        if url.startswith("http:") and not is_loopback(url):
            raise ValueError("it must begin with https://, or others on the way could forge pushes")
        return url

    @field_validator("streams")
    @classmethod
    def _readable_rules(cls, text: str) -> str:
        read_rules(text)
        return text

    @property
    def spares_archived(self) -> bool:
        """Whether no detail is asked for of what an athlete's own export tells: what the API sends does not last."""
        return self.retention_days is not None

    @property
    def stream_rules(self) -> tuple[StreamRule, ...]:
        """Whose streams are wanted, and of which sports."""
        return read_rules(self.streams)

    @property
    def budget_shares(self) -> Mapping[Lane, float]:
        """The share of each of Strava's limits that a lane may use up to; live events may use all."""
        return {
            Lane.LIVE: 1.0,
            Lane.RECONCILE: self.budget_share_reconcile,
            Lane.DETAIL: self.budget_share_detail,
            Lane.STREAMS: self.budget_share_streams,
        }


class ImportSettings(ZonedSettings):
    """What `python -m worker.import_job` reads."""

    inbox_bucket: str = Field(
        "",
        pattern=r"^([a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/[^/]+)*)?$",
        description=(
            "Google Cloud: bucket, and folder in it, whose files the import job takes, such as my-project-inbox/inbox."
        ),
    )
    storage_api_endpoint: str = Field(
        "",
        pattern=r"^(http://(localhost|127\.0\.0\.1):[0-9]+)?$",
        description=(
            "Google Cloud: address of a server on this machine that is asked instead of Cloud Storage, without "
            "credentials; for tests."
        ),
    )
