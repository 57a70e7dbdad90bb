"""The document of a page, and the files that it asks for."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from streamlit import file_util

from dashboard.document import Documents

STATIC = Path(file_util.get_static_dir())
KINDS = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A browser before the middleware, behind which Streamlit knows nothing."""
    app = Documents(PlainTextResponse("of Streamlit", status_code=404))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://dashboard") as client:
        yield client


async def test_what_a_document_asks_for_is_answered_and_kept(client: httpx.AsyncClient) -> None:
    """Each file that it links to is Streamlit's, byte for byte, and need not be asked for again."""
    linked = set(re.findall(r'"\./(static/[^"]+)"', (await client.get("/activity")).text))
    assert len(linked) > 100
    for path in linked:
        answer = await client.get(f"/{path}")
        assert answer.content == (STATIC / path).read_bytes()
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Type"].startswith(KINDS[Path(path).suffix])


async def test_what_is_no_file_of_streamlit_s_is_left_to_it(client: httpx.AsyncClient) -> None:
    """Other addresses, other methods, and what leads out of its folder."""
    script = next((STATIC / "static/js").glob("index.*.js")).name
    for path in ("/static/js/none.js", "/static/%2e%2e/index.html", "/static/js", "/_stcore/health", "/media/x.js"):
        assert (await client.get(path)).text == "of Streamlit"
    assert (await client.post(f"/static/js/{script}")).text == "of Streamlit"
