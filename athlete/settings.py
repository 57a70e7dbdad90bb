"""The settings that only the process tree reads: how the embedded queue delivers, and when the daily job runs."""

from datetime import time

from pydantic import Field, SecretStr

from runtime.settings import SharedSettings


class DelivererSettings(SharedSettings):
    """The embedded queue's deliverer, with Pub/Sub's own meanings."""

    worker_host: str = Field("127.0.0.1", description="Address that the worker listens on.")
    worker_port: int = Field(8081, ge=0, le=65535, description="Port that the worker listens on; 0 takes a free one.")
    push_token: SecretStr = Field(
        SecretStr(""),
        description=(
            "Word by which the worker knows the deliverer; without it every push is refused. "
            "`athlete up` makes one at each start."
        ),
    )
    queue_concurrency: int = Field(16, ge=1, description="How many events are pushed to the worker at once.")
    queue_max_delivery_attempts: int = Field(100, ge=1, description="After so many attempts an event is a dead letter.")
    queue_min_backoff_s: float = Field(0.5, gt=0, description="Seconds before the second attempt; doubles from there.")
    queue_max_backoff_s: float = Field(600, gt=0, description="The longest pause between two attempts, in seconds.")
    queue_ack_deadline_s: float = Field(60, gt=0, description="Seconds that the worker has to answer a push.")

    @property
    def worker_url(self) -> str:
        """Where the worker answers."""
        return f"http://{self.worker_host}:{self.worker_port}"


class ScheduleSettings(SharedSettings):
    """The embedded scheduler, and the inbox."""

    daily_at: str = Field(
        "07:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="When `athlete up` runs the daily job, HH:MM in DISPLAY_TIMEZONE.",
    )

    inbox_every_s: float = Field(
        2.0,
        ge=0,
        description="Seconds between two looks of `athlete up` into DATA_DIR/inbox for files to import; 0 never looks.",
    )

    @property
    def daily_time(self) -> time:
        """The time of day."""
        return time.fromisoformat(self.daily_at)
