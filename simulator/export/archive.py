"""The whole export as one ZIP, with the oddities that real ones have."""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from simulator.export.columns import Version, layout_of
from simulator.export.fit_file import fit
from simulator.export.languages import Language
from simulator.export.recording import Recording
from simulator.export.rows import header, row
from simulator.export.xml_files import gpx, tcx
from simulator.world.world import World

NO_FILE = "#error#"
#: What else is in an export and concerns no activity. An import has no reason to open any of it.
PERSONAL = {
    "contacts.csv": "Contact Name,Contact Email\nJo Invented,jo@example.org\n",
    "logins.csv": "Login Date,IP Address\n2026-01-01,192.0.2.7\n",
    "messaging.json": '{"messages": ["See you at seven."]}\n',
    "privacy_zones.csv": "Latitude,Longitude,Radius\n51.2873,10.4416,400\n",
    "general_preferences.csv": "Date of Birth,Weight,FTP\n1990-01-01,68.0,238\n",
    "followers.csv": "Follower Athlete ID\n4242424299\n",
    "routes.csv": "Route Name,Route Filename\nRound the lake,routes/1.gpx\n",
    "routes/1.gpx": "<gpx/>\n",
    "media.csv": "Media Filename,Media Caption\n",
}
PICTURE = b"\xff\xd8\xff\xe0 no real picture \xff\xd9"


def write_export(
    file: IO[bytes], world: World, *, exported_at: datetime, language: Language = Language.EN_US,
    version: Version = Version.SEPTEMBER_2026,
) -> int:  # fmt: skip
    """Write the export of a world's athlete and return how many activities are in it.

    Recordings are FIT, GPX or TCX, most of them gzipped, and as they were uploaded: an activity that was cropped is
    longer in its file. `#error#` stands for one that is lost, and activities that were typed in have none.
    """
    layout = layout_of(version)
    rows = [header(layout, language)]
    with ZipFile(file, "w", compresslevel=6) as archive:

        def put(name: str, content: bytes, *, is_packed: bool = False) -> None:
            info = ZipInfo(name, exported_at.timetuple()[:6])
            info.compress_type = ZIP_STORED if is_packed else ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)

        for activity_id in world.ids():
            activity = world.detail(activity_id)
            name, content = _recorded(*world.uploaded(activity_id))
            media = f"media/{activity_id:032x}.jpg" if activity_id % 37 == 0 else ""
            rows.append(row(layout, language, activity, name, media))
            if content:
                put(name, content, is_packed=name.endswith(".gz"))
            if media:
                put(media, PICTURE, is_packed=True)
        put("activities.csv", _csv(rows))
        for name, text in (*_gear(world), ("profile.csv", _profile(world, language)), *PERSONAL.items()):
            put(name, text.encode())
    return len(rows) - 1


def _recorded(activity: dict[str, Any], curves: dict[str, list[Any]]) -> tuple[str, bytes]:
    """Return the name and the content of the recording: of a watch most often, sometimes of Strava's own app."""
    if activity["manual"] or not curves:
        return "", b""
    number, uploaded = activity["id"], activity.get("upload_id")
    if number % 61 == 0:
        return NO_FILE, b""
    recording, has_places = Recording.of(activity, curves), bool(curves.get("latlng"))
    if has_places and number % 17 == 0:
        return f"activities/{number}.gpx", gpx(recording)
    if has_places and number % 17 == 1:
        return f"activities/{uploaded}.gpx.gz", _packed(gpx(recording))
    if number % 17 in {2, 3}:
        return f"activities/{uploaded}.tcx.gz", _packed(tcx(recording))
    return f"activities/{uploaded}.fit.gz", _packed(fit(recording))


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=6, mtime=0)


def _gear(world: World) -> Iterator[tuple[str, str]]:
    """Yield the lists of bikes and shoes; bikes go by a nickname, shoes by brand and model."""
    person = world.athlete(is_detailed=True)
    for name, kind, owned in (("bikes.csv", "Bike", person["bikes"]), ("shoes.csv", "Shoe", person["shoes"])):
        gear = [world.gear(item["id"]) or {} for item in owned]
        rows = [[item["nickname"], item["brand_name"], item["model_name"], ""] for item in gear]
        titles = [f"{kind} {title}" for title in ("Name", "Brand", "Model", "Default Sport Types")]
        yield name, _csv([titles, *rows]).decode()


def _profile(world: World, language: Language) -> str:
    titles = ["Athlete ID", "Email Address", "First Name", "Last Name", "Sex", "Weight", "Health Consent Status"]
    person = world.athlete(is_detailed=True)
    cells = [world.athlete_id, "someone@example.org", person["firstname"], person["lastname"], "", person["weight"], ""]
    if language is Language.XX:
        titles = [f"x{place}" for place in range(1, len(titles) + 1)]
    return _csv([titles, [str(cell) for cell in cells]]).decode()


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
