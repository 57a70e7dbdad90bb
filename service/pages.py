"""Small plain pages for a person's browser: text alone, no script, nothing from elsewhere, and never kept."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape

from starlette.responses import HTMLResponse, RedirectResponse

_STYLE = "body{font:1rem/1.5 system-ui;margin:10vh auto;max-width:34rem;padding:0 1rem}"
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title} · Athlete Dashboard</title><style>{style}</style><h1>{title}</h1>{paragraphs}</html>"
)
# An address may hold what proves an invitation or an authorisation: no copy of it leaves the browser.
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def page(title: str, sentences: Sequence[str], *, status: int = 200) -> HTMLResponse:
    """Return a page with a paragraph for each sentence."""
    paragraphs = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return HTMLResponse(_PAGE.format(title=escape(title), style=_STYLE, paragraphs=paragraphs), status, HEADERS)


def redirect(url: str) -> RedirectResponse:
    """Return the way to another address."""
    return RedirectResponse(url, 303, HEADERS)
