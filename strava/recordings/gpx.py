"""Reads GPX 1.0 and 1.1: all tracks of a file are one recording, as Strava takes them.

Format: https://www.topografix.com/GPX/1/1/; heart rate, cadence, temperature and power as Garmin, Strava and others
write them into a point's extensions.
"""

from collections.abc import Mapping
from math import isnan, nan

from strava.recordings import sport_types
from strava.recordings.points import Points, moment, number
from strava.recordings.recording import Device, Reading, Recording, UnreadableRecording
from strava.recordings.xml_reader import read_xml

BAROMETER = "with barometer"  # https://support.strava.com/hc/en-us/articles/216917087
_VALUES = {
    "ele": "altitude_m",
    "speed": "speed_mps",
    "hr": "heart_rate_bpm",
    "heartrate": "heart_rate_bpm",
    "cad": "cadence_rpm",
    "cadence": "cadence_rpm",
    "atemp": "temperature_c",
    "temp": "temperature_c",
    "power": "power_w",
    "watts": "power_w",
    "PowerInWatts": "power_w",
}


class _Gpx:
    """What is known so far."""

    def __init__(self) -> None:
        self.points = Points()
        self.creator = ""
        self.name: str | None = None
        self.type: str | None = None
        self.timeless = 0
        self._point: dict[str, float] | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "trkpt":
            self._point = {
                "latitude": number(attributes.get("lat", "")),
                "longitude": number(attributes.get("lon", "")),
                "time": nan,
            }
        elif name == "gpx":
            self.creator = attributes.get("creator", "")

    def end(self, name: str, text: str, parent: str) -> None:
        if self._point is not None:
            if name == "trkpt":
                self._add(self._point)
                self._point = None
            elif name == "time" and parent == "trkpt":
                self._point["time"] = moment(text)
            elif name in _VALUES:
                self._point[_VALUES[name]] = number(text)
        elif parent == "trk" and name == "name":
            self.name = self.name or text or None
        elif parent == "trk" and name == "type":
            self.type = self.type or text or None

    def _add(self, point: dict[str, float]) -> None:
        if isnan(point["time"]):
            self.timeless += 1
        else:
            self.points.add(point)


def read_gpx(content: bytes) -> Reading:
    """Read a GPX file. Raises UnreadableRecording for what is none, or holds no times."""
    read = _Gpx()
    broken = read_xml(content, read)
    columns = read.points.columns()
    if not len(columns["time"]):
        raise UnreadableRecording("no times" if read.timeless or not broken else broken)
    remarks = [f"{read.timeless:,} points without a time were left out"] if read.timeless else []
    recording = Recording(
        start=float(columns["time"][0]),
        columns=columns,
        sport_type=sport_types.of_word(read.type),
        name=read.name,
        # The creator is a program as a rule, so no device is named; but this is how Strava is told of a barometer.
        device=Device(has_barometer=BAROMETER in read.creator.lower()),
    )
    remarks += [f"cut short: {broken}"] if broken else []
    return Reading(kind="gpx", recordings=[recording], is_truncated=bool(broken), remarks=remarks)
