"""How FastAPI is told what to document: nothing, unless a setting asks for it."""

from typing import Any


def documented(*, api_docs: bool) -> dict[str, Any]:
    """Return FastAPI's options: /openapi.json or nothing, and never its pages, which load scripts from elsewhere."""
    return {"openapi_url": "/openapi.json" if api_docs else None, "docs_url": None, "redoc_url": None}
