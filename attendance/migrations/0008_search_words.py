from django.db import migrations

# What attendance/selectors/search.py asks for, word for word: for anything else, were
# it only without COALESCE, PostgreSQL would not use the index.
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~–—‘’‚“”„«»…·•¿¡"  # noqa: RUF001
TABLES = {
    "user_plain_words": ("attendance_user", ("name", "username", "email")),
    "course_plain_words": ("attendance_course", ("name", "code")),
    "class_session_plain_words": ("attendance_classsession", ("title",)),
}
# Those of 0007. The release before this one goes on without them, only slower.
REPLACED = {
    "user_words": ("attendance_user", ("name", "username", "email")),
    "course_words": ("attendance_course", ("name", "code")),
    "class_session_words": ("attendance_classsession", ("title",)),
}


def as_it_is(field):
    return f"COALESCE({field}, '')"


def plain(field):
    """With blanks for punctuation."""
    marks = PUNCTUATION.replace("'", "''")
    return f"COALESCE(translate({field}, '{marks}', '{' ' * len(PUNCTUATION)}'), '')"


def make(schema_editor, tables, text_of):
    for name, (table, fields) in tables.items():
        # One that was broken off is there, but invalid; it is made anew.
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        text = " || ' ' || ".join(map(text_of, fields))
        schema_editor.execute(
            f"CREATE INDEX CONCURRENTLY {name} ON {table} "
            f"USING gin (to_tsvector('simple'::regconfig, {text}))",
            # An empty list of them would make a parameter of the percent sign.
            params=None,
        )


def drop(schema_editor, tables):
    for name in tables:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def forwards(apps, schema_editor):
    """On PostgreSQL; SQLite looks at every row of the few that it has."""
    if schema_editor.connection.vendor == "postgresql":
        make(schema_editor, TABLES, plain)
        drop(schema_editor, REPLACED)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        make(schema_editor, REPLACED, as_it_is)
        drop(schema_editor, TABLES)


class Migration(migrations.Migration):
    """Searching without regard to punctuation; nobody waits for the indexes."""

    # CONCURRENTLY is refused inside a transaction.
    atomic = False

    dependencies = [("attendance", "0007_search_and_lists")]

    operations = [migrations.RunPython(forwards, backwards)]
