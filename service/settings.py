"""The service's settings: where it listens, how the internet reaches it, and the webhook's secrets."""

import re
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from runtime.http_client import is_loopback
from runtime.settings import HOST, Backend, StravaAppSettings, is_web_address, port_or

# https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
TOPIC = r"projects/[a-z0-9:.-]+/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}"
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

    runs_on: ClassVar = frozenset({Backend.EMBEDDED, Backend.GCP})

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
    pubsub_topic: str = Field(
        "",
        validate_default=True,
        description="Topic that takes the events with `BACKEND=gcp`, such as projects/my-project/topics/strava-events.",
    )
    pubsub_emulator_host: str = Field(
        "", description="Host and port of Google's Pub/Sub emulator, for tests; empty: the real Pub/Sub."
    )

    @field_validator("pubsub_topic")
    @classmethod
    def _names_a_topic_on_gcp(cls, topic: str, info: ValidationInfo) -> str:
        is_needed = info.data.get("backend") is Backend.GCP
        if not re.fullmatch(TOPIC, topic) if topic else is_needed:
            raise ValueError("write projects/PROJECT/topics/TOPIC; BACKEND=gcp needs it")
        return topic

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
