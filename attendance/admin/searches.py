"""
The search boxes of the lists: in steps of bounded size.

First who and what the words mean, MEANT at most of each, and then the rows of these by
the indexes of the foreign keys. As one statement it would be a comparison of every row
with the words, because an OR over several tables has no index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from attendance.admin.lists import LISTED, BoundedAdmin
from attendance.models import ClassSession, Course, User
from attendance.selectors import search

# So many people, courses and class sessions are taken for what the words meant.
MEANT = 100
# Each word is looked up by itself.
MOST_WORDS = 10


class Meaning:
    """What a text may mean; `notice` is for people, where not all of it was taken."""

    def __init__(self, text: str) -> None:
        self.notice = ""
        self.words = search.words_of(text)
        if len(self.words) > MOST_WORDS:
            self.words = []
            self.notice = f"Search for at most {MOST_WORDS} words."

    def ids(self, rows: QuerySet[Any]) -> list[int]:
        """The ids of the first MEANT of them."""
        found = list(rows.values_list("pk", flat=True)[: MEANT + 1])
        if len(found) > MEANT:
            self.notice = (
                f"More than {MEANT} people, courses or class sessions have such words, "
                f"and these are the rows of {MEANT}: add a word to find the others."
            )
        return found[:MEANT]

    @cached_property
    def courses(self) -> dict[str, list[int]]:
        """By word, the courses that it may mean."""
        return {
            word: self.ids(Course.objects.filter(search.course_named([word])))
            for word in self.words
        }

    @property
    def class_sessions(self) -> QuerySet[ClassSession]:
        """Those with each word in their own title or their course's name or code."""
        if not self.words:
            return ClassSession.objects.none()
        found = ClassSession.objects.all()
        for word in self.words:
            found = found.filter(
                search.class_session_titled([word]) | Q(course__in=self.courses[word])
            )
        # By what no index is in the order of: else PostgreSQL may expect to come across
        # enough of them soon, and walk through all class sessions from the latest on.
        return found.order_by((F("pk") + 0).desc())

    def is_of_class_session(self, word: str) -> bool:
        """Whether the word may mean a class session."""
        titled = ClassSession.objects.filter(search.class_session_titled([word]))
        return bool(self.courses[word]) or _is_any(titled)

    def people(self, means_else: Callable[[str], bool]) -> list[int]:
        """
        Whom some of the words may mean: of the words that mean nothing else, all.

        So among a thousand Adas the one is found whose other name was given, too.
        """
        names = self.words
        if len(names) > 1:
            names = [word for word in names if _is_a_name(word)]
        # Of a single one there is nothing to ask, which may take long: "week" is in
        # the titles of most class sessions.
        certain = names if len(names) == 1 else [w for w in names if not means_else(w)]
        wanted = search.person_named(certain)
        for word in () if certain else names:
            wanted |= search.person_named([word])
        return self.ids(User.objects.filter(wanted))


def _is_a_name(word: str) -> bool:
    return _is_any(User.objects.filter(search.person_named([word])))


def _is_any(rows: QuerySet[Any]) -> bool:
    """Whether there are any; like `exists`, but by the index, as above."""
    return bool(rows.order_by(F("pk") + 0).values_list("pk")[:1])


class WordsAdmin(BoundedAdmin):
    """Searches people, courses or class sessions by their own words."""

    # Shows the search box; what is searched is said by `words_search`.
    search_fields = ("pk",)
    search_help_text = "Beginnings of words."

    def words_search(self, queryset: QuerySet[Any], meaning: Meaning) -> QuerySet[Any]:
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        meaning = Meaning(search_term)
        found = self.words_search(queryset, meaning)
        # One instance serves all requests, so the list finds it here.
        request.search_notice = meaning.notice  # type: ignore[attr-defined]
        return found, False

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist: Any = super().get_changelist_instance(request)
        changelist.search_notice = getattr(request, "search_notice", "")
        return changelist


def listed_class_sessions(meaning: Meaning) -> list[int]:
    """The ids of the class sessions that are meant: one more than a list shows."""
    return list(meaning.class_sessions.values_list("pk", flat=True)[: LISTED + 1])


def of_class_sessions(
    queryset: QuerySet[Any], meaning: Meaning, *people: str
) -> QuerySet[Any]:
    """Rows of what refers to a class session, and to people in the fields `people`."""

    def has(word: str) -> Q:
        titled = search.class_session_titled([word], of="class_session")
        return titled | Q(class_session__course__in=meaning.courses[word])

    sessions = Q(class_session__in=meaning.ids(meaning.class_sessions))
    persons = meaning.people(meaning.is_of_class_session)
    return _rows(queryset, meaning.words, sessions, persons, people, has)


def of_courses(queryset: QuerySet[Any], meaning: Meaning, person: str) -> QuerySet[Any]:
    """Rows of what refers to a course, and to a person in the field `person`."""
    named = Course.objects.filter(search.course_named(meaning.words))
    courses = Q(course__in=meaning.ids(named))
    persons = meaning.people(lambda word: bool(meaning.courses[word]))

    def has(word: str) -> Q:
        return Q(course__in=meaning.courses[word])

    return _rows(queryset, meaning.words, courses, persons, [person], has)


def _rows(
    queryset: QuerySet[Any],
    words: Sequence[str],
    wanted: Q,
    persons: Sequence[int],
    fields: Sequence[str],
    has: Callable[[str], Q],
) -> QuerySet[Any]:
    """
    Rows that are `wanted`, or in which these persons are in one of the fields.

    Of several words each must be in a person's name, or the row must have it itself.
    """
    for field in fields:
        wanted |= Q(**{f"{field}__in": persons})
    found = queryset.filter(wanted)
    for word in words if len(words) > 1 else ():
        meant = has(word)
        for field in fields:
            meant |= search.person_named([word], of=field)
        found = found.filter(meant)
    return found
