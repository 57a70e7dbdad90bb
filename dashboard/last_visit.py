"""When the reader was here before: kept in a cookie of their own browser, two moments and nothing else.

Streamlit reads cookies and writes none, so a line of JavaScript does. The address would be forgotten by the next visit,
and the warehouse is never written by a page. A visit ends when nothing was looked at for half an hour.
"""

import re
from datetime import UTC, datetime, timedelta

import streamlit as st

COOKIE = "athlete_visits"
VISIT = timedelta(minutes=30)
_KEPT_S = 400 * 86_400  # as long as browsers keep a cookie at most
_KEY = "last-visit"


def since(now: datetime) -> datetime | None:
    """Return when the visit before this one ended, in UTC; None on a first visit."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = before(str(st.context.cookies.get(COOKIE)), now)
    found: datetime | None = st.session_state[_KEY]
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


def remember(now: datetime) -> None:
    """Have the browser keep that the reader is here now."""
    known: datetime | None = st.session_state.get(_KEY)
    moments = f"{int(known.timestamp()) if known else 0}.{int(now.timestamp())}"
    script = f'document.cookie = "{COOKIE}={moments}; path=/; max-age={_KEPT_S}; samesite=lax"'
    with st.container(key="remember-visit"):
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)
