"""The process that reads recordings, one after another, from its input: a file that breaks it costs that file alone.

A request is a line of JSON with the file's name, its size in bytes and, if known, when its activity began, in seconds
since 1970, and how many seconds it lasts; then come the bytes. The answer is one line of JSON, a `FileResult`. A file
that takes more than BUDGET_S of processor time ends the process.
"""

import signal
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson

from strava.recordings import Reading, Recording, UnreadableRecording, describe, read_recording
from worker.importing.outcomes import BUDGET_S, FileOutcome, FileResult

NO_ACTIVITY = "not an activity"


def read_file(name: str, content: bytes, start: float | None, elapsed: float | None) -> FileResult:
    """Read a recording and tell what it would be as an activity."""
    try:
        reading = read_recording(content, name)
        recording = _of_activity(reading, start)
        told = describe(recording)
    except UnreadableRecording as error:
        outcome = FileOutcome.SKIPPED if str(error).startswith(NO_ACTIVITY) else FileOutcome.FAILED
        return FileResult(name=name, outcome=outcome, reason=str(error))
    except Exception as error:  # noqa: BLE001 - any error is this file's end and no other's
        return FileResult(name=name, outcome=FileOutcome.FAILED, reason=f"breaks the reader ({type(error).__name__})")
    return FileResult(
        name=name,
        outcome=FileOutcome.CUT_SHORT if reading.is_truncated else FileOutcome.READ,
        reason="; ".join(reading.remarks),
        kind=reading.kind,
        start_date=told["start_date"],
        sport_type=told.get("sport_type"),
        seconds_off=None if start is None else recording.start - start,
        seconds_more=None if elapsed is None else recording.elapsed_s - elapsed,
    )


def _of_activity(reading: Reading, start: float | None) -> Recording:
    """Return the recording of the activity that began then; without a start, the first."""
    if start is None:
        return reading.recordings[0]
    found = reading.of_activity(datetime.fromtimestamp(start, UTC))
    if found is None:
        raise UnreadableRecording(f"none of its {len(reading.recordings)} recordings begins when the activity does")
    return found


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    for line in iter(requests.readline, b""):
        asked: dict[str, Any] = orjson.loads(line)
        content = requests.read(asked["size"])
        signal.setitimer(signal.ITIMER_PROF, BUDGET_S)  # its signal ends the process
        result = read_file(asked["name"], content, asked["start"], asked["elapsed"])
        answers.write(orjson.dumps(asdict(result)) + b"\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
