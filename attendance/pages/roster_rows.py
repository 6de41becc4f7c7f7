"""
The roster's rows as HTML, thousands at a time.

`templates/class_sessions/_row.html` is the shape of every row: of those here, and of
those that the browser clones and fills (`static/js/roster.js`). Here the same is done:
the engine renders the partial once, with a mark in place of each value, and a row is
what stands between the marks with its own values in it. To have the engine render
every row took longer than all the rest of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from operator import itemgetter
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

PARTIAL = "class_sessions/_row.html"

# Of Unicode's private use: nothing to escape, and nothing that the partial has.
_MARK = "\ue000{}\ue001"
_MARKS = re.compile(_MARK.format("([a-z_]+)"))


class SafeHtml:
    """
    HTML to stand in a row as it is.

    A type of its own, because SafeString equals whatever text looks the same, which
    must be escaped.
    """

    def __init__(self, html: SafeString) -> None:
        self._html = html

    def __str__(self) -> SafeString:
        return self._html


class _Marked(dict[str, str]):
    """A row that has the mark of whatever value it is asked for."""

    def __missing__(self, name: str) -> str:
        return _MARK.format(name)


_AS_THEY_ARE = (int, SafeHtml)


class _Escaped(dict[Any, str]):
    """Values as autoescaping puts them; most come again: "Present", no note."""

    def __missing__(self, value: Any) -> str:
        found = str(value)
        if not isinstance(value, _AS_THEY_ARE):
            found = escape(found)
        self[value] = found
        return found


def render_rows(rows: Iterable[Mapping[str, Any]]) -> SafeString:
    """
    The partial for each of `rows`, which are as `display.rows` makes them.

    The partial can only put values in places: no filter, no tag looks at them. They
    are text or numbers and escaped as the engine would, or SafeHtml.
    """
    # Text and the names of values by turns, beginning and ending with text.
    parts = _MARKS.split(render_to_string(PARTIAL, {"row": _Marked()}))
    values_of, escaped = itemgetter(*parts[1::2]), _Escaped().__getitem__
    filled = []
    for row in rows:
        parts[1::2] = map(escaped, values_of(row))
        filled.append("".join(parts))
    # Safe: the partial's own text, and escaped values.
    return mark_safe("".join(filled))  # noqa: S308
