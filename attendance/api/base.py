"""What the viewsets share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from django.http import Http404
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from attendance.api.idempotency import IdempotentPosts
from attendance.api.inputs import Input
from attendance.api.pagination import Pagination
from attendance.models import User
from attendance.payloads import Payload


class JSONOnly(DefaultContentNegotiation):
    """The API speaks JSON, whatever a client says it would accept: never 406."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[Any],
        format_suffix: str | None = None,
    ) -> tuple[Any, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class AnyAccepted(DefaultContentNegotiation):
    """What a client would like, or else the usual: never 406."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[Any],
        format_suffix: str | None = None,
    ) -> tuple[Any, str]:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except (Http404, NotAcceptable):
            renderer = next(iter(renderers))
            return renderer, renderer.media_type


class APIViewSet(IdempotentPosts, GenericViewSet[Any]):
    """Shape in, service, shape out; who may is asked of the selectors."""

    pagination_class = Pagination
    # OPTIONS is 405: the library's answer to it wants a serializer of each view.
    metadata_class = None
    content_negotiation_class = JSONOnly

    @property
    def user(self) -> User:
        """The authenticated user: the only source of who acts."""
        return cast(User, self.request.user)

    def read(self, shape: type[Input], *, partial: bool = False) -> dict[str, Any]:
        """The request's body in the given shape, or 400."""
        serializer = shape(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def read_no_input(self) -> None:
        """Where no body is needed, one that makes no sense is refused all the same."""
        if self.request.data is not None:
            self.read(Input)

    def read_filters(self, shape: type[Input]) -> dict[str, Any]:
        """The request's query in the given shape, or 400."""
        serializer = shape(data=self.request.query_params.dict())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def page_of(
        self, items: Any, payloads: Callable[[Sequence[Any]], list[Payload]]
    ) -> Response:
        """One page of `items` (a query or a list), each turned into its payload."""
        page: Sequence[Any] = self.paginate_queryset(items) or []
        return self.get_paginated_response(payloads(page))
