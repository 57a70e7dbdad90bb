"""From rows of the marts to rows of a chart or a table: pure, so that it can be checked without a browser."""

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from dashboard import formatting, sports
from dashboard.mart import Row, in_utc
from dashboard.measures import Measure, Share
from dashboard.periods import Period, label

MIX_BARS = 10
QUANTILES = {"p50_s": "Half within (p50)", "p95_s": "19 of 20 within (p95)"}
LEAST_S = 0.1  # what a logarithmic axis can begin with


def used_groups(rows: Iterable[Row]) -> list[str]:
    """Return the sport groups in which anything happened, in their fixed order."""
    used = {row["sport_group"] for row in rows if row["activity_count"]}
    return sorted(used, key=lambda name: (sports.rank(name), name))


def bars(rows: Sequence[Row], measure: Measure, period: Period) -> list[dict[str, object]]:
    """One bar segment per period and sport group in use; periods with nothing stay, so that gaps are seen."""
    groups = used_groups(rows)
    return [
        {
            "start": row["period_start_date"].isoformat(),
            "period": label(period, row["period_start_date"]),
            "sport": sports.group(row["sport_group"]).title,
            "rank": sports.rank(row["sport_group"]),
            "value": float(row[measure.column]) / measure.scale,
            "shown": measure.tell(row[measure.column]),
        }
        for row in rows
        if row["sport_group"] in groups
    ]


def table(rows: Sequence[Row], measure: Measure, period: Period) -> list[dict[str, object]]:
    """The numbers behind the bars: a row per period, newest first, a column per sport group and their sum."""
    periods: dict[str, dict[str, float]] = {}
    for row in sorted(rows, key=lambda row: row["period_start_date"], reverse=True):
        cells = periods.setdefault(label(period, row["period_start_date"]), {})
        cells[row["sport_group"]] = row[measure.column]
    return [
        {
            period.value: name,
            "All": measure.tell(formatting.total(cells.values())),
            **{sports.group(group).title: measure.tell(cells.get(group, 0)) for group in used_groups(rows)},
        }
        for name, cells in periods.items()
    ]


def mix(rows: Sequence[Row], share: Share) -> list[dict[str, object]]:
    """One bar per sport, largest first; past ten sports the smallest are one bar."""
    parts = sorted((row for row in rows if row[share.column]), key=lambda row: (-row[share.column], row["sport_type"]))
    shown = [_part(spaced(row["sport_type"]), row["sport_group"], [row], share) for row in parts[:MIX_BARS]]
    if rest := parts[MIX_BARS:]:
        shown.append(_part(f"{len(rest)} more", "other", rest, share))
    return shown


def course(rows: Iterable[Row], kind: str, zone: ZoneInfo) -> list[dict[str, object]]:
    """One point per period and quantile: hours by the clock of the page, days as the marts cut them, in UTC."""
    points: list[dict[str, object]] = []
    for row in rows:
        at = in_utc(row["period_start_at"])
        at = at.astimezone(zone) if kind == "hour" else at
        late = row["not_on_chart_count"]
        for column, quantile in QUANTILES.items():
            points.append(
                {
                    "start": f"{at:%Y-%m-%dT%H:%M:%S}",
                    "period": f"{at:%-d %b, %H:%M}" if kind == "hour" else f"{at:%a %-d %b %Y} (UTC)",
                    "quantile": quantile,
                    "seconds": max(row[column], LEAST_S),
                    "shown": formatting.latency(row[column]),
                    "events": f"{row['event_count']:,}" + (f", {late:,} not on a chart yet" if late else ""),
                }
            )
    return points


def course_table(points: Sequence[dict[str, object]], kind: str) -> list[dict[str, object]]:
    """The numbers behind the course, newest first."""
    usual, slow = points[::2], points[1::2]
    rows = [
        {
            kind.capitalize(): one["period"],
            "Half within": one["shown"],
            "19 of 20 within": other["shown"],
            "Events": one["events"],
        }
        for one, other in zip(usual, slow, strict=True)
    ]
    return rows[::-1]


def latest(rows: Iterable[Row]) -> list[dict[str, object]]:
    """The table of the newest activities; the number columns keep numbers, so that they sort as such."""
    return [
        {
            "Start": row["start_at_local"],
            "Sport": spaced(row["sport_type"]),
            "Distance": row["distance_m"] / 1000 if row["distance_m"] else None,
            "Time": formatting.clock(row["moving_time_s"]),
            "Pace or speed": formatting.pace_or_speed(row),
            "Name": row["name"] or "",
            "Strava": row["strava_url"],
        }
        for row in rows
    ]


def spaced(sport_type: str) -> str:
    """Strava's `sport_type` as words: `TrailRun` becomes `Trail Run`, `EBikeRide` `E Bike Ride`."""
    follows_a_word = (
        here.isupper() and (before.islower() or after.islower())
        for before, here, after in zip(sport_type, sport_type[1:], sport_type[2:] + " ", strict=False)
    )
    return sport_type[:1] + "".join(
        f" {letter}" if starts else letter for letter, starts in zip(sport_type[1:], follows_a_word, strict=True)
    )


def _part(sport: str, group: str, rows: Sequence[Row], share: Share) -> dict[str, object]:
    part = formatting.total(row[share.column] for row in rows)
    return {
        "sport": sport,
        "group": sports.group(group).title,
        "share": part,
        "percent": f"{part:.0%}" if part >= 0.01 else "< 1%",  # noqa: PLR2004 - one per cent
        "shown": share.tell(formatting.total(row[share.amount] for row in rows)),
    }
