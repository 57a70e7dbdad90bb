"""How an export looks in the account's language: the names of columns, dates, numbers and sports."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from simulator.export.columns import SHOWN


class Language(StrEnum):
    """The languages of exports that were seen; `xx` stands for one that no reader has heard of."""

    EN_US = "en-US"
    EN_GB = "en-GB"
    DE = "de"
    NL = "nl"
    FR = "fr"
    JA = "ja"
    ES = "es"
    XX = "xx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """`names` are those of the shown columns, `date` is what `strftime` takes, with the month's name as `{month}`."""

    names: tuple[str, ...] = SHOWN
    date: str
    months: tuple[str, ...] = ()
    decimal: str = ","
    sports: Mapping[str, str] = field(default_factory=dict)

    def moment(self, moment: datetime) -> str:
        """Write a moment, which stays in UTC."""
        month = self.months[moment.month - 1] if self.months else ""
        written = self.date.replace("{month}", month).replace("{day}", str(moment.day))
        return moment.strftime(written.replace("{hour}", str(moment.hour % 12 or 12)))

    def kilometres(self, metres: float) -> str:
        """Write a distance with two decimals."""
        return f"{metres / 1000:.2f}".replace(".", self.decimal)

    def sport(self, sport_type: str) -> str:
        """Write a sport; where no word is known, in English with spaces, as `Virtual Ride`."""
        spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", sport_type).replace("EBike", "E-Bike")
        return self.sports.get(sport_type, re.sub(r"(?<=Bike)(?=Ride)", " ", spaced))


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


_ENGLISH_MONTHS = _names("Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec")
SPELLINGS = {
    Language.EN_US: Spelling(date="{month} {day}, %Y, {hour}:%M:%S %p", months=_ENGLISH_MONTHS, decimal="."),
    Language.EN_GB: Spelling(date="{day} {month} %Y, %H:%M:%S", months=_ENGLISH_MONTHS, decimal="."),
    Language.DE: Spelling(
        names=_names(
            "Aktivitäts-ID|Aktivitätsdatum|Name der Aktivität|Aktivitätsart|Aktivitätsbeschreibung|Verstrichene Zeit|"
            "Distanz|Max. Herzfrequenz|Relative Leistung|Pendeln|Hinweis zur Privatsphäre für Aktivitäten|"
            "Aktivitätsausrüstung|Dateiname"
        ),
        date="%d.%m.%Y, %H:%M:%S",
        sports={
            "Run": "Lauf", "TrailRun": "Traillauf", "VirtualRun": "Virtueller Lauf", "Ride": "Radfahrt",
            "GravelRide": "Gravelfahrt", "EBikeRide": "E-Bike-Fahrt", "VirtualRide": "Virtuelle Radfahrt",
            "Swim": "Schwimmen", "Hike": "Wandern", "Walk": "Spaziergang", "NordicSki": "Langlauf",
            "WeightTraining": "Gewichtstraining", "Workout": "Training",
        },
    ),
    Language.NL: Spelling(
        names=_names(
            "Activiteits-ID|Datum van activiteit|Naam activiteit|Activiteitstype|Activiteitsbeschrijving|"
            "Verstreken tijd|Afstand|Max. hartslag|Relatieve inspanning|Woon-werkverkeer|Privénotitie|"
            "Uitrusting voor activiteit|Bestandsnaam"
        ),
        date="{day} {month} %Y, %H:%M:%S",
        months=_names("jan|feb|mrt|apr|mei|jun|jul|aug|sep|okt|nov|dec"),
        sports={
            "Run": "Hardloopsessie", "Ride": "Fietsrit", "VirtualRide": "Virtuele fietsrit", "Swim": "Zwemmen",
            "Walk": "Wandeling", "WeightTraining": "Krachttraining",
        },
    ),
    Language.FR: Spelling(
        names=_names(
            "ID de l'activité|Date de l'activité|Nom de l'activité|Type d'activité|Description de l'activité|"
            "Temps écoulé|Distance|Fréquence cardiaque max.|Effort relatif|Trajet domicile-travail|Note privée|"
            "Matériel|Nom du fichier"
        ),
        date="{day} {month} %Y, %H:%M:%S",
        months=_names("janv.|févr.|mars|avr.|mai|juin|juil.|août|sept.|oct.|nov.|déc."),
        sports={"Run": "Course à pied", "Ride": "Vélo", "Swim": "Natation", "Walk": "Marche"},
    ),
    Language.JA: Spelling(
        names=_names(
            "アクティビティID|アクティビティ実行日|アクティビティ名|アクティビティタイプ|説明|経過時間|距離|最大心拍数|"
            "相対的エフォート|通勤|メモ|ギア|ファイル名"
        ),
        date="%Y/%m/%d %H:%M:%S",
        decimal=".",
        sports={"Run": "ランニング"},
    ),
    Language.ES: Spelling(
        names=_names(
            "ID de actividad|Fecha de la actividad|Nombre de la actividad|Tipo de actividad|Descripción|"
            "Tiempo transcurrido|Distancia|Frecuencia cardíaca máxima|Esfuerzo relativo|Desplazamiento|Nota privada|"
            "Equipamiento|Nombre del archivo"
        ),
        date="{day} {month} %Y, %H:%M:%S",
        months=_names("ene|feb|mar|abr|may|jun|jul|ago|sept|oct|nov|dic"),
    ),
    Language.XX: Spelling(names=_names("|".join(f"x{place}" for place in range(1, 14))), date="%d/%m/%Y %H:%M:%S"),
}  # fmt: skip
