"""Writes TCX and GPX files for tests."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tests.strava.fit_writer import START_AT

Point = Mapping[str, object]
GPX_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<gpx creator="StravaGPX" version="1.1" '
    'xmlns="http://www.topografix.com/GPX/1/1" '
    'xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1">'
)
TCX_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2">'
)


def moment(seconds: float, start: datetime = START_AT) -> str:
    """Return a time so many seconds after the start as both formats have it."""
    return (start + timedelta(seconds=seconds)).astimezone(UTC).isoformat().replace("+00:00", "Z")


def course(count: int) -> list[Point]:
    """Return points, one a second, that go north-east of 52, 13."""
    return [
        {
            "s": index,
            "lat": 52 + index * 2e-5,
            "lon": 13 + index * 2e-5,
            "ele": 100 + index % 5,
            "d": index * 3.0,
            "hr": 140,
        }
        for index in range(count)
    ]


def gpx(points: Iterable[Point], *, kind: str = "running", name: str = "Morning", start: datetime = START_AT) -> str:
    """Return a GPX file with one track."""
    return (
        f"{GPX_HEAD}<trk><name>{name}</name><type>{kind}</type><trkseg>"
        + "".join(gpx_point(each, start) for each in points)
        + "</trkseg></trk></gpx>"
    )


def gpx_point(point: Point, start: datetime = START_AT) -> str:
    """Return one point; the time, the height and the heart rate are there if it has them."""
    inner = f"<ele>{point['ele']}</ele>" if "ele" in point else ""
    inner += f"<time>{moment(float(str(point['s'])), start)}</time>" if "s" in point else ""
    if "hr" in point:
        extension = f"<gpxtpx:TrackPointExtension><gpxtpx:hr>{point['hr']}</gpxtpx:hr></gpxtpx:TrackPointExtension>"
        inner += f"<extensions>{extension}</extensions>"
    return f'<trkpt lat="{point["lat"]}" lon="{point["lon"]}">{inner}</trkpt>'


def tcx(activities: Sequence[tuple[str, Sequence[Sequence[Point]]]], *, timer_s: float | None = None) -> str:
    """Return a TCX file of activities: each a sport and its laps, a lap its points."""
    inner = "".join(tcx_activity(*each, timer_s) for each in activities)
    return f"{TCX_HEAD}<Activities>{inner}</Activities></TrainingCenterDatabase>"


def tcx_activity(sport: str, laps: Sequence[Sequence[Point]], timer_s: float | None = None) -> str:
    """Return one activity with its device; each lap says how long the timer ran and what was burnt."""
    made = f'<Activity Sport="{sport}"><Id>{_time(laps[0][0])}</Id>'
    for points in laps:
        first, last = (float(str(points[place]["s"])) for place in (0, -1))
        made += (
            f'<Lap StartTime="{moment(first)}">'
            f"<TotalTimeSeconds>{last - first if timer_s is None else timer_s}</TotalTimeSeconds>"
            f"<DistanceMeters>{float(str(points[-1]['d'])) - float(str(points[0]['d']))}</DistanceMeters>"
            "<MaximumSpeed>4.5</MaximumSpeed><Calories>60</Calories>"
            "<AverageHeartRateBpm><Value>139</Value></AverageHeartRateBpm><Track>"
            + "".join(_tcx_point(each) for each in points)
            + "</Track></Lap>"
        )
    creator = "<Creator><Name>Edge 530</Name><UnitId>3912345678</UnitId><ProductID>3121</ProductID></Creator>"
    return made + creator + "</Activity>"


def _time(point: Point) -> str:
    return moment(float(str(point["s"])))


def _tcx_point(point: Point) -> str:
    place = f"<LatitudeDegrees>{point['lat']}</LatitudeDegrees><LongitudeDegrees>{point['lon']}</LongitudeDegrees>"
    return (
        f"<Trackpoint><Time>{_time(point)}</Time><Position>{place}</Position>"
        f"<AltitudeMeters>{point['ele']}</AltitudeMeters><DistanceMeters>{point['d']}</DistanceMeters>"
        f"<HeartRateBpm><Value>{point['hr']}</Value></HeartRateBpm>"
        "<Extensions><TPX><Speed>3.0</Speed><RunCadence>84</RunCadence><Watts>250</Watts></TPX></Extensions></Trackpoint>"
    )
