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
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

PARTIAL = "class_sessions/_row.html"

# Of Unicode's private use: nothing to escape, and nothing that the partial has.
_MARK = "\ue000{}\ue001"
_MARKS = re.compile(_MARK.format("([a-z_]+)"))


class _Marked(dict[str, str]):
    """A row that has the mark of whatever value it is asked for."""

    def __missing__(self, name: str) -> str:
        return _MARK.format(name)


def render_rows(rows: Iterable[Mapping[str, Any]]) -> SafeString:
    """
    The partial for each of `rows`, which are as `display.rows` makes them.

    The partial can only put values in places: no filter, no tag looks at them. They
    are escaped as the engine would, all but what is safe HTML already.
    """
    marked = render_to_string(PARTIAL, {"row": _Marked()})
    shape = _MARKS.sub(r"%(\1)s", marked.replace("%", "%%"))
    # Safe: the partial's own text, and escaped values.
    return mark_safe("".join([shape % _escaped(row) for row in rows]))  # noqa: S308


def _escaped(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        # Spares most of the calls: there are thousands of rows.
        name: value
        if not value or isinstance(value, int | SafeString)
        else escape(str(value))
        for name, value in row.items()
    }
