"""The page that takes the athlete's own files: an export of Strava's, or recordings of a device."""

import logging
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import empty_states, inbox
from dashboard.formatting import Teller, plain
from dashboard.languages import N_

LOG = logging.getLogger(__name__)
TITLE = N_("Import")
KINDS = ["zip", "csv", "fit", "tcx", "gpx", "gz"]


def show(folder: Path, tell: Teller) -> None:
    """Draw the page; what is handed over goes into the folder."""
    with st.container(key="top"):
        st.title(tell(TITLE), anchor=False)
    st.markdown(
        tell(
            "Your export from Strava (ZIP), or recordings of a device: FIT, TCX and GPX, also packed. `athlete up` "
            "imports them within seconds; what was imported before changes nothing."
        )
    )
    most = int(st.get_option("server.maxUploadSize"))
    with st.form("upload", clear_on_submit=True):
        files = st.file_uploader(
            tell("Files of up to {n} MB each", n=tell.number(most)), KINDS, accept_multiple_files=True
        )
        is_asked = st.form_submit_button(tell("Import"), type="primary")
    if is_asked and files:
        _hand_over(folder, files, tell)
    with st.container(key="larger"):
        st.caption(
            tell(
                "A larger export does not go through a page: `athlete import export_12345.zip` reads it where it is. "
                "Or move it into the folder `inbox` of DATA_DIR."
            )
        )


def _hand_over(folder: Path, files: Sequence[UploadedFile], tell: Teller) -> None:
    try:
        names = [inbox.put(folder, file.name, file) for file in files]
    except OSError as error:
        LOG.exception("dashboard.upload_failed")
        told = tell("**Not imported.** The file could not be written into the inbox.")
        empty_states.warning("upload-failed", told, str(error))
        return
    LOG.info("dashboard.uploaded files=%d", len(names))
    with st.container(key="uploaded"):
        told = tell.plural("**{n} file handed over**", "**{n} files handed over**", len(names))
        listed = ", ".join(plain(name) for name in names[:10]) + (", …" if len(names) > 10 else "")  # noqa: PLR2004
        st.success(f"{told}: {listed}. " + tell("Pipeline shows what becomes of it."))
