"""
Who and what is meant by some words, typed into a search box.

On PostgreSQL by the beginnings of words and with an index (migration 0008), so that the
time does not grow with the school; on SQLite by any part of the text. On both whatever
is no letter and no digit stands between words, in what is looked for and in what is
looked through: CS-101 are two words, and so is half an email.
"""

from __future__ import annotations

import string
from collections.abc import Sequence

from django.contrib.postgres.search import SearchQuery, SearchVector, SearchVectorExact
from django.db import connection
from django.db.models import F, Func, Q, TextField, Value

# Exactly these are indexed; others would be looked for in every row.
PERSON_FIELDS = ("name", "username", "email")
COURSE_FIELDS = ("name", "code")
CLASS_SESSION_FIELDS = ("title",)

# PostgreSQL's parser would take a hyphen for a sign, and what has a slash, a dot or an
# @ in it for one word. The index knows these, too: a change needs a migration.
PUNCTUATION = string.punctuation + "–—‘’‚“”„«»…·•¿¡"  # noqa: RUF001
_BLANKS = " " * len(PUNCTUATION)
_BLANKED = str.maketrans(PUNCTUATION, _BLANKS)


def words_of(text: str) -> list[str]:
    """The words of a text, each once."""
    return list(dict.fromkeys(text.translate(_BLANKED).split()))


def person_named(words: Sequence[str], of: str = "") -> Q:
    """
    Of people: all the words are in their name, user name and email.

    Here and below: `of` names the field in what refers to them, and nobody and nothing
    has no words.
    """
    return _matches(PERSON_FIELDS, words, of)


def course_named(words: Sequence[str]) -> Q:
    """Of courses: all the words are in their name and code."""
    return _matches(COURSE_FIELDS, words, "")


def class_session_titled(words: Sequence[str], of: str = "") -> Q:
    """Of class sessions: all the words are in their title."""
    return _matches(CLASS_SESSION_FIELDS, words, of)


def _matches(fields: Sequence[str], words: Sequence[str], of: str) -> Q:
    if not words:
        return Q(pk__in=())
    paths = [f"{of}__{field}" if of else field for field in fields]
    if connection.vendor == "postgresql":
        # "simple": names are in every language, and none of their words is a stop word.
        vector = SearchVector(*map(_plain, paths), config="simple")
        beginnings = " & ".join(f"'{word}':*" for word in words)
        query = SearchQuery(beginnings, config="simple", search_type="raw")
        return Q(SearchVectorExact(vector, query))
    found = Q()
    for word in words:
        found &= Q.create(
            [(f"{path}__icontains", word) for path in paths], connector=Q.OR
        )
    return found


def _plain(path: str) -> Func:
    """The field with blanks for punctuation."""
    return Func(
        *(F(path), Value(PUNCTUATION), Value(_BLANKS)),
        function="translate",
        output_field=TextField(),
    )
