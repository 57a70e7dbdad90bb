"""From the save at a Strava simulator to `raw` and to the published marts, in the scripted life of the demo."""

import json
import os
import subprocess
import sys
import tempfile


def measure() -> dict[str, float]:
    """Play the scripted life once and return its percentiles. Raises RuntimeError when a check fails."""
    with tempfile.TemporaryDirectory() as folder:
        played = subprocess.run(
            [sys.executable, "-m", "athlete", "demo", "--once"],
            env={**os.environ, "DATA_DIR": folder},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if played.returncode:
        raise RuntimeError(f"the scripted life failed:\n{played.stdout}")
    numbers = json.loads(played.stdout.splitlines()[-1])
    return {
        f"{way}_{percentile}_ms": numbers[f"{way}_ms"][percentile]
        for way in ("save_to_raw", "save_to_chart")
        for percentile in ("p50", "p95")
    }
