"""When the reader looked at an athlete before: kept in a cookie of their own browser, two moments and nothing else.

Streamlit reads cookies when a session begins and writes none, so JavaScript does. Only the browser knows whether the
page is in view: a tab in the background that redraws itself is no look. The address would be forgotten by the next
visit, and the warehouse is never written by a page. A visit ends when the page was not in view for half an hour; one
that comes into view later is loaded again, as a session of its own.
"""

import re
from datetime import UTC, datetime, timedelta
from string import Template

import streamlit as st

COOKIE = "athlete_visits_{}"  # of an athlete
VISIT = timedelta(minutes=30)
_KEPT_S = 400 * 86_400  # as long as browsers keep a cookie at most
_PLACE = "remember-visit"

# Looks when it is drawn, when the tab comes into view, and each minute; by the clock of the server.
_SCRIPT = Template("""<script>(() => {
  const isFirst = !window.athleteLook;
  const looked = window.athleteLooked ??= {};
  const ahead = $now_s * 1000 - Date.now();
  window.athleteLook = () => {
    if (document.visibilityState !== "visible" || !document.querySelector(".st-key-$place")) return;
    const now = Math.floor((Date.now() + ahead) / 1000);
    if (now - looked.$cookie > $visit_s) return location.reload();
    looked.$cookie = now;
    document.cookie = "$cookie=$ended_s." + now + "; path=/; max-age=$kept_s; samesite=lax";
  };
  window.athleteLook();
  if (isFirst) {
    document.addEventListener("visibilitychange", () => window.athleteLook());
    setInterval(() => window.athleteLook(), 60000);
  }
})()</script>""")


def since(athlete_id: int, now: datetime) -> datetime | None:
    """Return when the visit before this one ended, in UTC; None on a first visit."""
    key = f"last-visit-{athlete_id}"
    if key not in st.session_state:
        st.session_state[key] = before(str(st.context.cookies.get(COOKIE.format(athlete_id))), now)
    found: datetime | None = st.session_state[key]
    return found


def before(cookie: str | None, now: datetime) -> datetime | None:
    """Read the cookie, `<end of the visit before, or 0>.<last look>` in seconds: within a visit the former holds on."""
    found = re.fullmatch(r"([0-9]{1,10})\.([0-9]{1,10})", cookie or "")
    if found is None:
        return None
    ended_s, looked_s = map(int, found.groups())
    if now - (looked_at := datetime.fromtimestamp(looked_s, UTC)) > VISIT:
        return looked_at
    return datetime.fromtimestamp(ended_s, UTC) if ended_s else None


def remember(athlete_id: int, now: datetime) -> None:
    """Have the browser keep when the page is in view, and begin another visit where the last one has ended."""
    with st.container(key=_PLACE):
        st.html(script(athlete_id, since(athlete_id, now), now), unsafe_allow_javascript=True)


def script(athlete_id: int, ended: datetime | None, now: datetime) -> str:
    """Return what the browser runs; `ended` is the end of the visit before."""
    return _SCRIPT.substitute(
        cookie=COOKIE.format(athlete_id),
        ended_s=int(ended.timestamp()) if ended else 0,
        now_s=int(now.timestamp()),
        visit_s=int(VISIT.total_seconds()),
        kept_s=_KEPT_S,
        place=_PLACE,
    )
