"""Recordings of devices: FIT, TCX and GPX files, and what Strava would say of them.

`read_recording` reads a file, `clip` cuts a recording to what an activity was cropped to, `describe` and `streams` say
it in the words, units and shapes of Strava's API. This package needs numpy and tzfpy, which a program that waits for
events has no use for: import it only where files are read.
"""

from strava.recordings.clip import clip
from strava.recordings.content import kind_of, unpacked
from strava.recordings.describe import describe
from strava.recordings.fit import read_fit
from strava.recordings.gpx import read_gpx
from strava.recordings.recording import Device, Lap, Reading, Recording, Totals, UnreadableRecording
from strava.recordings.streams import streams
from strava.recordings.tcx import read_tcx

__all__ = [
    "Device",
    "Lap",
    "Reading",
    "Recording",
    "Totals",
    "UnreadableRecording",
    "clip",
    "describe",
    "read_recording",
    "streams",
]

_READERS = {"fit": read_fit, "gpx": read_gpx, "tcx": read_tcx}


def read_recording(content: bytes, name: str = "") -> Reading:
    """Read a FIT, TCX or GPX file, plain or gzipped; which of them it is its content tells.

    A damaged file is read up to where it breaks. `name` is the file's, for what Strava could not export. Raises
    UnreadableRecording with the reason.
    """
    if not content and name.rsplit("/", 1)[-1].startswith("#error#"):
        raise UnreadableRecording("Strava has no file for it")
    plain, is_cut = unpacked(content)
    reading = _READERS[kind_of(plain)](plain)
    if not is_cut:
        return reading
    return Reading(
        kind=reading.kind,
        recordings=reading.recordings,
        is_truncated=True,
        remarks=["cut short: its compressed data breaks off", *reading.remarks],
    )
