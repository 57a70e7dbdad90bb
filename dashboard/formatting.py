"""Numbers, dates and texts as one reader has them: language, units, time zone and the present moment.

A number and its unit are joined by a narrow no-break space (U+202F), by which `small` and `small_html` find the unit.
https://babel.pocoo.org/ has the patterns, https://cldr.unicode.org/ what the languages do.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol

from dashboard import languages
from dashboard.languages import N_
from dashboard.units import FAST, HIGH, LONG, SWUM, Units

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NARROW NO-BREAK SPACE}"
WHOLE_FROM = 1000  # kilometres or miles, from which a decimal says nothing
_A_WEEK = timedelta(days=6)  # a weekday names no other day
_UNIT = re.compile(rf"{NARROW}([^ ,;{NARROW}]+)")

# Sports that are a matter of speed, though the marts count it for wheels only; Strava's words for the rollers.
SPEED_GROUPS = frozenset({"winter", "water"})
ROLLER_SPORTS = frozenset({"InlineSkate", "RollerSki", "Skateboard", "Wheelchair"})

# Dates by language. `weekday day month year` in their orders; where a year is left out the reader knows it.
_DATES = {
    "en": {
        "long": "EEE d MMM y", "date": "d MMM y", "short": "d MMM", "day": "d", "month": "LLLL y", "weekday": "EEEE",
        "near": "EEE d MMM", "full": "d MMMM",
    },
    "de": {
        "long": "EEE, d. MMM y", "date": "d. MMM y", "short": "d. MMM", "day": "d.", "month": "LLLL y",
        "weekday": "EEEE", "near": "EEE, d. MMM", "full": "d. MMMM",
    },
}  # fmt: skip
_BETWEEN_DAYS = {"en": f" {NOTHING} ", "de": NOTHING}


def total(amounts: Iterable[float]) -> float:
    """The sum, the same in any order; to a millionth, as the marts add up."""
    return round(math.fsum(amounts), 6)


def plain(text: str) -> str:
    """Text that Markdown shows as it is, but for `code`."""
    return re.sub(r"([\\*_\[\]$<~:])", r"\\\1", text)


def small(text: str) -> str:
    """Markdown with its units in small letters: what `st.metric` shows."""
    return _UNIT.sub(rf"{NARROW}:small[\1]", text)


def small_html(text: str) -> str:
    """HTML with its units in small letters: what `st.html` shows."""
    return _UNIT.sub(rf"{NARROW}<small>\1</small>", text)


@lru_cache(maxsize=4096)  # a curve says the same values again and again, and Babel reads its pattern each time
def _decimal(value: float, decimals: int, language: str) -> str:
    return str(format_decimal(value, "#,##0" + ("." + "0" * decimals if decimals else ""), locale=language))


@dataclass(frozen=True, kw_only=True, slots=True)
class Teller:
    """Says everything to one reader. Calling it translates a text and fills in its `{names}`.

    Lengths are metres, times seconds, paces seconds per kilometre, speeds km/h; None is told as a dash. A moment
    without a zone is UTC, as the marts keep it.
    """

    now: datetime
    zone: ZoneInfo
    language: str = languages.SOURCE
    units: Units = Units.METRIC

    def __call__(self, text: str, **values: object) -> str:
        """Return a marked text in the reader's language."""
        return languages.translate(text, self.language).format(**values)

    def plural(self, one: str, many: str, number: float, **values: object) -> str:
        """Return one of two marked texts by a number, which is `{n}` in them."""
        text = languages.translate_plural(one, many, number, self.language)
        return text.format(n=self.number(number), **values)

    # --- Numbers ---

    def number(self, value: float | None, decimals: int = 0, *, signed: bool = False) -> str:
        """Return a number with so many decimals; `signed` writes the plus as well."""
        if value is None:
            return NOTHING
        text = _decimal(value, decimals, self.language)
        is_zero = not any(digit in text for digit in "123456789")
        text = text.lstrip("-") if is_zero else text.replace("-", MINUS)
        return f"+{text}" if signed and value > 0 and not is_zero else text

    def percent(self, share: float | None) -> str:
        """Return a share of 1 in whole per cent."""
        if share is None:
            return NOTHING
        number = "< 1" if 0 < share < 0.01 else self.number(share * 100)  # noqa: PLR2004 - one per cent
        return f"{number}{NARROW}%"

    def distance(self, metres: float | None, decimals: int = 1) -> str:
        """Return kilometres or miles; none of the decimals from 1,000 on."""
        if metres is None:
            return NOTHING
        amount = self.distance_amount(metres)
        return f"{self.number(amount, decimals if amount < WHOLE_FROM else 0)}{NARROW}{self.distance_unit}"

    def distance_amount(self, metres: float) -> float:
        """Return kilometres or miles as a number, for an axis."""
        return float(metres) / LONG[self.units].size

    @property
    def distance_unit(self) -> str:
        """The name of the unit of `distance`."""
        return LONG[self.units].name

    def elevation(self, metres: float | None) -> str:
        """Return whole metres or feet."""
        if metres is None:
            return NOTHING
        return f"{self.number(self.elevation_amount(metres))}{NARROW}{self.elevation_unit}"

    @property
    def elevation_unit(self) -> str:
        """The name of the unit of `elevation`."""
        return HIGH[self.units].name

    def elevation_amount(self, metres: float) -> float:
        """Return metres or feet as a number, for an axis."""
        return float(metres) / HIGH[self.units].size

    def duration(self, seconds: float | None) -> str:
        """Return hours and minutes: `7 h 07 min`."""
        if seconds is None:
            return NOTHING
        hours, minutes = divmod(round(float(seconds) / 60), 60)
        return f"{self.number(hours)}{NARROW}h {minutes:02d}{NARROW}min"

    def clock(self, seconds: float | None) -> str:
        """Return the time of an effort: `45:02`, `1:39:48`."""
        if seconds is None:
            return NOTHING
        minutes, rest = divmod(round(float(seconds)), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

    def pace(self, seconds_per_km: float | None) -> str:
        """Return minutes and seconds per kilometre or mile."""
        if seconds_per_km is None:
            return NOTHING
        return f"{_minutes(seconds_per_km * LONG[self.units].size / 1000)}{NARROW}/{self.distance_unit}"

    def speed(self, kmh: float | None) -> str:
        """Return km/h or mph with one decimal."""
        if kmh is None:
            return NOTHING
        return f"{self.number(self.distance_amount(kmh * 1000), 1)}{NARROW}{FAST[self.units]}"

    def pace_or_speed(self, activity: Mapping[str, Any]) -> str:
        """How fast a row of `fct_activities` was, as its sport counts it.

        Minutes per kilometre on foot, per 100 m swum, else km/h; a dash for sports that go nowhere.
        """
        metres, seconds = activity["distance_m"] or 0, activity["moving_time_s"] or 0
        if (pace := activity["pace_s_per_km"]) is not None:
            return self.pace(pace)
        if (speed := activity["speed_kmh"]) is not None:
            return self.speed(speed)
        if metres <= 0 or seconds <= 0:
            return NOTHING
        if activity["sport_group"] == "swim":
            unit = SWUM[self.units]
            return f"{_minutes(seconds / metres * unit.size)}{NARROW}/{unit.name.replace(' ', chr(0xA0))}"
        is_speed = activity["sport_group"] in SPEED_GROUPS or activity["sport_type"] in ROLLER_SPORTS
        return self.speed(metres / seconds * 3.6) if is_speed else NOTHING

    def latency(self, seconds: float | None) -> str:
        """Return seconds with one decimal, or minutes and seconds."""
        if seconds is None:
            return NOTHING
        if (tenths := round(seconds, 1)) < 60:  # noqa: PLR2004 - a minute
            return f"{self.number(tenths, 1) if tenths else '< ' + self.number(0.1, 1)}{NARROW}s"
        minutes, rest = divmod(round(seconds), 60)
        return f"{self.number(minutes)}{NARROW}min {rest:02d}{NARROW}s"

    def size(self, number_of_bytes: int) -> str:
        """Return bytes in the unit that leaves the fewest digits, by thousands."""
        for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
            if number_of_bytes >= size:
                return f"{self.number(number_of_bytes / size, 1)}{NARROW}{unit}"
        return f"{self.number(number_of_bytes)}{NARROW}B"

    # --- Days and moments ---

    def here(self, at: datetime) -> datetime:
        """Return a moment by the clock of the page."""
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(self.zone)

    def is_ahead(self, at: datetime | None) -> bool:
        """Whether the moment is yet to come."""
        return at is not None and self.here(at) > self.now

    def day(self, day: date | None, form: str = "date") -> str:
        """Return a day: `date` 25 Nov 2026, `long` Wed 25 Nov 2026, `near` Wed 25 Nov, `short` 25 Nov.

        Or `full` 25 November; its `month`, November 2026; its `weekday`, Wednesday.
        """
        return NOTHING if day is None else str(format_date(day, _DATES[self.language][form], locale=self.language))

    def days(self, first: date, last: date) -> str:
        """Return a span of days, saying the month and the year no more often than needed."""
        if first == last:
            return self.day(last)
        same_month = (first.year, first.month) == (last.year, last.month)
        form = "day" if same_month else "short" if first.year == last.year else "date"
        between = _BETWEEN_DAYS[self.language] if same_month else f" {NOTHING} "
        return f"{self.day(first, form)}{between}{self.day(last)}"

    def local(self, wall_clock: datetime | None, form: str = "long") -> str:
        """Return a wall clock's day and minute as it is: `Wed 25 Nov 2026, 18:11`."""
        return NOTHING if wall_clock is None else f"{self.day(wall_clock.date(), form)}, {wall_clock:%H:%M}"

    def moment(self, at: datetime | None) -> str:
        """Return date, time to the second and the zone's own short name at that moment."""
        if at is None:
            return NOTHING
        local = self.here(at)
        return f"{self.day(local.date())}, {local:%H:%M:%S %Z}"

    def minute(self, at: datetime | None) -> str:
        """Return when something was or will be, to the minute: the time alone on the day that it is now."""
        if at is None:
            return NOTHING
        local = self.here(at)
        is_today = local.date() == self.here(self.now).date()
        return f"{local:%H:%M}" if is_today else f"{self.day(local.date())}, {local:%H:%M}"

    def about(self, at: datetime) -> str:
        """Return when something will be, to the minute, with the day as near as a person says it."""
        local = self.here(at)
        time = f"{local:%H:%M}"
        if local <= self.now + timedelta(minutes=1):
            return self("within minutes")
        if local.date() == self.here(self.now).date():
            return self("today about {time}", time=time)
        day = self.day(local.date(), "weekday" if local - self.now < _A_WEEK else "full")
        return self("{day} about {time}", day=day, time=time)

    def failed(self, number: int, retry_at: datetime | None) -> str:
        """How many activities could not be fetched, and when the first is tried again; nothing for none."""
        if not number or retry_at is None:
            return ""
        return self.plural(
            "{n} activity could not be fetched; it is tried again {when}.",
            "{n} activities could not be fetched; they are tried again {when}.",
            number,
            when=self.about(retry_at),
        )

    def age(self, since: timedelta) -> str:
        """How long ago, in the one unit that matters, so that an idle page changes at most once a minute."""
        seconds = since.total_seconds()
        for text, size in ((N_("{n} d ago"), 86_400), (N_("{n} h ago"), 3_600), (N_("{n} min ago"), 60)):
            if seconds >= size:
                return self(text, n=self.number(seconds // size))
        return self("less than 1 min ago")

    def vega_locale(self) -> dict[str, Any]:
        """Return `config.locale` of Vega-Lite, so that axes write numbers and months as the texts do.

        https://vega.github.io/vega-lite/docs/config.html
        """
        first = date(2024, 1, 1)  # a Monday
        days = [first + timedelta(days=n) for n in (6, 0, 1, 2, 3, 4, 5)]  # d3's week begins on Sunday
        months = [date(2024, month, 1) for month in range(1, 13)]
        return {
            "number": {
                "decimal": get_decimal_symbol(self.language), "thousands": get_group_symbol(self.language),
                "grouping": [3], "currency": ["", ""], "minus": MINUS,
            },
            "time": {
                "dateTime": "%x, %X", "date": "%-d.%-m.%Y", "time": "%H:%M", "periods": ["AM", "PM"],
                "days": [self._name(day, "EEEE") for day in days],
                "shortDays": [self._name(day, "ccc") for day in days],
                "months": [self._name(day, "LLLL") for day in months],
                "shortMonths": [self._name(day, "LLL") for day in months],
            },
        }  # fmt: skip

    def _name(self, day: date, pattern: str) -> str:
        return str(format_datetime(datetime.combine(day, datetime.min.time()), pattern, locale=self.language))


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
