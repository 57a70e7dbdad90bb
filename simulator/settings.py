"""The settings of the simulator: read from the environment, all with harmless defaults."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, DirectoryPath, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.settings import LogFormat
from simulator.rates import Limits
from simulator.webhook_delivery import RetrySpacing
from simulator.world.persona import PEOPLE


def _pair(read: Callable[[str], object], example: str) -> AfterValidator:
    """Refuse a text that is not two numbers as `read` reads them. Raises ValueError."""

    def check(text: str) -> str:
        try:
            read(text)
        except ValueError:
            raise ValueError(f"it is not two numbers with a comma between them; write such as {example}") from None
        return text

    return AfterValidator(check)


_Limits = Annotated[str, _pair(Limits.from_text, "100,1000")]
_Spacing = Annotated[str, _pair(RetrySpacing.from_text, "60,120")]


PREFIX = "SIMULATOR_"


class SimulatorSettings(BaseSettings):
    """Environment names are `SIMULATOR_` and the upper-case field name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    host: str = Field("127.0.0.1", description="Address that the simulator listens on.")
    port: int = Field(8090, ge=0, le=65535, description="Port that the simulator listens on.")
    allowed_hosts: str = Field(
        "",
        description=(
            "Names, separated by commas, under which it is asked, beside names of this machine and addresses in digits."
        ),
    )
    seed: int = Field(7, description="The same seed gives the same athlete, the same life and the same faults.")
    years: float = Field(3, ge=0, le=100, description="Years of history to generate; 0 generates none.")
    density: int = Field(1, ge=1, le=40, description="Plans every day this many times over: a load, not a life.")
    recorded_dir: DirectoryPath | None = Field(
        None, description="Folder of recorded Strava answers whose activities are added."
    )
    state: Path | None = Field(None, description="File that keeps what happened between starts; empty keeps nothing.")
    athlete_id: int = Field(4242424242, description="The simulated athlete's id; further athletes count on from it.")
    athletes: int = Field(1, ge=1, le=len(PEOPLE), description="How many athletes there are, each with an account.")
    client_id: str = Field("4242", description="The simulated application's id.")
    client_secret: str = Field("simulated-client-secret", description="The simulated application's secret.")
    read_limit: _Limits = Field("100,1000", description="Reads allowed per 15 minutes and per day.")
    overall_limit: _Limits = Field("200,2000", description="Requests allowed per 15 minutes and per day.")
    retry_spacing: _Spacing = Field("60,120", description="Least and most seconds between two attempts of an event.")
    log_format: LogFormat = Field(
        LogFormat.CONSOLE,
        description="`console` for a person, `json` for one object a line, `google` for Cloud Logging.",
    )
    log_level: str = Field(
        "INFO",
        pattern="(?i)^(debug|info|warning|error)$",
        description="The least level that is logged: DEBUG, INFO, WARNING or ERROR.",
    )
