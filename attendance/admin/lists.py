"""
Lists that cost the same however much the school has kept.

Django's count every row, sort by whatever column is clicked, and search by comparing
every row with the text. These count and page no further than LISTED; how they search is
in searches.py.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property

# What lies behind so many rows is found with a filter or a search, not by paging.
LISTED = 5_000


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
