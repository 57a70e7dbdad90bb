"""Reads XML without keeping it: a reader is told of each element when it ends, so memory does not grow with the file.

Files are read up to the first place that is not XML. A document type declaration is refused, so there are no entities.
"""

import codecs
import re
from collections.abc import Mapping
from typing import Protocol
from xml.etree import ElementTree as ET

from strava.recordings.recording import UnreadableRecording

DEEPEST = 64
LONGEST = 10_000  # characters of one element's text that are kept
LONGEST_TAG, MOST_ATTRIBUTES = 2**18, 100  # bytes from one tag to the next
MOST_NAMES = 1_000  # of elements and attributes: the parser keeps each
_CHUNK = 2**16
_LONG_TAG = re.compile(rb"<[^<]{%d}" % LONGEST_TAG)


class Reader(Protocol):
    """What is made of the elements; names are without their namespace."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the begin of an element."""

    def end(self, name: str, text: str, parent: str) -> None:
        """Take an element's end, its text, and the name of the element that it is in, or nothing."""


class _Target:
    """What ElementTree's parser calls."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._open = [""]
        self._text = list[str]()
        self._length = 0
        self._names = set[str]()

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag[tag.rfind("}") + 1 :]
        if len(self._open) > DEEPEST:
            raise UnreadableRecording(f"elements within more than {DEEPEST} others")
        if len(attributes) > MOST_ATTRIBUTES:
            raise UnreadableRecording(f"an element with more than {MOST_ATTRIBUTES} attributes")
        self._names.update((tag,), attributes)
        if len(self._names) > MOST_NAMES:
            raise UnreadableRecording(f"more than {MOST_NAMES:,} names of elements and attributes")
        self._open.append(name)
        self._text.clear()
        self._length = 0
        self._reader.start(name, attributes)

    def data(self, text: str) -> None:
        self._length += len(text)
        if self._length <= LONGEST:
            self._text.append(text)

    def end(self, _tag: str) -> None:
        name = self._open.pop()
        self._reader.end(name, "".join(self._text).strip(), self._open[-1])
        self._text.clear()

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        raise UnreadableRecording("a document type declaration, which no recording needs")

    def close(self) -> None:
        """Do nothing: nothing was kept."""


def read_xml(content: bytes, reader: Reader) -> str | None:
    """Tell a reader of the elements of a file; return where and why it breaks off, None if it does not.

    Blanks before the declaration, which several exporters write, are passed over. Raises UnreadableRecording for a
    document type declaration, for elements that are too long or nested too deep, and what the reader raises.
    """
    content = content.removeprefix(codecs.BOM_UTF8).lstrip()
    if _LONG_TAG.search(content):
        raise UnreadableRecording(f"an element of more than {LONGEST_TAG >> 10} KiB")
    target = _Target(reader)
    parser = ET.XMLParser(target=target)  # noqa: S314 - the target refuses declarations of types
    try:
        for at in range(0, len(content), _CHUNK):
            parser.feed(content[at : at + _CHUNK])
        parser.close()
    except ET.ParseError as error:
        line, _ = error.position
        return f"line {line}: not XML"
    except (LookupError, ValueError) as error:
        if isinstance(error, UnreadableRecording):
            raise
        return "in an encoding that is not known"
    return None
