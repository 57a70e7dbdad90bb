"""Which addresses an application may name as its callback or as the way back to it."""

import httpx

LAST_PORT = 65_535


def is_web_address(text: str) -> bool:
    """Whether a text is an http or https address with a host and, if any, a port that exists."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in {"http", "https"} and bool(url.host) and (url.port is None or 0 < url.port <= LAST_PORT)
