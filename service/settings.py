"""The service's settings: where it listens, and the webhook's secrets."""

import re

from pydantic import Field, SecretStr, field_validator

from runtime.settings import HOST, SharedSettings

SHORTEST_SECRET = 16  # characters: 64 bits if they are hexadecimal digits


class ServiceSettings(SharedSettings):
    """The settings of `python -m service.main`."""

    service_host: str = Field("127.0.0.1", pattern=HOST, description="Address that the service listens on.")
    service_port: int = Field(8080, ge=0, le=65535, description="Port that the service listens on; 0 takes a free one.")
    service_allowed_hosts: str = Field(
        "",
        description=(
            "Names, separated by commas, under which the service is asked. "
            "Empty: any name for the webhook, names of this machine for the rest."
        ),
    )
    webhook_path_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret last part of the webhook's path, 16 characters or more; without it the webhook is off.",
    )
    strava_verify_token: SecretStr = Field(
        SecretStr(""),
        description="Word that Strava repeats when it checks the webhook; without it the webhook is off.",
    )
    webhook_max_body_bytes: int = Field(
        16_384, ge=256, description="Largest webhook body in bytes; a larger one is answered with 413."
    )
    api_docs: bool = Field(
        False,
        description="Whether /openapi.json describes the programs that answer HTTP.",
    )
    publish_timeout_s: float = Field(
        1.5, gt=0, description="Seconds in which an event must be stored; Strava waits for two."
    )

    @field_validator("webhook_path_secret")
    @classmethod
    def _is_safe_path_part(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(
                f"it can be guessed because it has fewer than {SHORTEST_SECRET} characters; "
                "`openssl rand -hex 24` makes one"
            )
        if not re.fullmatch("[A-Za-z0-9_-]*", secret.get_secret_value()):
            raise ValueError(
                "it may hold only letters, digits, - and _ because it is a part of an address; "
                "`openssl rand -hex 24` makes one"
            )
        return secret
