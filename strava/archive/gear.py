"""Bikes and shoes of an export: its lists name them, and the activities' rows know the ids."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from strava.archive.row import ArchiveRow

GearKind = Literal["bike", "shoes"]
LISTS: Mapping[str, GearKind] = {"bikes.csv": "bike", "shoes.csv": "shoes"}
_LETTERS = {"bike": "b", "shoes": "g"}
_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveGear:
    """A bike or a pair of shoes. `gear_id` is Strava's, such as `b8930001`, or None if no activity's row tells it."""

    kind: GearKind
    name: str
    brand: str
    model: str
    gear_id: str | None = None


def read_gear(kind: GearKind, content: bytes, ids: Mapping[str, str]) -> list[ArchiveGear]:
    """Read a list of gear, whose columns are name, brand, model and more, in any language.

    `ids` are the ids by the name that activities show: a bike's nickname, or brand, model and name of shoes.
    """
    text = io.StringIO(content.decode("utf-8-sig", errors="replace"), newline="")
    found = []
    try:
        for cells in list(zip(range(_MOST), csv.reader(text), strict=False))[1:]:
            name, brand, model, *_ = (each.strip() for each in [*cells[1], "", "", ""])
            if name or brand or model:
                gear_id = _id_of(kind, (name, f"{brand} {model} {name}", f"{brand} {model}"), ids)
                found.append(ArchiveGear(kind=kind, name=name, brand=brand, model=model, gear_id=gear_id))
    except csv.Error:
        pass  # what came before is kept: gear only names what the rows carry by themselves
    return found


def gear_ids(rows: Iterable[ArchiveRow]) -> dict[str, str]:
    """Return the id of each gear's name, by most of the rows that tell both."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        name, gear_id = row.gear_name, row.gear_id
        if name and gear_id:
            seen[_plain(name)][gear_id] += 1
    return {name: ids.most_common(1)[0][0] for name, ids in seen.items()}


def _id_of(kind: GearKind, names: Sequence[str], ids: Mapping[str, str]) -> str | None:
    found = [ids[plain] for name in names if (plain := _plain(name)) in ids]
    return next((gear_id for gear_id in found if gear_id.startswith(_LETTERS[kind])), None)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
