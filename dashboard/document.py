"""The document that a browser is given for each page: Streamlit's own with our style sheet, and where its server is.

A style sheet that a page draws comes late, and all that stands there by then moves. And for a page below the root
Streamlit asks for a server below that page first, is refused, and waits before it asks at the root.
"""

import re
from pathlib import Path

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import file_util

from dashboard.palette import stylesheet

PAGE = re.compile(r"/([a-z]*)")  # no other address of Streamlit's has one word alone
BODY = "<body>"  # what is in it counts after Streamlit's own styles
# The name is Streamlit's, for a page that another one holds. Relative, as its files are: a proxy may have put it below.
SERVER = '<script>window.__streamlit = {BACKEND_BASE_URL: new URL(".", location).href}</script>'


class Documents:
    """Middleware that answers for pages, and leaves all else to Streamlit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        html = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
        self._root, self._below = (html.replace(BODY, BODY + more, 1) for more in (stylesheet(), SERVER + stylesheet()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        page = PAGE.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if page is None:
            await self._app(scope, receive, send)
            return
        html = self._below if page[1] else self._root
        await HTMLResponse(html, headers={"Cache-Control": "no-cache"})(scope, receive, send)
