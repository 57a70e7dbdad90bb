"""`Activity Date` as the export writes it: always UTC, in the words and the order of the account's language.

Nothing in the file names the language, and digits alone can be read in two orders, so all rows together decide.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from unicodedata import combining, normalize

_LONGEST = 64  # characters of a date
_AHEAD = timedelta(days=1)  # clocks differ; a start beyond that is in the future
# How a month's name begins, in languages that Strava speaks; accents are taken off before.
_MONTHS = (
    ("jan", "ene", "gen"), ("feb", "fev"), ("mar", "maa", "mrt"), ("apr", "avr", "abr"),
    ("may", "mai", "mei", "mag", "maj"), ("jun", "juin", "giu"), ("jul", "juil", "lug"), ("aug", "aou", "ago"),
    ("sep", "set"), ("oct", "okt", "ott", "out"), ("nov",), ("dec", "dez", "dic"),
)  # fmt: skip
_MONTH_OF = {name: month for month, names in enumerate(_MONTHS, 1) for name in names}
_MONTH = r"(?P<month>\d{1,2}|[^\W\d_]{3,12})"
_DAY = r"(?P<day>\d{1,2})"
_YEAR = r"(?P<year>\d{4})"
_TIME = (
    r"\D{1,8}(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?"
    r"(?: ?(?P<half>[AaPp])\.? ?[Mm]\.?)?(?: ?(?:Z|UTC))?"
)


class DateOrder(StrEnum):
    """In which order year, month and day are written."""

    ISO = "iso"  # 2018-09-12 15:02:23, of exports until June 2019
    YEAR_FIRST = "ymd"  # 2026/06/29 20:14:15
    DAY_FIRST = "dmy"  # 24 Dec 2020, 08:13:59; 20.09.2026, 14:12:12
    MONTH_FIRST = "mdy"  # May 29, 2022, 3:53:35 PM


_PATTERNS = {
    DateOrder.ISO: re.compile(rf"{_YEAR}-(?P<month>\d{{1,2}})-{_DAY}{_TIME}"),
    DateOrder.YEAR_FIRST: re.compile(rf"{_YEAR}[/.年] ?(?P<month>\d{{1,2}})[/.月] ?{_DAY}日?{_TIME}"),
    DateOrder.DAY_FIRST: re.compile(rf"{_DAY}\.?[ ./-]{{1,2}}(?:de )?{_MONTH}\.?[ ./,-]{{1,2}}(?:de )?{_YEAR}{_TIME}"),
    DateOrder.MONTH_FIRST: re.compile(rf"{_MONTH}\.?[ ./-]{{1,2}}{_DAY}[ ./,-]{{1,2}}{_YEAR}{_TIME}"),
}


@dataclass(frozen=True, slots=True)
class ChosenOrder:
    """The order that fits best, if any fits, and another one that fits as well but reads other days."""

    order: DateOrder | None
    rival: DateOrder | None = None


def read_date(text: str, order: DateOrder) -> datetime | None:
    """Return the moment in UTC, or None where the text is no date of that order."""
    found = _PATTERNS[order].fullmatch(" ".join(text.split())) if len(text) <= _LONGEST else None
    if found is None:
        return None
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:  # noqa: PLR2004 - a clock's face
            return None
        hour = hour % 12 + 12 * (half == "p")
    try:
        date = int(found["year"]), _month(found["month"]), int(found["day"])
        return datetime(*date, hour, int(found["minute"]), int(found["second"] or 0), tzinfo=UTC)
    except ValueError:
        return None


def choose_order(dates: Sequence[tuple[int, str]], now: datetime) -> ChosenOrder:
    """Choose the order in which most of the dates, each with its activity's id, can be read.

    Among equals, that with the fewest dates in the future, then that which goes back least often from id to id, as
    ids rise with time.
    """
    rising = [text for _, text in sorted(dates)]
    read = {order: [read_date(text, order) for text in rising] for order in DateOrder}
    scores = {order: _score(moments, now) for order, moments in read.items()}
    first, second = sorted(DateOrder, key=lambda order: scores[order], reverse=True)[:2]
    if not scores[first][0]:
        return ChosenOrder(None)
    is_open = scores[first] == scores[second] and read[first] != read[second]
    return ChosenOrder(first, second if is_open else None)


def _score(moments: Sequence[datetime | None], now: datetime) -> tuple[int, int, int]:
    known = [moment for moment in moments if moment is not None]
    ahead = sum(moment > now + _AHEAD for moment in known)
    back = sum(later < earlier for earlier, later in pairwise(known))
    return len(known), -ahead, -back


def _month(text: str) -> int:
    """Return the number of a month. Raises ValueError."""
    if text.isdecimal():
        return int(text)
    plain = "".join(letter for letter in normalize("NFKD", text.casefold()) if not combining(letter))
    month = _MONTH_OF.get(plain[:4]) or _MONTH_OF.get(plain[:3])
    if month is None:
        raise ValueError("no month of a language that is known")
    return month
