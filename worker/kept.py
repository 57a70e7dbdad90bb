"""What a program that ends soon remembers for the one after it, in a mark.

Numbers of activities and athletes stand there as digests: no purge has to find them.
"""

import asyncio
import hashlib
import json
from typing import Any

from backends.marks import Marks

MOST = 150  # in one mark: all marks of BigQuery are one description of 16,384 characters


class Kept:
    """One document of JSON. Raises WarehouseBusy, OSError."""

    def __init__(self, marks: Marks, name: str) -> None:
        self._marks = marks
        self._name = name

    async def read(self) -> dict[str, Any]:
        """Return the document, or an empty one where there is none."""
        try:
            told = json.loads(await asyncio.to_thread(self._marks.read, self._name) or "{}")
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}

    async def write(self, document: dict[str, Any]) -> None:
        """Have the mark say it."""
        text = json.dumps(document, separators=(",", ":"), sort_keys=True) if document else ""
        await asyncio.to_thread(self._marks.write, self._name, text)


def key_of(number: int) -> str:
    """Return the digest that stands for an activity or an athlete."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:12]
