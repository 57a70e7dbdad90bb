"""JSON as it comes over the wire: strict and fast, with one repair, without which an odd title would stop an event."""

import json
from typing import Any

import orjson


def parse(raw: bytes | str) -> Any:
    """Parse JSON, repaired where needed. Raises ValueError, whose text holds nothing of `raw`."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass  # its own error would carry all of `raw`
    return orjson.loads(replace_lone_surrogates(raw))


def replace_lone_surrogates(raw: bytes | str) -> bytes:
    """Rewrite JSON so that strict readers (orjson, DuckDB) take it.

    Half an emoji, as left by a title that was cut at its greatest length, becomes a question mark. Raises ValueError
    when that does not help; its text holds nothing of `raw`.
    """
    try:
        repaired = json.dumps(json.loads(raw), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        orjson.loads(repaired)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    return repaired
