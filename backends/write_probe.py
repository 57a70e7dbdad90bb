"""The smallest change that must reach the disk: what tells a file that can be written from one on a full disk."""

import sqlite3


def rewrite_version(connection: sqlite3.Connection) -> None:
    """Write the schema's version once more, inside a transaction of the caller's; nothing else changes."""
    version = int(connection.execute("pragma user_version").fetchone()[0])
    connection.execute(f"pragma user_version = {version}")
