"""The document that a browser is given for each page, and Streamlit's files, which it asks for first.

The document is Streamlit's own with our style sheet, where its server is, and which scripts a page needs. A style sheet
that a page draws comes late, and all that stands there by then moves. For a page below the root Streamlit asks for a
server below that page first, is refused, and waits before it asks at the root. And it asks for the scripts of a chart
once the chart has come.
"""

import re
from functools import cache
from mimetypes import guess_type
from pathlib import Path

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import file_util

from dashboard.palette import stylesheet

PAGE = re.compile(r"/([a-z]*)")  # no other address of Streamlit's has one word alone
HEAD, BODY = "</head>", "<body>"  # what is in the body counts after Streamlit's own styles
# The name is Streamlit's, for a page that another one holds. Relative, as its files are: a proxy may have put it below.
SERVER = '<script>window.__streamlit = {BACKEND_BASE_URL: new URL(".", location).href}</script>'
DRAWN_WITH = ("Html", "Selectbox", "Button", "ButtonGroup", "Checkbox", "ArrowVegaLiteChart")  # scripts of most pages
PRELOAD = '<link rel="modulepreload" fetchpriority="low" crossorigin href="./static/js/{}">'  # after Streamlit's first
IMPORTED = re.compile(r'(?:from|import)"\./([^"]+\.js)"')


class Documents:
    """Middleware that answers for pages and Streamlit's own files, and leaves all else to Streamlit.

    A file is read once and kept: a page asks for 117 of them, each of which takes Streamlit three threads' turns, while
    it draws the page.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        folder = Path(file_util.get_static_dir())
        html = (folder / "index.html").read_text(encoding="utf-8")
        links = (PRELOAD.format(name) for name in _drawn_with(folder / "static/js") if name not in html)
        html = html.replace(HEAD, "".join(links) + HEAD, 1)
        self._root, self._below = (html.replace(BODY, BODY + more, 1) for more in (stylesheet(), SERVER + stylesheet()))
        self._files = {f"/{file.relative_to(folder).as_posix()}": file for file in (folder / "static").rglob("*.*")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answer = self._answer(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (answer or self._app)(scope, receive, send)

    def _answer(self, path: str) -> Response | None:
        if file := self._files.get(path):
            return _unchanging(file)
        if page := PAGE.fullmatch(path):
            return HTMLResponse(self._below if page[1] else self._root, headers={"Cache-Control": "no-cache"})
        return None


@cache
def _unchanging(file: Path) -> Response:
    """Return a file that has its content's hash in its name."""
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(file.read_bytes(), media_type=guess_type(file.name)[0], headers=kept)


def _drawn_with(folder: Path) -> list[str]:
    """Return the names of the scripts of DRAWN_WITH and of what these import."""
    names = [file.name for start in DRAWN_WITH for file in folder.glob(f"{start}.*.js")]
    for name in names:
        imported = IMPORTED.findall((folder / name).read_text(encoding="utf-8"))
        names += [other for other in dict.fromkeys(imported) if other not in names]
    return names
