"""DuckDB's packaged `sqlite` extension, without a download."""

from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import duckdb

from backends.warehouse.marts import QueryFailed
from runtime.data_dir import make_private


def extension_directory(data_dir: Path) -> Path:
    """Return DuckDB's extension folder in the data folder, holding the packaged `sqlite` extension: no download.

    Safe in several processes. Raises QueryFailed when the package does not fit this DuckDB, OSError.
    """
    folder = data_dir.resolve() / "duckdb_extensions"
    with duckdb.connect(":memory:") as connection:
        found = connection.execute("select library_version, platform from pragma_version(), pragma_platform()")
        [(version, platform)] = found.fetchall()
    packaged = _packaged_extension(version)
    if packaged is None:
        raise QueryFailed(f"DuckDB {version} needs the package duckdb-extension-sqlite=={version.lstrip('v')}.")
    # DuckDB takes the entry point's name from the file's name, and that is not the package's.
    place = folder / version / platform / "sqlite_scanner.duckdb_extension"
    if not place.is_symlink() or place.readlink() != packaged:
        make_private(place.parent)
        draft = place.with_name(uuid4().hex)
        draft.symlink_to(packaged)
        draft.replace(place)
    return folder


def _packaged_extension(version: str) -> Path | None:
    """Find the extension in its package, which only those who read SQLite through DuckDB install."""
    package = find_spec("duckdb_extension_sqlite")
    if package is None or package.origin is None:
        return None
    file = Path(package.origin).parent / "extensions" / version / "sqlite.duckdb_extension"
    return file if file.is_file() else None
