"""The webhook's authentication: the path secret, the verify token, and what happens while one is unset."""

import pytest

from service.webhook_auth import WebhookAuth

ENABLED = WebhookAuth(path_secret="s3cret", verify_token="verify-me")


@pytest.mark.parametrize(
    ("path_secret", "verify_token", "missing"),
    [
        ("", "verify-me", "WEBHOOK_PATH_SECRET"),
        ("s3cret", "", "STRAVA_VERIFY_TOKEN"),
        ("", "", "WEBHOOK_PATH_SECRET and STRAVA_VERIFY_TOKEN"),
    ],
)
def test_what_is_missing_is_named(path_secret: str, verify_token: str, missing: str) -> None:
    """The sentence names each setting that is unset, and no other."""
    sentence = f"{missing} must be set before the webhook can receive events"
    assert WebhookAuth(path_secret=path_secret, verify_token=verify_token).disabled_reason == sentence


def test_with_both_words_the_webhook_is_enabled() -> None:
    """With both settings there is no reason."""
    assert ENABLED.disabled_reason is None


@pytest.mark.parametrize(("path_secret", "verify_token"), [("", "verify-me"), ("s3cret", ""), ("", "")])
def test_no_word_equals_an_unset_one(path_secret: str, verify_token: str) -> None:
    """While a word is unset, no path is correct, and the empty word does not match an unset token."""
    disabled = WebhookAuth(path_secret=path_secret, verify_token=verify_token)
    assert not any(disabled.is_path_secret(word) for word in ("", "/", "s3cret", "s3cret/"))
    assert not disabled.is_verify_token("")
    assert disabled.is_verify_token("verify-me") is (verify_token == "verify-me")


@pytest.mark.parametrize(
    ("word", "is_right"),
    [("s3cret", True), ("s3cret/", True), ("s3cret//", False), ("/s3cret", False), ("S3cret", False), ("", False)],
)
def test_the_path_secret_may_end_with_a_slash(word: str, is_right: bool) -> None:
    """One slash at the end is accepted; any other difference is not."""
    assert ENABLED.is_path_secret(word) is is_right


@pytest.mark.parametrize(
    ("word", "is_right"),
    [("verify-me", True), ("verify-me/", False), ("", False), ("pässword", False), ("\ud800", False)],
)
def test_the_verify_token_is_compared_exactly(word: str, is_right: bool) -> None:
    """The token has no variants. One that cannot be encoded is wrong and raises nothing."""
    assert ENABLED.is_verify_token(word) is is_right


def test_repr_shows_no_secret() -> None:
    """An object in a log line or a traceback shows neither secret."""
    assert repr(ENABLED) == "WebhookAuth()"
