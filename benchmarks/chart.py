"""From the save at a Strava simulator to the service, `raw` and the published marts, in the demo's scenario."""

import json
import os
import subprocess
import sys
import tempfile

from athlete.demo.latency import STAGES


def measure() -> dict[str, float]:
    """Play the scenario once and return its percentiles. Raises RuntimeError when a check fails."""
    with tempfile.TemporaryDirectory() as folder:
        played = subprocess.run(
            [sys.executable, "-m", "athlete", "demo", "--once"],
            env={**os.environ, "DATA_DIR": folder},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if played.returncode:
        raise RuntimeError(f"the scenario failed:\n{played.stdout}")
    numbers = json.loads(played.stdout.splitlines()[-1])
    return {
        f"{stage}_{percentile}_ms": numbers[f"{stage}_ms"][percentile]
        for stage in STAGES
        for percentile in ("p50", "p95")
    }
