"""Unpacks a file and finds out what it is: by its content, never by its name."""

import zlib

from strava.recordings.recording import UnreadableRecording

MOST_BYTES = 64 * 2**20  # unpacked
MOST_RATIO = 200  # unpacked to packed; a track packs to a twentieth at best
MOST_MEMBERS = 1_000  # gzip files in a row
GZIP = b"\x1f\x8b"
_CHUNK = 2**20
_HEAD = 4096


def unpacked(content: bytes) -> tuple[bytes, bool]:
    """Return the content of a gzipped file, or the content itself; and whether it ends too early.

    Raises UnreadableRecording for what is empty, or unpacks to more than 64 MiB or 200 times its size.
    """
    is_cut = False
    if content.startswith(GZIP):
        content, is_cut = _inflated(content)
    if len(content) > MOST_BYTES:
        raise UnreadableRecording(f"larger than {MOST_BYTES >> 20} MiB")
    if not content.strip(b"\0"):
        raise UnreadableRecording("empty file" if not content else "empty file: nothing but zeros")
    return content, is_cut


def _inflated(packed: bytes) -> tuple[bytes, bool]:
    most = min(MOST_BYTES, MOST_RATIO * len(packed))
    parts, size, members = list[bytes](), 0, 0
    while packed.startswith(GZIP):  # several may stand one after another
        members += 1
        if members > MOST_MEMBERS:
            raise UnreadableRecording(f"more than {MOST_MEMBERS:,} gzip files in a row")
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            try:
                part = member.decompress(packed, _CHUNK)
            except zlib.error:
                return b"".join(parts), True
            packed = member.unconsumed_tail
            parts.append(part)
            size += len(part)
            if size > most:
                raise UnreadableRecording(f"unpacks to more than {MOST_BYTES >> 20} MiB or {MOST_RATIO} times its size")
            if not part and not member.eof and not packed:
                return b"".join(parts), True
        packed = member.unused_data
    return b"".join(parts), False


def kind_of(content: bytes) -> str:
    """Return `fit`, `tcx` or `gpx`. Raises UnreadableRecording for anything else."""
    if content[8:12] == b".FIT":
        return "fit"
    if content.startswith(b"PK\x03\x04"):
        raise UnreadableRecording("a ZIP archive, not a recording")
    head = content[:_HEAD].replace(b"\0", b"").lower()  # UTF-16 has a zero beside each letter
    for name, kind in ((b"trainingcenterdatabase", "tcx"), (b"<gpx", "gpx"), (b":gpx", "gpx")):
        if name in head:
            return kind
    raise UnreadableRecording("not a FIT, TCX or GPX file")
