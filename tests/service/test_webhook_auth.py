"""Who may speak to the webhook, and what is said while nobody may."""

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
    sentence = f"{missing} must be set before Strava's webhook can be heard"
    assert WebhookAuth(path_secret=path_secret, verify_token=verify_token).disabled_reason == sentence


def test_auth_with_both_words_is_enabled() -> None:
    """Nothing is missing, so nothing is said."""
    assert ENABLED.disabled_reason is None


@pytest.mark.parametrize(("path_secret", "verify_token"), [("", "verify-me"), ("s3cret", ""), ("", "")])
def test_nothing_is_compared_with_an_unset_word(path_secret: str, verify_token: str) -> None:
    """While a word is unset no path is known, and an unset token is not matched by an empty one."""
    disabled = WebhookAuth(path_secret=path_secret, verify_token=verify_token)
    assert not any(disabled.is_path_secret(word) for word in ("", "/", "s3cret", "s3cret/"))
    assert not disabled.is_verify_token("")
    assert disabled.is_verify_token("verify-me") is (verify_token == "verify-me")


@pytest.mark.parametrize(
    ("word", "is_known"),
    [("s3cret", True), ("s3cret/", True), ("s3cret//", False), ("/s3cret", False), ("S3cret", False), ("", False)],
)
def test_a_path_is_known_with_and_without_a_slash(word: str, is_known: bool) -> None:
    """One slash at the end is the same address; anything else is another."""
    assert ENABLED.is_path_secret(word) is is_known


@pytest.mark.parametrize(
    ("word", "is_known"),
    [("verify-me", True), ("verify-me/", False), ("", False), ("pässword", False), ("\ud800", False)],
)
def test_a_token_is_known_exactly(word: str, is_known: bool) -> None:
    """A token has no variants, and one that no encoding holds is only wrong."""
    assert ENABLED.is_verify_token(word) is is_known
