"""
Lists that cost the same however much the school has kept.

Django's count every row, sort by whatever column is clicked, and search by comparing
every row with the text. These count and page no further than LISTED, and search in
three steps of bounded size (see `found_by_words`).
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property

from attendance.models import ClassSession, Course, User
from attendance.selectors import search

# What lies behind so many rows is found with a filter or a search, not by paging.
LISTED = 5_000
# So many people, courses and class sessions are taken for what the words meant.
MEANT = 100


class BoundedPaginator(Paginator):
    """Pages through the first LISTED rows, and does not count those behind."""

    @cached_property
    def counted(self) -> int:
        """The number of rows; LISTED + 1 means that there are more than LISTED."""
        rows: Any = self.object_list
        # In no order: then any index that fits the filter will do.
        return int(rows.order_by()[: LISTED + 1].count())

    @property
    def count(self) -> int:
        return min(self.counted, LISTED)

    @property
    def has_more(self) -> bool:
        """Whether rows lie behind those that can be paged through."""
        return self.counted > LISTED


class BoundedAdmin(admin.ModelAdmin):
    """
    The lists of the admin: bounded, and with every filter answered.

    A filter that no database understands is answered like any unknown filter.
    """

    paginator = BoundedPaginator
    # Would count all rows once more, and per value of each filter.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        try:
            return super().get_changelist_instance(request)
        except (OverflowError, ValueError, DataError) as error:
            # Such as the year 0, or one of twenty digits.
            raise IncorrectLookupParameters from error

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        # The queryset is the whole list, not only what could be counted and shown.
        if request.POST.get("select_across") == "1":
            counted: Any = BoundedPaginator(queryset, 1)
            if counted.has_more:
                self.message_user(
                    request,
                    f"These are more than {LISTED:,}, too many for one action. "
                    "Narrow the list down with a filter or a search.",
                    messages.ERROR,
                )
                return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)


class WordsAdmin(BoundedAdmin):
    """Searches people, courses or class sessions by their own words."""

    # Shows the search box; what is searched is said by `words_search`.
    search_fields = ("pk",)
    search_help_text = "Beginnings of words."

    def words_search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        return (self.words_search(queryset, text) if text else queryset), False


def ids(rows: QuerySet[Any]) -> list[int]:
    """The ids of the first MEANT of them."""
    return list(rows.values_list("pk", flat=True)[:MEANT])


def class_sessions_meant(text: str) -> Q:
    """Of class sessions: those with such a title, and those of such courses."""
    titled = ClassSession.objects.filter(search.class_session_titled(text))
    # By what no index is in the order of: else PostgreSQL may expect to come across
    # enough of them soon, and walk through all class sessions from the latest on.
    titled = titled.order_by("title", "-pk")
    return Q(pk__in=ids(titled)) | Q(course__in=courses_meant(text))


def courses_meant(text: str) -> list[int]:
    return ids(Course.objects.filter(search.course_named(text)))


def people_meant(text: str) -> list[int]:
    return ids(User.objects.filter(search.person_named(text)))


def found_by_words(queryset: QuerySet[Any], text: str, *people: str) -> QuerySet[Any]:
    """
    Rows of what refers to a class session and to people (the names of the fields).

    First who and what is meant, MEANT at most of each, and then their rows by the
    indexes of the foreign keys. As one statement it would be a comparison of every row
    with the text, because an OR over several tables has no index.
    """
    found = people_meant(text)
    sessions = ClassSession.objects.filter(class_sessions_meant(text))
    wanted = Q(class_session__in=ids(sessions))
    for field in people:
        wanted |= Q(**{f"{field}__in": found})
    return queryset.filter(wanted)
