"""Why an import left something out or read it in part, in the reader's language.

The programs that read the files write one English sentence each, with numbers and other words of the file's own; these
are the sentences as patterns. A sentence that is none of them stays as it is.
"""

import re
from collections.abc import Mapping
from functools import cache

from dashboard.formatting import Teller
from dashboard.languages import N_

# `{n}` and `{m}` are numbers; each other name is words, which may be a sentence of these again.
SENTENCES = (
    N_("holds neither activities.csv nor a recording (.fit, .gpx, .tcx)"),
    N_("is neither a file nor a folder"),
    N_("does not exist"),
    N_("is no list of activities: no date, no file and no header that is known"),
    N_("is no list of activities: its first line is not the header that Strava writes"),
    N_("{activity}: its date cannot be read, and no file tells it"),
    N_("is none of the files to import"),
    N_("is beyond the most bytes that are read of one archive"),
    N_("cannot be read: {why}"),
    N_("does not begin with the athlete's id"),
    N_("is named after another athlete than its profile.csv tells of"),
    N_("names files in column {n}, but calls column {m} so; the cells are believed"),
    N_("has dates that can be read in two ways; {order} is taken, and {rival} fits as well"),
    N_("its name has characters that no name has"),
    N_("is a link or a device, not a file"),
    N_("its name has a backslash"),
    N_("its name is an absolute path"),
    N_("its name leads out of the archive"),
    N_("is in it {n} times"),
    N_("is of athlete {athlete}, who was purged meanwhile; nothing of it is kept"),
    N_("has more than {n} MiB"),
    N_("is encrypted"),
    N_("is packed by a method that Strava does not use"),
    N_("unpacks to more than {n} MiB"),
    N_("unpacks to more than {n} times its size"),
    N_("unpacks to more than {n} MiB or {m} times its size"),
    N_("has a list of files of more than {n} MiB"),
    N_("has more than {n} entries"),
    N_("is empty"),
    N_("is damaged: the list of files at its end is missing or broken, as after a download that broke off"),
    N_("is damaged: it does not unpack"),
    N_("has more than {n} files"),
    N_("holds more ZIPs than are read"),
    N_("holds {n} exports; give each on its own"),
    N_("line {n}: {why}"),
    N_("{n} cells where the header has {m}"),
    N_("no activity's id at its beginning"),
    N_("the id of an earlier line"),
    N_("has more than {n} lines that are no rows"),
    N_("has more than {n} rows"),
    N_("holds letters that are not UTF-8; each is shown as \N{REPLACEMENT CHARACTER}"),
    N_("has a line of more than {n} characters"),
    N_("cut short: {why}"),
    N_("cut short after {n} bytes"),
    N_("its compressed data breaks off"),
    N_("Strava has no file for it"),
    N_("not a FIT, TCX or GPX file"),
    N_("larger than {n} MiB"),
    N_("empty file"),
    N_("empty file: nothing but zeros"),
    N_("a ZIP archive, not a recording"),
    N_("more than {n} gzip files in a row"),
    N_("not an activity: {kind}"),
    N_("not an activity: device"),
    N_("not an activity: settings"),
    N_("not an activity: sport"),
    N_("not an activity: workout"),
    N_("not an activity: course"),
    N_("not an activity: course or workout"),
    N_("not an activity: weight"),
    N_("not an activity: totals"),
    N_("not an activity: goals"),
    N_("not an activity: blood pressure"),
    N_("not an activity: monitoring"),
    N_("not an activity: segment"),
    N_("not an activity: segment list"),
    N_("no times"),
    N_("more than {n} sessions"),
    N_("more than {n} activities"),
    N_("more than {n} laps"),
    N_("more than {n} points"),
    N_("more than {n} messages"),
    N_("more than {n} messages of one kind"),
    N_("more than {n} definitions of messages"),
    N_("more than {n} files in a row"),
    N_("it holds a session twice"),
    N_("{n} bytes after its end were not looked at"),
    N_("its header gives no length"),
    N_("its checksum is missing"),
    N_("its checksum is wrong"),
    N_("{n} points without a time were left out"),
    N_("not XML"),
    N_("in an encoding that is not known"),
    N_("a document type declaration, which no recording needs"),
    N_("an element of more than {n} KiB"),
    N_("elements within more than {n} others"),
    N_("an element with more than {n} attributes"),
    N_("more than {n} names of elements and attributes"),
    N_("breaks the reader ({error})"),
    N_("ends the reader (code {code})"),
    N_("takes more than {n} s"),
    N_("{n} recordings, and its row has no date that tells which it is"),
    N_("none of its {n} recordings begins when the activity does"),
)
NUMBERS = {"n", "m"}
JOINED = "; "
_NAME = re.compile(r"\{(\w+)\}")


def because(reason: str, tell: Teller) -> str:
    """Say a reason, of several each."""
    if (told := _told(reason, tell) or _told_of_file(reason, tell)) is not None:
        return told
    return JOINED.join(_told(each, tell) or each for each in reason.split(JOINED))


def _told(reason: str, tell: Teller) -> str | None:
    for sentence, pattern in _patterns().items():
        if found := pattern.fullmatch(reason):
            return tell(sentence, **{name: _value(name, text, tell) for name, text in found.groupdict().items()})
    return None


def _told_of_file(reason: str, tell: Teller) -> str | None:
    """Say what an import ended with: one of the sentences and a full stop, most often after the archive's name."""
    words = reason.removesuffix(".").split(" ")
    for place in range(len(words) if reason.endswith(".") else 0):
        if told := _told(" ".join(words[place:]), tell):
            return " ".join([*words[:place], f"{told}."])
    return None


def _value(name: str, text: str, tell: Teller) -> str:
    return tell.number(int(text.replace(",", ""))) if name in NUMBERS else because(text, tell)


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    """Return a pattern for each sentence, first of those without words of a file's own."""

    def pattern(sentence: str) -> re.Pattern[str]:
        """Put a group for each name; what stands between is itself."""
        parts = _NAME.split(sentence)
        between, names = map(re.escape, parts[::2]), parts[1::2]
        groups = [rf"(?P<{name}>{'[0-9][0-9,]*' if name in NUMBERS else '.+'})" for name in names]
        return re.compile("".join(text + group for text, group in zip(between, [*groups, ""], strict=True)))

    made = {sentence: pattern(sentence) for sentence in SENTENCES}
    return dict(sorted(made.items(), key=lambda each: bool(set(each[1].groupindex) - NUMBERS)))
