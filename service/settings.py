"""The service's settings: where it listens, how the internet reaches it, and the webhook's secrets."""

import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from runtime.http_client import is_loopback
from runtime.settings import HOST, StravaAppSettings, is_web_address, port_or

SHORTEST_SECRET = 16  # characters: 64 bits if they are hexadecimal digits


def read_public_url(text: str) -> str:
    """Return the address without a slash at its end. Raises ValueError with what to write instead."""
    if not is_web_address(text) or re.search(r"[^!-~]", text):
        raise ValueError("it is no web address; write one such as https://my.example.org")
    parts = urlsplit(text)
    if parts.username is not None or parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError("it may hold no user, no ? and no #, for paths are added to it")
    if "/webhook/" in f"{parts.path}/":
        raise ValueError("leave /webhook/… out: it is added")
    if parts.scheme == "http" and not is_loopback(text):
        raise ValueError("it must begin with https://, or others on the way could read the webhook's secret path")
    return text.rstrip("/")


class ServiceSettings(StravaAppSettings):
    """The settings of `python -m service.main`."""

    service_host: str = Field("127.0.0.1", pattern=HOST, description="Address that the service listens on.")
    service_port: int = Field(
        default_factory=port_or(8080),
        ge=0,
        le=65535,
        description="Port that the service listens on; 0 takes a free one.",
    )
    service_allowed_hosts: str = Field(
        "",
        description=(
            "Names, separated by commas, under which the service is asked. "
            "Empty: any name for the webhook, names of this machine for the rest."
        ),
    )
    public_url: str = Field(
        "", description="Address under which the internet reaches the service, such as https://my.example.org."
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
        1.5, gt=0, le=8, description="Seconds in which an event must be stored; Strava waits for two."
    )

    @field_validator("public_url")
    @classmethod
    def _is_public_url(cls, url: str) -> str:
        return read_public_url(url) if url else url

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
