from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

# What attendance/selectors/search.py asks for, word for word: for anything else, were
# it only without COALESCE, PostgreSQL would not use the index.
SEARCH_INDEXES = {
    "user_words": (
        "attendance_user",
        "COALESCE(name, '') || ' ' || COALESCE(username, '') || ' ' || COALESCE(email, '')",
    ),
    "course_words": (
        "attendance_course",
        "COALESCE(name, '') || ' ' || COALESCE(code, '')",
    ),
    "class_session_words": ("attendance_classsession", "COALESCE(title, '')"),
}


def drop(schema_editor, name):
    """One that was broken off is there, but invalid; it is made anew."""
    schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def add_search_indexes(apps, schema_editor):
    """On PostgreSQL; SQLite looks at every row of the few that it has."""
    if schema_editor.connection.vendor == "postgresql":
        for name, (table, text) in SEARCH_INDEXES.items():
            drop(schema_editor, name)
            schema_editor.execute(
                f"CREATE INDEX CONCURRENTLY {name} ON {table} "
                f"USING gin (to_tsvector('simple'::regconfig, {text}))"
            )


def remove_search_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in SEARCH_INDEXES:
            drop(schema_editor, name)


class AddIndex(AddIndexConcurrently):
    """Concurrently where that can be had: on SQLite nobody else writes anyway."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            drop(schema_editor, self.index.name)
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(
                self, app_label, schema_editor, from_state, to_state
            )

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(
                self, app_label, schema_editor, from_state, to_state
            )


class Migration(migrations.Migration):
    """Indexes for searching and for lists; nobody waits while they are made."""

    # CONCURRENTLY is refused inside a transaction.
    atomic = False

    dependencies = [("attendance", "0006_people_manager")]

    operations = [
        migrations.RunPython(add_search_indexes, remove_search_indexes),
        AddIndex(
            model_name="attendanceevent",
            index=models.Index(
                fields=["type", "-id"],
                condition=~Q(type="student_joined"),
                name="event_of_rare_type",
            ),
        ),
    ]
