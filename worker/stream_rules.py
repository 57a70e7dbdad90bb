"""The setting STREAMS, read: whose streams are wanted, and of which sports."""

import re

from backends.warehouse.streams import StreamRule

_ALL = "all"
_RULE = re.compile(r"(?:(?P<athlete>[1-9]\d{0,17})(?::(?P<sport_of>[A-Za-z]+))?|(?P<sport>[A-Za-z]+))")


def read_rules(text: str) -> tuple[StreamRule, ...]:
    """Read it. Raises ValueError, which says how to write it."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    return tuple(_rule(part) for part in parts)


def _rule(part: str) -> StreamRule:
    found = _RULE.fullmatch(part)
    sport = found and (found["sport"] or found["sport_of"])
    if not found or (found["athlete"] and sport and sport.lower() == _ALL):
        raise ValueError(
            "write all, sports (Run,Ride), athletes' ids (1234567) or an athlete's sport (1234567:Run), comma-separated"
        )
    is_all = sport is not None and sport.lower() == _ALL
    return StreamRule(
        athlete_id=int(found["athlete"]) if found["athlete"] else None, sport_type=None if is_all else sport
    )
