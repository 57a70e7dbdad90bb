"""GPX 1.1 as Strava's own app records it, and TCX with the ten blanks at its beginning that Strava leaves there.

https://www.topografix.com/GPX/1/1/ https://www8.garmin.com/xmlschemas/TrainingCenterDatabasev2.xsd
"""

from xml.sax.saxutils import escape

from simulator.clock import iso
from simulator.export.recording import Recording

_GPX = (
    'creator="StravaGPX" version="1.1" xmlns="http://www.topografix.com/GPX/1/1" '
    'xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"'
)
_TCX_SPORTS = {"Run": "Running", "Ride": "Biking"}


def gpx(recording: Recording) -> bytes:
    """Return the track; an activity without places has none."""
    activity = recording.activity
    points = []
    curves = (recording.curve(key) for key in ("latlng", "altitude", "heartrate", "cadence"))
    for index, (place, height, heart, cadence) in enumerate(zip(*curves, strict=True)):
        if place is None:
            continue
        extra = _tag("gpxtpx:hr", heart) + _tag("gpxtpx:cad", cadence)
        points.append(
            f'   <trkpt lat="{place[0]:.7f}" lon="{place[1]:.7f}">{_tag("ele", height)}'
            f"<time>{iso(recording.moment(index))}</time>"
            + (
                f"<extensions><gpxtpx:TrackPointExtension>{extra}</gpxtpx:TrackPointExtension></extensions>"
                * bool(extra)
            )
            + "</trkpt>"
        )
    return "\n".join((
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<gpx {_GPX}>",
        f" <metadata><time>{iso(recording.start)}</time></metadata>",
        f" <trk><name>{escape(activity['name'])}</name><type>{escape(activity['type'].lower())}</type><trkseg>",
        *points,
        " </trkseg></trk>",
        "</gpx>\n",
    )).encode()  # fmt: skip


def tcx(recording: Recording) -> bytes:
    """Return the activity in one lap."""
    activity = recording.activity
    keys = ("latlng", "altitude", "distance", "heartrate", "cadence")
    points = [
        f"     <Trackpoint><Time>{iso(recording.moment(index))}</Time>"
        + (
            f"<Position><LatitudeDegrees>{place[0]:.7f}</LatitudeDegrees>"
            f"<LongitudeDegrees>{place[1]:.7f}</LongitudeDegrees></Position>"
            if place
            else ""
        )
        + _tag("AltitudeMeters", height)
        + _tag("DistanceMeters", metres)
        + (f"<HeartRateBpm><Value>{heart}</Value></HeartRateBpm>" if heart is not None else "")
        + _tag("Cadence", cadence)
        + "</Trackpoint>"
        for index, (place, height, metres, heart, cadence) in enumerate(
            zip(*(recording.curve(key) for key in keys), strict=True)
        )
    ]
    start = iso(recording.start)
    return "\n".join((
        f'{" " * 10}<?xml version="1.0" encoding="UTF-8"?>',
        '<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2">',
        f' <Activities><Activity Sport="{_TCX_SPORTS.get(activity["type"], "Other")}"><Id>{start}</Id>',
        f'   <Lap StartTime="{start}">',
        f"    <TotalTimeSeconds>{activity['moving_time']}</TotalTimeSeconds>",
        f"    <DistanceMeters>{activity['distance']}</DistanceMeters>",
        f"    <Calories>{round(activity.get('calories') or 0)}</Calories>",
        "    <Intensity>Active</Intensity><TriggerMethod>Manual</TriggerMethod><Track>",
        *points,
        "   </Track></Lap>",
        " </Activity></Activities>",
        "</TrainingCenterDatabase>\n",
    )).encode()  # fmt: skip


def _tag(name: str, value: object) -> str:
    return "" if value is None else f"<{name}>{value}</{name}>"
