"""Signed texts: only the holder of the secret makes them, for one purpose, until they expire."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.signing import SignatureExpired, SignatureInvalid, Signer

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
PARTS = st.lists(st.text("abcXYZ019-_", max_size=8), max_size=4)

signer = Signer("s3cret", "test")


@given(parts=PARTS)
def test_what_is_signed_comes_back(parts: list[str]) -> None:
    """Parts and end survive, and the text can stand in an address as it is."""
    text = signer.sign(*parts, expires_at=LATER)
    assert signer.read(text, now=NOON) == (tuple(parts), LATER)
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


@given(place=st.integers(0, 200), letter=st.characters())
def test_one_changed_letter_is_noticed(place: int, letter: str) -> None:
    """No part, no end and no signature can be changed."""
    text = signer.sign("one", "two", expires_at=LATER)
    place %= len(text)
    changed = f"{text[:place]}{letter}{text[place + 1 :]}"
    if changed != text:
        with pytest.raises(SignatureInvalid):
            signer.read(changed, now=NOON)


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "\ud800.x", "é" * 40, "9" * 9_000])
def test_what_was_never_signed_is_refused(text: str) -> None:
    """Odd texts of strangers are refused like forged ones."""
    with pytest.raises(SignatureInvalid):
        signer.read(text, now=NOON)


def test_secret_and_purpose_count() -> None:
    """A text of another secret, or for another purpose under the same one, is refused."""
    text = signer.sign("one", expires_at=LATER)
    for other in (Signer("another", "test"), Signer("s3cret", "other")):
        with pytest.raises(SignatureInvalid):
            other.read(text, now=NOON)


def test_it_ends_with_its_second() -> None:
    """The last moment is before the end; expired and forged are told apart."""
    text = signer.sign("one", expires_at=LATER)
    assert signer.read(text, now=LATER - timedelta(microseconds=1))
    with pytest.raises(SignatureExpired):
        signer.read(text, now=LATER)


def test_an_empty_secret_signs_nothing() -> None:
    """An unset setting must not be a secret that everybody knows."""
    with pytest.raises(ValueError, match="empty secret"):
        Signer("", "test")
