"""What the export says in the account's language: the names of columns, and the labels of sports.

No table is complete: Strava speaks more languages than are known here, so nothing else may depend on a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """Headers of one language; all spellings that were seen."""

    activity_id: tuple[str, ...]
    date: tuple[str, ...]
    sport: tuple[str, ...]
    file: tuple[str, ...]


COLUMN_NAMES = {
    "en": ColumnNames(("activity id", "id"), ("activity date", "date"), ("activity type", "type"), ("filename",)),
    "de": ColumnNames(("aktivitäts-id",), ("aktivitätsdatum",), ("aktivitätsart",), ("dateiname",)),
    "nl": ColumnNames(("activiteits-id",), ("datum van activiteit",), ("activiteitstype",), ("bestandsnaam",)),
    "fr": ColumnNames(
        ("id de l'activité",), ("date de l'activité",), ("type d'activité",), ("nom du fichier", "nom de fichier")
    ),
    "ja": ColumnNames(("アクティビティid",), ("アクティビティ実行日",), ("アクティビティタイプ",), ("ファイル名",)),
    "es": ColumnNames(
        ("id de actividad", "id de la actividad"),
        ("fecha de la actividad", "fecha de actividad"),
        ("tipo de actividad",),
        ("nombre del archivo", "nombre de archivo"),
    ),
}

# https://developers.strava.com/docs/reference/#api-models-SportType
_SPORT_TYPES = (
    "AlpineSki", "BackcountrySki", "Badminton", "Basketball", "Canoeing", "Cricket", "Crossfit", "Dance",
    "EBikeRide", "Elliptical", "EMountainBikeRide", "Golf", "GravelRide", "Handcycle",
    "HighIntensityIntervalTraining", "Hike", "IceSkate", "InlineSkate", "Kayaking", "Kitesurf", "MountainBikeRide",
    "NordicSki", "Padel", "PhysicalTherapy", "Pickleball", "Pilates", "Racquetball", "Ride", "RockClimbing",
    "RollerSki", "Rowing", "Run", "Sail", "Skateboard", "Snowboard", "Snowshoe", "Soccer", "Squash",
    "StairStepper", "StandUpPaddling", "Surfing", "Swim", "TableTennis", "Tennis", "TrailRun", "Velomobile",
    "VirtualRide", "VirtualRow", "VirtualRun", "Volleyball", "Walk", "WeightTraining", "Wheelchair", "Windsurf",
    "Workout", "Yoga",
)  # fmt: skip
_OTHER_LABELS = {
    "RockClimbing": ("Rock Climb",),
    "HighIntensityIntervalTraining": ("HIIT",),
    "Run": ("Lauf", "Hardloopsessie", "Hardlopen", "Course à pied", "ランニング", "ラン", "Carrera"),
    "Ride": ("Radfahrt", "Fietsrit", "Vélo", "Sortie vélo", "ライド", "Bicicleta"),
    "VirtualRide": ("Virtuelle Radfahrt", "Virtuele fietsrit", "Sortie à vélo virtuelle",
                    "バーチャルライド"),
    "VirtualRun": ("Virtueller Lauf", "Virtuele hardloopsessie", "バーチャルラン"),
    "Hike": ("Wandern", "Wanderung", "Hiken", "Randonnée", "ハイキング", "Caminata"),
    "Walk": ("Spaziergang", "Wandeling", "Marche", "ウォーキング"),
    "WeightTraining": ("Gewichtstraining", "Krachttraining", "ウェイトトレーニング"),
    "Workout": ("Training", "Entraînement", "ワークアウト"),
    "Swim": ("Schwimmen", "Zwemmen", "Natation", "水泳", "スイム", "Natación"),
    "AlpineSki": ("Ski Alpin",),
    "BackcountrySki": ("Skitouren",),
    "NordicSki": ("Langlauf",),
    "Snowboard": ("Snowboarden",),
    "MountainBikeRide": ("Mountainbikefahrt",),
    "GravelRide": ("Gravelfahrt", "Gravelrit"),
    "EBikeRide": ("E-Bike-Fahrt",),
    "TrailRun": ("Traillauf",),
    "Rowing": ("Rudern",),
}  # fmt: skip


def _key(label: str) -> str:
    return "".join(letter for letter in label.casefold() if letter.isalnum())


_SPORT_OF = {_key(name): name for name in _SPORT_TYPES} | {
    _key(label): name for name, labels in _OTHER_LABELS.items() for label in labels
}


def sport_type(label: str) -> str | None:
    """Return Strava's sport type of a label such as `Virtual Ride` or `Virtuelle Radfahrt`; None if it is unknown."""
    return _SPORT_OF.get(_key(label))


def language_of(header: Sequence[str]) -> str | None:
    """Return the language of which at least two names are in the header, or None."""
    names = {plain_name(name) for name in header}
    found = {
        language: sum(not names.isdisjoint(each) for each in (known.activity_id, known.date, known.sport, known.file))
        for language, known in COLUMN_NAMES.items()
    }
    best = max(found, key=lambda language: found[language])
    return best if found[best] > 1 else None


def plain_name(name: str) -> str:
    """Return a header as the table spells it: in small letters, with one kind of apostrophe."""
    return name.strip().casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
