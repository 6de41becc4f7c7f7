"""
Who and what is meant by some words, typed into a search box.

On PostgreSQL by the beginnings of words and with an index (migration 0007), so that the
time does not grow with the school; on SQLite by any part of the text.
"""

from __future__ import annotations

from django.contrib.postgres.search import SearchQuery, SearchVector, SearchVectorExact
from django.db import connection
from django.db.models import Q

# Exactly these are indexed; others would be looked for in every row.
PERSON_FIELDS = ("name", "username", "email")
COURSE_FIELDS = ("name", "code")
CLASS_SESSION_FIELDS = ("title",)


def person_named(text: str) -> Q:
    """Of people: all words of `text` are in their name, user name and email."""
    return _matches(PERSON_FIELDS, text)


def course_named(text: str) -> Q:
    """Of courses: all words of `text` are in their name and code."""
    return _matches(COURSE_FIELDS, text)


def class_session_titled(text: str) -> Q:
    """Of class sessions: all words of `text` are in their title."""
    return _matches(CLASS_SESSION_FIELDS, text)


def _matches(fields: tuple[str, ...], text: str) -> Q:
    if connection.vendor == "postgresql":
        # "simple": names are in every language, and none of their words is a stop word.
        vector = SearchVector(*fields, config="simple")
        words = " & ".join(_beginning_with(word) for word in text.split())
        query = SearchQuery(words, config="simple", search_type="raw")
        return Q(SearchVectorExact(vector, query))
    found = Q()
    for word in text.split():
        found &= Q.create(
            [(f"{field}__icontains", word) for field in fields], connector=Q.OR
        )
    return found


def _beginning_with(word: str) -> str:
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':*"
