"""What all pages share: sidebar, title, filters, whose numbers are shown, and what is said while there are none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import streamlit as st

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartDamaged, MartMissing, QueryFailed
from dashboard import address, empty_states, filters, own_file, pipeline_status, privacy
from dashboard.auto_refresh import Drawn, auto_refresh, days_of
from dashboard.context import PageContext
from dashboard.formatting import Teller
from dashboard.languages import LANGUAGES, N_, preferred
from dashboard.mart import MartVersion, Row
from dashboard.page import Page
from dashboard.units import Units
from dashboard.views import activity, gear, overview, pipeline, quality, records, sql, training, trends, upload, year
from dashboard.views import map as map_page

SIGNED_IN = "X-Goog-Authenticated-User-Email"  # set by Identity-Aware Proxy, which drops what a browser sends by it
SIDEBAR = 216  # pixels
PERFORMANCE, EXPLORE, TRUST = N_("Performance"), N_("Explore"), N_("Trust")
UNITS = {Units.METRIC: N_("Metric"), Units.IMPERIAL: N_("Imperial")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A page in the sidebar: `show` draws it, `icon` is a name of Material Symbols, `path` its address.

    Filters are of sport and of days, unless it has none, or none of days.
    """

    show: Callable[[Page], None]
    title: str
    path: str
    icon: str
    section: str = ""
    has_filters: bool = True
    has_dates: bool = True


WITH_SWITCH = {"map", "activity"}  # of the shared view
FIRST = "overview"  # its address is `/`, and by its name too
ENTRIES = (
    Entry(show=overview.show, title=N_("Overview"), path=FIRST, icon="space_dashboard"),
    Entry(show=trends.show, title=N_("Trends"), path="trends", icon="trending_up", section=PERFORMANCE),
    Entry(show=training.show, title=N_("Training"), path="training", icon="ssid_chart", section=PERFORMANCE),
    Entry(show=records.show, title=N_("Records"), path="records", icon="trophy", section=PERFORMANCE),
    Entry(show=map_page.show, title=N_("Map"), path="map", icon="map", section=EXPLORE),
    Entry(show=activity.show, title=N_("Activity"), path="activity", icon="route", section=EXPLORE, has_filters=False),
    Entry(show=year.show, title=N_("Year"), path="year", icon="calendar_month", section=EXPLORE, has_dates=False),
    Entry(show=gear.show, title=N_("Gear"), path="gear", icon="pedal_bike", section=EXPLORE, has_filters=False),
    Entry(
        show=pipeline.show, title=N_("Pipeline"), path="pipeline", icon="account_tree", section=TRUST, has_filters=False
    ),
    Entry(show=quality.show, title=N_("Data quality"), path="quality", icon="rule", section=TRUST, has_filters=False),
    Entry(show=sql.show, title=N_("SQL"), path="sql", icon="database", section=TRUST, has_filters=False),
)


def show(context: PageContext) -> None:
    """Draw the page that was asked for, and keep it current."""
    here = Path(__file__)
    st.set_page_config(
        page_title="Athlete Dashboard", page_icon=str(here.with_name("icon.svg")), layout="wide",
        initial_sidebar_state=SIDEBAR,
    )  # fmt: skip
    st.logo(str(here.with_name("logo.svg")), icon_image=str(here.with_name("icon.svg")))
    tell = _reader(context)
    is_shown_to_others = privacy.is_switched_on()
    sections: dict[str, list[st.Page]] = {}
    pages: dict[str, st.Page] = {}
    for entry in ENTRIES:
        if entry.path == "sql" and (context.console is None or is_shown_to_others):
            continue
        is_first = entry is ENTRIES[0]
        page = pages[entry.path] = st.Page(
            partial(draw, context, entry, tell, pages), title=tell(entry.title),
            url_path="" if is_first else entry.path, icon=f":material/{entry.icon}:", default=is_first,
        )  # fmt: skip
        sections.setdefault(tell(entry.section) if entry.section else "", []).append(page)
    if context.inbox is not None and context.inbox.is_dir():  # `athlete up` makes it, and takes what is put there
        taking = partial(upload.show, context.inbox, tell)
        sections[tell(TRUST)].append(
            st.Page(taking, title=tell(upload.TITLE), url_path="upload", icon=":material/upload_file:")
        )
    by_name = st.Page(partial(_go_to, pages[FIRST]), title=tell(ENTRIES[0].title), url_path=FIRST, visibility="hidden")
    sections[""].append(by_name)
    st.navigation(sections, position="sidebar", expanded=True).run()


def _go_to(page: st.Page) -> None:
    """Lead on from another address of a page, with what the address says."""
    st.switch_page(page, query_params=st.query_params.to_dict())


def draw(context: PageContext, entry: Entry, tell: Teller, pages: Mapping[str, st.Page] = MappingProxyType({})) -> None:
    """Draw a page for the athlete picked, or the reason why there is nothing to draw; then keep it current.

    `pages` are those that the sidebar links to, by path.
    """
    with st.container(horizontal=True, key="top", vertical_alignment="center", gap="small"):
        with st.container(horizontal=True, key="title", vertical_alignment="center", gap="small"):
            st.title(tell(entry.title), anchor=False, width="content")
            live = st.container(width="content")
        chosen = st.container(horizontal=True, key="filters", width="content", gap="xsmall")
    context = replace(context, is_shown_to_others=privacy.is_switched_on())
    if context.is_shown_to_others and entry.path not in WITH_SWITCH:
        st.caption(tell("The shared view is on: private activities have no name. Page Map switches it off."))
    drawn = _drawn(context, entry, tell, chosen)
    with live:
        auto_refresh(context, drawn, tell, pages.get("pipeline"))


def _reader(context: PageContext) -> Teller:
    """Ask the address, the sidebar and the browser for language and units."""
    default = preferred(st.context.locale)
    language = address.follow("lang", LANGUAGES.__contains__, default)
    tell = Teller(now=context.now(), zone=context.zone, language=language)
    with st.sidebar, st.container(horizontal=True, key="reader", gap="xsmall"):
        address.pick("lang", list(LANGUAGES), default, tell("Language"), LANGUAGES.__getitem__, width=96)
        units = address.pick(
            "units", list(Units), context.units, tell("Units"), lambda word: tell(UNITS[Units(word)]), width=96
        )
    return Teller(now=tell.now, zone=tell.zone, language=language, units=Units(units))


def _drawn(context: PageContext, entry: Entry, tell: Teller, chosen: st.delta_generator.DeltaGenerator) -> Drawn:
    version = None
    try:
        mart = context.mart.newest()
        version = mart.version
        if version is None:
            empty_states.info("empty-no-mart", tell(empty_states.NO_MART))
            return Drawn(version=None, snapshot=None)
        everyone = mart.snapshot()
        snapshot = context.visible(everyone, st.context.headers.get(SIGNED_IN))
        health, left = None, 0
        if snapshot.health:
            with chosen:
                health = snapshot.of(_athlete(snapshot.athlete_ids, tell))
                page = replace(_page(context, mart, health, entry, tell), visible=snapshot.health)
            left = _left(mart, health)
            if entry.has_filters:
                _say_what_is_loading(page)
            own_file.draw(context.own_file, everyone.athlete_ids, tell)
            entry.show(page)
        elif everyone.health:
            empty_states.info("empty-not-a-viewer", tell(empty_states.NOT_A_VIEWER))
        else:
            empty_states.info("empty-no-athlete", tell(empty_states.NO_ATHLETE))
    except MartDamaged:
        empty_states.warning("marts-damaged", tell(empty_states.DAMAGED))
    except MartMissing:  # there are marts, but they lack a table
        empty_states.warning("marts-misfit", tell(empty_states.MISFIT))
    except QueryFailed as failed:
        empty_states.warning("marts-misfit", tell(empty_states.MISFIT), str(failed))
    except WarehouseBusy:
        empty_states.busy(tell, context.refresh_s)
        version = None
    else:
        return Drawn(version=version, snapshot=snapshot, days=days_of(context, snapshot), health=health, left=left)
    return Drawn(version=version, snapshot=None)


def _page(context: PageContext, mart: MartVersion, health: Row, entry: Entry, tell: Teller) -> Page:
    """Draw the filters, and put together what the page draws from."""
    today = context.today(health)
    done = mart.rows("sports_done", health["athlete_id"])
    asked = filters.everything(done, today)
    if entry.has_filters and done:
        asked = filters.draw(done, today, tell, has_dates=entry.has_dates)
    return Page(context=context, mart=mart, health=health, filters=asked, tell=tell, done=done)


def _say_what_is_loading(page: Page) -> None:
    """Say how far the history is while numbers still grow with it."""
    for backfill in page.rows("backfill_status", page.athlete_id):
        if backfill["finished_at"] is None:
            with st.container(key="history-loading"):
                st.caption(pipeline_status.history(page.health, backfill, page.done, page.tell))


def _left(mart: MartVersion, health: Row) -> int:
    """Return how many details a history that is being loaded still lacks."""
    loading = [row for row in mart.rows("backfill_status", health["athlete_id"]) if row["finished_at"] is None]
    return int(health["activity_count"] - health["detailed_count"]) if any(r["has_details"] for r in loading) else 0


def _athlete(athlete_ids: list[int], tell: Teller) -> int:
    if len(athlete_ids) == 1:
        return athlete_ids[0]
    words = [str(one) for one in athlete_ids]
    return int(address.pick("athlete", words, words[0], tell("Athlete"), lambda word: word, width=148))
