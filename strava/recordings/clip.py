"""Cuts a recording to what its activity was cropped to: the exported file is whole, the activity's row the crop."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from strava.recordings.recording import Recording, Totals

CROP_S = 5  # an activity that is shorter than its file by more was cropped


def clip(recording: Recording, start_at: datetime, elapsed_s: float) -> Recording:
    """Return the recording from a moment on, for so many seconds; unchanged where it is not longer than that.

    What the device says of the whole no longer holds and is left out.
    """
    start = start_at.timestamp()
    if elapsed_s + CROP_S >= recording.elapsed_s:
        return recording
    end = start + elapsed_s
    time = recording.columns["time"]
    within = (time >= start) & (time <= end)
    columns = {name: column[within] for name, column in recording.columns.items()}
    columns = {name: column for name, column in columns.items() if name == "time" or not np.isnan(column).all()}
    if "distance_m" in columns:
        columns["distance_m"] = columns["distance_m"] - np.nanmin(columns["distance_m"])
    pauses = [
        (max(begin, start), min(after, end)) for begin, after in recording.pauses if begin < end and after > start
    ]
    return replace(
        recording,
        start=start,
        columns=columns,
        pauses=pauses,
        has_pauses=bool(pauses),
        laps=[
            lap for lap in recording.laps if start <= lap.start and lap.start + (lap.totals.elapsed_s or 0) <= end + 1
        ],
        totals=Totals(elapsed_s=elapsed_s),
        is_clipped=True,
    )
