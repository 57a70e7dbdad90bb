"""The mark of a purged athlete: it can be checked against an id, but the id cannot be read from it.

There are few enough athlete ids to try them all, so the hash is slow (scrypt) and salted by receipt.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Collection

_SALT_BYTES = 16
_MARK = re.compile(r"scrypt:([0-9a-f]{32}):[0-9a-f]{64}")
_MOST_REMEMBERED = 10_000

Pair = tuple[str, int]  # a receipt's hash, and the id of who may be meant


def hash_athlete(athlete_id: int, salt: bytes | None = None) -> str:
    """Return `scrypt:<salt>:<hash>` in hex digits, with a new salt unless one is given."""
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    digest = hashlib.scrypt(str(athlete_id).encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
    return f"scrypt:{salt.hex()}:{digest.hex()}"


def is_receipt_of(athlete_hash: str, athlete_id: int) -> bool:
    """Tell whether a receipt's hash is this athlete's."""
    mark = _MARK.fullmatch(athlete_hash)
    return mark is not None and hmac.compare_digest(
        athlete_hash, hash_athlete(athlete_id, bytes.fromhex(mark.group(1)))
    )


class ReceiptsUnchecked(Exception):
    """It takes too long to find out inside a transaction whether these receipts are of these athletes."""

    def __init__(self, pairs: Collection[Pair]) -> None:
        super().__init__(f"{len(pairs)} receipts are to be checked first")
        self.pairs = pairs


class CheckedReceipts:
    """Which receipts are of which athletes. Each pair takes some tens of milliseconds once, and is then remembered."""

    def __init__(self) -> None:
        self._found: dict[Pair, bool] = {}

    def of(self, athlete_id: int, hashes: Collection[str]) -> list[str]:
        """Return those of the hashes that are the athlete's. Raises ReceiptsUnchecked where that is not known yet."""
        unchecked = [(each, athlete_id) for each in hashes if (each, athlete_id) not in self._found]
        if unchecked:
            raise ReceiptsUnchecked(unchecked)
        return [each for each in hashes if self._found[each, athlete_id]]

    def check(self, pairs: Collection[Pair]) -> None:
        """Find out and remember. Blocks."""
        if len(self._found) > _MOST_REMEMBERED:
            self._found.clear()
        for athlete_hash, athlete_id in pairs:
            self._found[athlete_hash, athlete_id] = is_receipt_of(athlete_hash, athlete_id)
