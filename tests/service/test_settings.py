"""The service's settings: a value with which the webhook could not work stops the start."""

import pytest
from pydantic import ValidationError

from runtime.settings import PartMissing, settings_complaint
from service.main import build
from service.settings import ServiceSettings


@pytest.mark.parametrize("secret", ["half/way", "half?way", "half#way", "half%2Fway", "half way", "hälfte", "line\n"])
def test_path_secret_that_is_no_part_of_a_path_is_refused(secret: str) -> None:
    """Routing would not match it. The sentence says how to make a secret and does not repeat it."""
    with pytest.raises(ValidationError) as caught:
        ServiceSettings.model_validate({"webhook_path_secret": f"0123456789abcdef{secret}"})
    sentence = settings_complaint(caught.value)
    assert "WEBHOOK_PATH_SECRET" in sentence
    assert "openssl rand -hex 24" in sentence
    assert secret not in sentence


@pytest.mark.parametrize("secret", ["", "0123456789abcdef", "aA9_-aA9_-aA9_-a"])
def test_path_secret_of_plain_characters_is_taken(secret: str) -> None:
    """Hexadecimal and URL-safe base64 pass. An empty secret passes too and switches the webhook off."""
    settings = ServiceSettings.model_validate({"webhook_path_secret": secret})
    assert settings.webhook_path_secret.get_secret_value() == secret


@pytest.mark.parametrize("secret", ["x", "x" * 15])
def test_path_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    """Fewer than 16 characters are refused. The sentence says how to make a good secret."""
    with pytest.raises(ValidationError) as caught:
        ServiceSettings.model_validate({"webhook_path_secret": secret})
    sentence = settings_complaint(caught.value)
    assert "WEBHOOK_PATH_SECRET" in sentence
    assert "fewer than 16 characters" in sentence
    assert "openssl rand -hex 24" in sentence


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("my.example.org", "it is no web address; write one such as https://my.example.org"),
        ("ftp://my.example.org", "it is no web address"),
        ("https://", "it is no web address"),
        ("https://my.example.org:port", "it is no web address"),
        ("https://my example.org", "it is no web address"),
        ("https://my.example.org/\n", "it is no web address"),
        ("https://mÿ.example.org", "it is no web address"),
        ("https://me:word@my.example.org", "no user"),
        ("https://my.example.org/?a=b", "no ?"),
        ("https://my.example.org/#top", "no #"),
        ("https://my.example.org/webhook/0123456789abcdef", "leave /webhook/… out"),
        ("https://my.example.org/webhook", "leave /webhook/… out"),
        ("http://my.example.org", "it must begin with https://"),
        ("http://192.0.2.7", "it must begin with https://"),
    ],
)
def test_a_public_address_that_cannot_be_one_is_refused(url: str, sentence: str) -> None:
    """The sentence says what to write instead, and does not repeat a path that may be the secret."""
    with pytest.raises(ValidationError) as caught:
        ServiceSettings.model_validate({"public_url": url})
    told = settings_complaint(caught.value)
    assert "PUBLIC_URL: " in told
    assert sentence in told
    assert "0123456789abcdef" not in told


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://my.example.org", "https://my.example.org"),
        ("https://my.example.org:8443/athlete/", "https://my.example.org:8443/athlete"),
        ("https://my.example.org/webhooks", "https://my.example.org/webhooks"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("", ""),
    ],
)
def test_a_public_address_is_taken_without_its_last_slash(url: str, taken: str) -> None:
    """A path before the service's own may stand; http is for this machine alone."""
    assert ServiceSettings.model_validate({"public_url": url}).public_url == taken


@pytest.mark.parametrize("host", ["x y", "http://127.0.0.1", "a/b"])
def test_host_that_is_no_host_is_refused(host: str) -> None:
    """The host is an address or a name."""
    with pytest.raises(ValidationError, match="service_host"):
        ServiceSettings.model_validate({"service_host": host})


@pytest.mark.parametrize("topic", ["strava-events", "projects/p/topics/x", "projects/p/topics/a b c", "topics/abc"])
def test_a_topic_is_named_as_pubsub_names_it(topic: str) -> None:
    """A topic that Pub/Sub cannot have stops the start."""
    with pytest.raises(ValidationError) as caught:
        ServiceSettings.model_validate({"pubsub_topic": topic})
    assert "PUBSUB_TOPIC: write projects/PROJECT/topics/TOPIC" in settings_complaint(caught.value)


def test_google_cloud_needs_a_topic() -> None:
    """Without one the service has nowhere to publish to."""
    with pytest.raises(PartMissing, match="PUBSUB_TOPIC is empty"):
        build(ServiceSettings.model_validate({"backend": "gcp", "google_cloud_project": "p"}))
