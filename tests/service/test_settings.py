"""The service's settings: a value with which the webhook could not work stops the start."""

import pytest
from pydantic import ValidationError

from runtime.settings import settings_complaint
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


@pytest.mark.parametrize("host", ["x y", "http://127.0.0.1", "a/b"])
def test_host_that_is_no_host_is_refused(host: str) -> None:
    """The host is an address or a name."""
    with pytest.raises(ValidationError, match="service_host"):
        ServiceSettings.model_validate({"service_host": host})
