"""The process that reads recordings, one after another, from its input: a file that breaks it costs that file alone.

A request is a line of JSON, a `Request`, then the file's bytes. The first answer is a line `{"sha256": …}`, upon which
a line `true` lets the process go on, or `false` has it take the next request. The second answer is a line with the
`FileResult` and what of each session is told, and then the bytes of each session's activity and streams. What cannot
be unpacked has the second answer alone. A file that takes more than BUDGET_S of processor time ends the process.
"""

import hashlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson

from strava.recordings import Reading, Recording, UnreadableRecording, clip, describe, read_recording, streams
from strava.recordings.content import unpacked
from strava.recordings.recording import NEAR_S
from worker.importing.outcomes import BUDGET_S, FileOutcome, FileResult, Session

NO_ACTIVITY = "not an activity"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A file of `size` bytes. Where a row of the list names it, `start` and `elapsed` are the row's, if it knows them.

    `start` is in seconds since 1970. Of a file that `has_row` only the session of the row is wanted. `has_data` asks
    for its curves, too.
    """

    name: str
    size: int
    has_row: bool = False
    start: float | None = None
    elapsed: float | None = None
    has_data: bool = False


def read_file(asked: Request, content: bytes, sha256: str | None = None) -> tuple[FileResult, list[Session]]:
    """Read a recording and tell what it would be as an activity."""
    try:
        reading = read_recording(content, asked.name)
        chosen = _chosen(reading, asked)
        sessions = [_session(number, _cropped(recording, asked), asked) for number, recording in chosen]
    except UnreadableRecording as error:
        outcome = FileOutcome.SKIPPED if str(error).startswith(NO_ACTIVITY) else FileOutcome.FAILED
        return FileResult(name=asked.name, outcome=outcome, reason=str(error), sha256=sha256), []
    except Exception as error:  # noqa: BLE001 - any error is this file's end and no other's
        reason = f"breaks the reader ({type(error).__name__})"
        return FileResult(name=asked.name, outcome=FileOutcome.FAILED, reason=reason, sha256=sha256), []
    first, told = chosen[0][1], orjson.loads(sessions[0].activity)
    result = FileResult(
        name=asked.name,
        outcome=FileOutcome.CUT_SHORT if reading.is_truncated else FileOutcome.READ,
        reason="; ".join(reading.remarks),
        kind=reading.kind,
        start_date=told["start_date"],
        sport_type=told.get("sport_type"),
        seconds_off=None if asked.start is None else first.start - asked.start,
        seconds_more=None if asked.elapsed is None else first.elapsed_s - asked.elapsed,
        sha256=sha256,
    )
    return result, sessions


def _chosen(reading: Reading, asked: Request) -> Sequence[tuple[int, Recording]]:
    """Return the recordings with their numbers: all of a file on its own, and the row's of one that a row names."""
    numbered = list(enumerate(reading.recordings))
    if not asked.has_row or len(numbered) == 1:
        return numbered
    if asked.start is None:
        raise UnreadableRecording(f"{len(numbered)} recordings, and its row has no date that tells which it is")
    found = reading.of_activity(datetime.fromtimestamp(asked.start, UTC))
    if found is None:
        raise UnreadableRecording(f"none of its {len(numbered)} recordings begins when the activity does")
    return [(number, recording) for number, recording in numbered if recording is found]


def _cropped(recording: Recording, asked: Request) -> Recording:
    """Return what of a recording its row tells of; all of it where the row's start is not within it."""
    if asked.start is None or asked.elapsed is None:
        return recording
    if not recording.start - NEAR_S <= asked.start <= recording.start + recording.elapsed_s:
        return recording
    return clip(recording, datetime.fromtimestamp(asked.start, UTC), asked.elapsed)


def _session(number: int, recording: Recording, asked: Request) -> Session:
    return Session(
        number=number,
        start=round(recording.start),
        elapsed_s=round(recording.elapsed_s),
        device_key=_device_key(recording),
        activity=orjson.dumps(describe(recording)),
        streams=orjson.dumps(streams(recording)) if asked.has_data else b"",
    )


def _device_key(recording: Recording) -> str | None:
    """Return what tells a device's recording from all others; None where the file does not say it."""
    device = recording.device
    if not device.serial_number or device.created_at is None:
        return None
    return f"{device.manufacturer}/{device.serial_number}/{device.created_at:%Y-%m-%dT%H:%M:%SZ}"


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    for line in iter(requests.readline, b""):
        asked = Request(**orjson.loads(line))
        content = requests.read(asked.size)
        signal.setitimer(signal.ITIMER_PROF, BUDGET_S)  # its signal ends the process
        sha256 = hash_of(content)
        if sha256 is not None:
            _answer(answers, {"sha256": sha256})
            if requests.readline() != b"true\n":
                continue
        result, sessions = read_file(asked, content, sha256)
        parts = [part for each in sessions for part in (each.activity, each.streams)]
        _answer(answers, {"result": asdict(result), "sessions": [_told(each) for each in sessions]}, *parts)


def hash_of(content: bytes) -> str | None:
    """Return the hash of the unpacked file; None where it is empty or cannot be unpacked."""
    try:
        return hashlib.sha256(unpacked(content)[0]).hexdigest()
    except UnreadableRecording:
        return None


def _told(session: Session) -> dict[str, Any]:
    """Return all of a session, of what is long the size in bytes."""
    sizes = {name: len(getattr(session, name)) for name in ("activity", "streams")}
    return {name: sizes.get(name, getattr(session, name)) for name in Session.__dataclass_fields__}


def _answer(answers: BinaryIO, line: dict[str, Any], *parts: bytes) -> None:
    answers.write(orjson.dumps(line) + b"\n")
    answers.writelines(parts)
    answers.flush()


if __name__ == "__main__":
    os.nice(10)  # the charts of the rows and live events come first
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:  # who asked was killed
        os._exit(1)
