"""The mark of a purged athlete: it can be checked against an id, but the id cannot be read from it.

There are few enough athlete ids to try them all, so the hash is slow (scrypt) and salted by receipt.
"""

import hashlib
import hmac
import os

_SALT_BYTES = 16


def hash_athlete(athlete_id: int, salt: bytes | None = None) -> str:
    """Return `scrypt:<salt>:<hash>` in hex digits, with a new salt unless one is given."""
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    digest = hashlib.scrypt(str(athlete_id).encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
    return f"scrypt:{salt.hex()}:{digest.hex()}"


def is_receipt_of(athlete_hash: str, athlete_id: int) -> bool:
    """Tell whether a receipt's hash is this athlete's."""
    salt = bytes.fromhex(athlete_hash.split(":")[1])
    return hmac.compare_digest(athlete_hash, hash_athlete(athlete_id, salt))
