from itertools import islice
from uuid import UUID

from django.db import migrations

from attendance.sealing import GENESIS, chained, content_digest

BATCH = 500
STUDENTS_OWN = ("qr_code", "verification_code")


def _source(event):
    if event.type == "student_joined":
        return "student"
    if event.data.get("event") == "auto_close":
        return "automatic"
    staff = event.actor is not None and event.actor.is_staff
    return "administrator" if staff else "teacher"


def seal_events(apps, schema_editor):
    """Say as whom each event was done, and chain them."""
    events = apps.get_model("attendance", "AttendanceEvent").objects
    ordered = iter(
        events.select_related("actor")
        .order_by("class_session_id", "revision")
        .iterator(chunk_size=BATCH)
    )
    class_session_id, previous = None, GENESIS
    while batch := list(islice(ordered, BATCH)):
        for event in batch:
            if event.class_session_id != class_session_id:
                class_session_id, previous = event.class_session_id, GENESIS
            event.source = _source(event)
            if "operation_id" in event.data:
                event.operation_id = UUID(event.data["operation_id"])
            event.hash = previous = chained(previous, content_digest(event))
        events.bulk_update(batch, ["source", "operation_id", "hash"], BATCH)


def fill_record_sources(apps, schema_editor):
    """Say whom each record's mark comes from."""
    records = apps.get_model("attendance", "AttendanceRecord").objects
    events = apps.get_model("attendance", "AttendanceEvent").objects
    records.filter(verification_method__in=STUDENTS_OWN).update(source="student")
    by_hand = records.filter(verification_method="teacher_override")
    by_hand.update(source="teacher")
    marked_by_staff = events.filter(
        source="administrator", type="attendance_update"
    ).order_by("class_session_id", "revision")
    for event in marked_by_staff.iterator(chunk_size=BATCH):
        # Whoever marked the version that still stands: later ones come later.
        for changed in event.data.get("records", (event.data,)):
            by_hand.filter(pk=changed["id"], version=changed["version"]).update(
                source="administrator"
            )


def refuse_to_forget(apps, schema_editor):
    """Backwards only while nothing would be lost that the history leans on."""
    undone = apps.get_model("attendance", "AttendanceEvent").objects.filter(
        data__event="undo"
    )
    overruled = apps.get_model("attendance", "OverruledMark").objects
    if undone.exists() or overruled.exists():
        raise RuntimeError(
            "The history holds undone operations or overruled marks, which the "
            "earlier version cannot keep. Restore a backup instead."
        )


class Migration(migrations.Migration):
    """What happened before, as if it had been written down so."""

    dependencies = [("attendance", "0002_history_columns")]

    operations = [
        migrations.RunPython(seal_events, refuse_to_forget),
        migrations.RunPython(fill_record_sources, migrations.RunPython.noop),
    ]
