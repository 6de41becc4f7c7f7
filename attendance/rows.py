"""
Rows without the ORM's compiler, for what is asked most: by a check-in, log-in included,
by snapshots and heartbeats, by every request of a teacher, and by bulk changes.

Django builds every statement anew from its expressions, which for a single row costs
several times what the database takes for it (docs/decisions.md has the figures). Here
a statement's text is made once from the model; values still pass through the fields'
own conversions, so that either database is given, and gives, what it would by the ORM.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault

M = TypeVar("M", bound=models.Model)


Field: TypeAlias = "models.Field[Any, Any]"


@functools.cache
def table(model: type[models.Model]) -> str:
    """The model's table, quoted."""
    return connection.ops.quote_name(model._meta.db_table)


@functools.cache
def columns(model: type[models.Model], alias: str) -> str:
    """All columns of the model, for a SELECT that calls its table `alias`."""
    return ", ".join(
        f"{alias}.{_quoted(field)}" for field in model._meta.concrete_fields
    )


def width(model: type[models.Model]) -> int:
    """How many values `columns` yields."""
    return len(model._meta.concrete_fields)


def instance(model: type[M], values: Sequence[Any]) -> M:
    """The instance whose row, read by `columns`, this is."""
    names, conversions = _reading(model, connection.vendor)
    return model.from_db(connection.alias, names, _converted_row(values, conversions))


def selected(**models: type[models.Model]) -> str:
    """All columns of several models, each named by the alias of its table."""
    return ", ".join(columns(model, alias) for alias, model in models.items())


def instances(values: Sequence[Any], *models: type[models.Model]) -> list[Any]:
    """
    An instance of each model, from one row of their `selected` columns.

    None where an outer join found nothing for the model. What stands after the columns
    is left alone.
    """
    found: list[Any] = []
    begin = 0
    for model in models:
        end = begin + width(model)
        key = begin + _key_position(model)
        is_there = values[key] is not None
        found.append(instance(model, values[begin:end]) if is_there else None)
        begin = end
    return found


def joined(
    statement: str, parameters: Sequence[Any], *models: type[models.Model]
) -> list[list[Any]]:
    """The `instances` of each row that a SELECT of `selected` columns finds."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [instances(row, *models) for row in cursor.fetchall()]


@functools.cache
def _key_position(model: type[models.Model]) -> int:
    fields = model._meta.concrete_fields
    return next(number for number, field in enumerate(fields) if field.primary_key)


def first(model: type[M], condition: str, parameters: Sequence[Any]) -> M | None:
    """The row `r` that meets the SQL condition, which is about a unique key."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns(model, 'r')} FROM {table(model)} r WHERE {condition}",
            parameters,
        )
        found = cursor.fetchone()
    return None if found is None else instance(model, found)


def having(model: type[M], column: str, values: Iterable[Any]) -> list[M]:
    """The rows whose `column` has one of these values, in no order."""
    values = list(values)
    if not values:
        return []
    statement = f"""
        SELECT {columns(model, "r")} FROM {table(model)} r
        WHERE r.{column} IN ({marks(values)})
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [instance(model, row) for row in cursor.fetchall()]


def marks(values: Collection[Any]) -> str:
    """The placeholders of these values, for what stands behind an IN."""
    return ", ".join(["%s"] * len(values))


def fetch(
    model: type[models.Model],
    names: Sequence[str],
    statement: str,
    parameters: Sequence[Any],
) -> list[Sequence[Any]]:
    """
    All that a SELECT finds, whose last columns are these fields of the model.

    What stands before them is given as the database gives it.
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[Sequence[Any]] = cursor.fetchall()
    by_name = {field.name: field for field in model._meta.concrete_fields}
    conversions = [
        # Counted from the end: all columns of the model come last.
        (position - len(names), converters, by_name[name].cached_col)
        for position, name in enumerate(names)
        if (converters := _converters(by_name[name]))
    ]
    return [_converted_row(row, conversions) for row in found] if conversions else found


def converted(field: Field, value: Any) -> Any:
    """A value of one column of that kind, as the ORM would give it."""
    for convert in _converters(field):
        value = convert(value, field.cached_col, connection)
    return value


def insert(
    row: models.Model,
    *,
    suffix: str = "",
    expressions: Mapping[str, tuple[str, Sequence[Any]]] | None = None,
) -> int | None:
    """
    Insert `row` and return its new id.

    `expressions` gives attributes an SQL expression with parameters. With a `suffix`
    that lets the database leave the row out (ON CONFLICT DO NOTHING), None says it did.
    """
    given = expressions or {}
    columns: list[str] = []
    texts: list[str] = []
    parameters: list[Any] = []
    for attribute, column, is_plain, prepared in _written(type(row)):
        text = "%s"
        if attribute in given:
            text, values = given[attribute]
            parameters.extend(values)
        else:
            value = getattr(row, attribute)
            if isinstance(value, DatabaseDefault):
                continue
            if not (is_plain and type(value) in _PLAIN):
                value = prepared(value, connection)
            parameters.append(value)
        columns.append(column)
        texts.append(text)
    statement = _insertion(type(row), tuple(columns), tuple(texts), suffix)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = cursor.fetchone()
    return None if found is None else int(found[0])


# What goes to either database as it is, from a field of a kind that has no say in it.
_PLAIN = frozenset({int, str, bool, type(None)})
_PLAIN_FIELDS = (
    models.BooleanField,
    models.CharField,
    models.ForeignKey,
    models.IntegerField,
    models.TextField,
)


@functools.cache
def _written(
    model: type[models.Model],
) -> list[tuple[str, str, bool, Callable[[Any, Any], Any]]]:
    """Attribute, column, whether that is a plain field, and its own conversion."""
    return [
        (
            field.attname,
            _quoted(field),
            isinstance(field, _PLAIN_FIELDS),
            field.get_db_prep_save,
        )
        for field in model._meta.concrete_fields
        if not field.primary_key
    ]


@functools.cache
def _insertion(
    model: type[models.Model],
    columns: tuple[str, ...],
    texts: tuple[str, ...],
    suffix: str,
) -> str:
    return (
        f"INSERT INTO {table(model)} ({', '.join(columns)}) "
        f"VALUES ({', '.join(texts)}) {suffix} RETURNING id"
    )


@functools.cache
def _reading(model: type[models.Model], vendor: str) -> tuple[list[str], list[Any]]:
    """The attributes in the order of the columns, and the conversions of some."""
    fields = model._meta.concrete_fields
    return (
        [field.attname for field in fields],
        [
            (position, converters, field.cached_col)
            for position, field in enumerate(fields)
            if (converters := _converters(field))
        ],
    )


def _converted_row(values: Sequence[Any], conversions: Sequence[Any]) -> list[Any]:
    """The row, with what some of its columns hold made what the ORM would give."""
    row = list(values)
    for position, converters, column in conversions:
        for convert in converters:
            row[position] = convert(row[position], column, connection)
    return row


def _converters(field: Field) -> list[Any]:
    column = field.cached_col
    return [
        *connection.ops.get_db_converters(column),
        *field.get_db_converters(connection),
    ]


def _quoted(field: Field) -> str:
    assert field.column is not None, "a concrete field has a column"
    return connection.ops.quote_name(field.column)
