"""A small table as HTML: a real `<table>` with a heading for each column."""

from collections.abc import Iterable, Sequence
from html import escape

from dashboard import sports
from dashboard.formatting import Teller

RIGHT, WIDE, BOTH = "n", "wide", "n wide"  # classes of a column: to the right, not on a phone, both


def html_table(heads: Sequence[tuple[str, str]], lines: Iterable[str], tell: Teller, css: str = "ad-t") -> str:
    """Return a table of finished `<tr>`; `heads` are the columns' titles, translated, and their classes."""
    columns = "".join(f'<th scope="col" class="{of_column}">{escape(title)}</th>' for title, of_column in heads)
    body = "".join(lines)
    return f'<table class="{css}" lang="{tell.language}"><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>'


def link(url: str | None, shown: str, title: str = "") -> str:
    """Return HTML that leads to a page; without a page what is shown alone."""
    named = f' title="{escape(title)}"' if title else ""
    return f'<a href="{escape(url)}"{named}>{shown}</a>' if url else shown


def cell(shown: str, of_column: str = "") -> str:
    """Return a `<td>` of finished HTML."""
    return f'<td class="{of_column}">{shown}</td>'


def sport_dot(group: str, tell: Teller) -> str:
    """Return the dot in a sport group's colour, which is read out as its name."""
    title = escape(sports.title(group, tell))
    return f'<span class="ad-dot ad-{sports.colour(group)}" role="img" aria-label="{title}" title="{title}"></span>'
