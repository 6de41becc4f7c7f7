"""Ids in URLs."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import IntConverter


class IdConverter(IntConverter):
    """An id that fits a bigint: to anything longer the path simply does not exist."""

    regex = "[0-9]{1,18}"


register_converter(IdConverter, "id")
