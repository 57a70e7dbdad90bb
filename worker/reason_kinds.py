"""The stable word for a reason, by which a page says it in the reader's language; logs and commands say it whole."""

import re

OWN_FAULT = "own_fault"  # of this program; its log tells more
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def kind_of(error: Exception) -> str:
    """Return what the error says of itself, else the name of its class: of `RateLimited` it is `rate_limited`."""
    told = getattr(error, "kind", None)
    return told if isinstance(told, str) else _WORD.sub("_", type(error).__name__).lower()
