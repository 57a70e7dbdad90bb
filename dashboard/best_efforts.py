"""The table of best efforts: the best of the days asked for, and how long each record before it stood."""

from collections.abc import Sequence
from datetime import date
from html import escape

from dashboard.formatting import MINUS, NOTHING, Teller, small_html
from dashboard.html_table import BOTH, RIGHT, WIDE, cell, html_table
from dashboard.languages import N_
from dashboard.links import activity_link
from dashboard.mart import Row

NEW_DAYS = 60
# Strava's names that are no number and unit.
NAMES = {
    "1/2 mile": N_("½ mile"),
    "1 mile": N_("1 mile"),
    "2 mile": N_("2 miles"),
    "5 mile": N_("5 miles"),
    "10 mile": N_("10 miles"),
    "50 mile": N_("50 miles"),
    "100 mile": N_("100 miles"),
    "Half-Marathon": N_("Half marathon"),
    "Marathon": N_("Marathon"),
}
REASONS = {
    "assisted": N_("{n} with a motor"),
    "manual": N_("{n} typed in by hand"),
    "indoors": N_("{n} on a treadmill"),
    "virtual": N_("{n} on a screen"),
    "undated": N_("{n} without a date"),
    "speed_inconsistent": N_("{n} whose distance, time and speed contradict one another"),
    "duration_implausible": N_("{n} of recordings that were not stopped"),
    "gps_jump": N_("{n} with a GPS jump"),
    "activity_shorter": N_("{n} shorter than the distance"),
    "faster_than_world_record": N_("{n} faster than the world record"),
}
REASON_NAMES = {
    "assisted": N_("with a motor"),
    "manual": N_("typed in by hand"),
    "indoors": N_("on a treadmill"),
    "virtual": N_("on a screen"),
    "undated": N_("without a date"),
    "speed_inconsistent": N_("numbers contradict one another"),
    "duration_implausible": N_("recording not stopped"),
    "gps_jump": N_("GPS jump"),
    "activity_shorter": N_("shorter than the distance"),
    "faster_than_world_record": N_("faster than the world record"),
}


def distance_name(effort_name: str, tell: Teller) -> str:
    """Return a distance as the reader writes it: `5 km`, `Half marathon`; an unknown name stays as it is."""
    if effort_name in NAMES:
        return tell(NAMES[effort_name])
    number, unit = effort_name.rstrip("Km"), effort_name[-1:]
    return f"{number} {unit.lower() if unit == 'm' else 'km'}" if number.isdigit() and unit in "Km" else effort_name


def pace(row: Row, tell: Teller) -> str:
    """Return how fast an effort was: a pace, of a ride a speed."""
    seconds = row["pace_s_per_km"]
    return tell.speed(3600 / seconds) if row["sport_group"] == "ride" and seconds else tell.pace(seconds)


def linked(row: Row, text: str) -> str:
    """Return a text as HTML that leads to the row's activity."""
    return activity_link(row["activity_id"], text, row["activity_name"] or "")


def gained(seconds: int | None, tell: Teller) -> str:
    """Return how much faster a record was than the one before; a dash for the first."""
    return NOTHING if not seconds else f"{MINUS}{tell.clock(seconds)}"


def days_stood(days: int, tell: Teller) -> str:
    """Return a number of days in short."""
    return tell("{n} d", n=tell.number(days))


def best_table(best: Sequence[Row], steps: Sequence[Row], today: date, tell: Teller) -> str:
    """Return the table as HTML: a line for each distance, its bars on the time since the first record of all.

    `best` are rows of `records/best_efforts`, `steps` of `records/record_steps`.
    """
    records = [row for row in steps if not row["is_tie"]]
    first = min((row["start_date_local"] for row in records), default=today)
    head = "".join(
        f'<th scope="col" class="{of_column}">{escape(title)}</th>'
        for title, of_column in (
            (tell("Distance"), ""), (tell("Time"), RIGHT), (tell("Pace, speed"), BOTH), (tell("Gained"), BOTH),
            (tell("On"), RIGHT),
        )
    )  # fmt: skip
    head += f'<th scope="col" class="{WIDE}" aria-label="{escape(tell("How long each record stood"))}">'
    head += f'{_years(first, today, tell)}</th><th scope="col" class="{RIGHT}">{escape(tell("Stands"))}</th>'
    body = "".join(
        _line(row, [each for each in records if each["effort_name"] == row["effort_name"]], (first, today), tell)
        for row in best
    )
    return f'<table class="ad-t" lang="{tell.language}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _line(row: Row, records: Sequence[Row], span: tuple[date, date], tell: Teller) -> str:
    is_record = row["activity_id"] == row["record_activity_id"]
    is_tie = not is_record and row["elapsed_time_s"] == row["record_time_s"]
    gain = f'<span class="ad-good">{gained(row["improvement_s"], tell)}</span>' if is_record else NOTHING
    stands = _stands(row, tell) if is_record else escape(tell("tied"))
    if not is_record and not is_tie:
        gain = f"<small>+{tell.clock(row['elapsed_time_s'] - row['record_time_s'])}</small>"
        stands = escape(tell("record {time}", time=tell.clock(row["record_time_s"])))
    return (
        f'<tr><th scope="row" class="ad-name">{escape(distance_name(row["effort_name"], tell))}</th>'
        f'<td class="n"><b>{tell.clock(row["elapsed_time_s"])}</b></td>'
        f'<td class="n wide">{small_html(pace(row, tell))}</td><td class="n wide">{gain}</td>'
        f'<td class="n">{linked(row, tell.day(row["start_date_local"]))}</td>'
        f'<td class="wide grow">{_bars(records, span)}</td><td class="n"><small>{stands}</small></td></tr>'
    )


def _stands(record: Row, tell: Teller) -> str:
    days = days_stood(record["days_stood"], tell)
    is_new = record["days_stood"] <= NEW_DAYS
    return f'{days} <span class="ad-new">{escape(tell("new"))}</span>' if is_new else days


def _share(day: date, span: tuple[date, date]) -> float:
    """Return where a day is on the time axis, 0 to 100."""
    first, last = span
    return 100 * (day - first).days / max((last - first).days, 1)


def _bars(records: Sequence[Row], span: tuple[date, date]) -> str:
    """Return one bar a record, from its day to that of the next; the older, the paler."""
    bars = []
    for place, row in enumerate(records, 1):
        left, right = (_share(day or span[1], span) for day in (row["start_date_local"], row["stood_until"]))
        paint = 0.28 + 0.72 * place / len(records)
        width = f"calc({max(right - left, 0):.2f}% - 2px)"
        bars.append(f'<i style="left:{left:.2f}%;width:{width};opacity:{paint:.2f}"></i>')
    return f'<div class="ad-bar ad-stood">{"".join(bars)}</div>'


def _years(first: date, today: date, tell: Teller) -> str:
    """Return the years over the bars, as far apart as there is room for; the first month where none begins."""
    every = 1 + (today.year - first.year) // 8
    starts = [date(year, 1, 1) for year in range(first.year + 1, today.year + 1, every)]
    marks = "".join(f'<span style="left:{_share(day, (first, today)):.2f}%">{day.year}</span>' for day in starts)
    marks = marks or f"<span>{escape(tell.day(first, 'month'))}</span>"
    return f'<div class="ad-years">{marks}</div>'


def steps_table(steps: Sequence[Row], tell: Teller) -> str:
    """Return how each record fell as HTML, the newest of a distance first."""
    titles = tell("Distance"), tell("Time"), tell("Gained"), tell("On"), tell("Stood")
    heads = [(title, RIGHT if place else "") for place, title in enumerate(titles)]
    return html_table(heads, [_step(row, tell) for row in sorted(steps, key=_newest_first)], tell)


def _step(row: Row, tell: Teller) -> str:
    stood = tell("tied") if row["is_tie"] else days_stood(row["days_stood"], tell)
    rest = (
        tell.clock(row["elapsed_time_s"]),
        gained(row["improvement_s"], tell),
        linked(row, tell.day(row["start_date_local"])),
        escape(stood),
    )
    name = cell(escape(distance_name(row["effort_name"], tell)))
    return f"<tr>{name}{''.join(cell(each, RIGHT) for each in rest)}</tr>"


def _newest_first(row: Row) -> tuple[float, int, int]:
    return (row["distance_m"], -row["record_number"], -row["start_date_local"].toordinal())


def excluded_sentence(excluded: Sequence[Row], tell: Teller) -> str:
    """Say how many efforts do not count, and why: `3 efforts excluded: 2 on a treadmill, 1 shorter than …`."""
    counts = _counts(excluded)
    parts = [tell(REASONS[reason], n=tell.number(n)) for reason, n in sorted(counts.items(), key=_largest)]
    return tell.plural(
        "{n} effort excluded: {reasons}.", "{n} efforts excluded: {reasons}.", sum(counts.values()),
        reasons=", ".join(parts),
    )  # fmt: skip


def excluded_count(excluded: Sequence[Row]) -> int:
    """Return how many efforts do not count, those beyond the rows included."""
    return sum(_counts(excluded).values())


def _counts(excluded: Sequence[Row]) -> dict[str, int]:
    return {row["excluded_reason"]: row["reason_count"] for row in excluded}


def _largest(counted: tuple[str, int]) -> tuple[int, str]:
    return (-counted[1], counted[0])


def excluded_table(excluded: Sequence[Row], tell: Teller) -> str:
    """Return the efforts that do not count as HTML, with their reason."""
    heads = [(tell("Distance"), ""), (tell("Time"), RIGHT), (tell("On"), RIGHT), (tell("Reason"), RIGHT)]
    lines = []
    for row in excluded:
        name, reason = distance_name(row["effort_name"], tell), tell(REASON_NAMES[row["excluded_reason"]])
        time, day = tell.clock(row["elapsed_time_s"]), linked(row, tell.day(row["start_date_local"]))
        rest = "".join(cell(each, RIGHT) for each in (time, day, escape(reason)))
        lines.append(f"<tr>{cell(escape(name))}{rest}</tr>")
    return html_table(heads, lines, tell)
