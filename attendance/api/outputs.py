"""
The shapes of the answers, for the OpenAPI document.

The answers themselves are built in `attendance.payloads`, where the live stream takes
them from too; a test holds the two against each other.
"""

from __future__ import annotations

from rest_framework import serializers

from attendance.models import (
    RECORD_STATUSES,
    Role,
    Source,
    State,
    Status,
    VerificationMethod,
)
from attendance.services.marking import OPERATIONS

ROSTER_STATUSES = RECORD_STATUSES


class Output(serializers.Serializer[None]):
    """A response's body."""


class TokenOutput(Output):
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()


class PersonOutput(Output):
    id = serializers.IntegerField()
    name = serializers.CharField()


class RecordOutput(Output):
    id = serializers.IntegerField(allow_null=True)
    student_id = serializers.IntegerField()
    student_name = serializers.CharField()
    class_session_id = serializers.IntegerField()
    class_name = serializers.CharField()
    attendance_status = serializers.ChoiceField(choices=ROSTER_STATUSES)
    check_in_time = serializers.DateTimeField(allow_null=True)
    is_late = serializers.BooleanField()
    late_minutes = serializers.IntegerField()
    verification_method = serializers.ChoiceField(
        choices=VerificationMethod.choices, allow_null=True
    )
    is_manual_override = serializers.BooleanField()
    override_reason = serializers.CharField(allow_null=True)
    notes = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()


class CountsOutput(Output):
    enrolled = serializers.IntegerField()
    unmarked = serializers.IntegerField()
    present = serializers.IntegerField()
    late = serializers.IntegerField()
    absent = serializers.IntegerField()
    excused = serializers.IntegerField()


class ClassSessionOutput(Output):
    id = serializers.IntegerField()
    course_id = serializers.IntegerField()
    class_name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    location = serializers.CharField(allow_blank=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=State.choices)
    grace_minutes = serializers.IntegerField()
    early_minutes = serializers.IntegerField()
    allow_late_check_in = serializers.BooleanField()
    late_cutoff_minutes = serializers.IntegerField(allow_null=True)
    verification_code = serializers.CharField(allow_null=True)
    revision = serializers.IntegerField()
    counts = CountsOutput()


class CodeOutput(Output):
    verification_code = serializers.CharField()


class QROutput(Output):
    token = serializers.CharField()
    url = serializers.URLField()
    svg = serializers.CharField()
    verification_code = serializers.CharField()
    valid_until = serializers.DateTimeField(allow_null=True)
    rotates_every_seconds = serializers.IntegerField(allow_null=True)


class SnapshotOutput(Output):
    type = serializers.ChoiceField(choices=["snapshot"])
    revision = serializers.IntegerField()
    class_session = ClassSessionOutput()
    records = RecordOutput(many=True)


class MessageOutput(Output):
    type = serializers.CharField()
    revision = serializers.IntegerField()
    class_session_id = serializers.IntegerField()
    timestamp = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]


class EventsOutput(Output):
    revision = serializers.IntegerField()
    events = MessageOutput(many=True)
    has_more = serializers.BooleanField()
    conflicts = serializers.IntegerField(
        required=False,
        help_text="Grows whenever a mark is overruled: look up the conflicts then. "
        "Absent while none ever was.",
    )


class FailedStudentOutput(Output):
    student_id = serializers.IntegerField()
    code = serializers.ChoiceField(
        choices=["not_on_roster", "version_conflict", "overruled"]
    )
    detail = serializers.CharField()
    record = RecordOutput(
        required=False, help_text="The current Record; not with `not_on_roster`."
    )


class BulkOutput(Output):
    operation_id = serializers.UUIDField()
    operation = serializers.ChoiceField(choices=sorted(OPERATIONS))
    processed_count = serializers.IntegerField()
    unchanged_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    failed_students = FailedStudentOutput(many=True)
    records = RecordOutput(many=True)


class UndoOutput(Output):
    operation_id = serializers.UUIDField(
        allow_null=True, help_text="Names the undo; null when nothing was restored."
    )
    undone_operation_id = serializers.UUIDField()
    restored_count = serializers.IntegerField()
    not_restored_count = serializers.IntegerField()
    restored = RecordOutput(many=True)
    not_restored = FailedStudentOutput(many=True)


class OperationOutput(Output):
    operation_id = serializers.UUIDField()
    revision = serializers.IntegerField()
    timestamp = serializers.DateTimeField()
    event = serializers.ChoiceField(choices=["override", "bulk", "auto_close", "undo"])
    actor = PersonOutput(allow_null=True)
    new_status = serializers.ChoiceField(
        choices=ROSTER_STATUSES, allow_null=True, help_text="Null for an undo of many."
    )
    reason = serializers.CharField()
    student_count = serializers.IntegerField()
    student_name = serializers.CharField(
        allow_null=True, help_text="Where it is about one student."
    )
    is_undoable = serializers.BooleanField(
        help_text="Whether an undo would restore at least one record now."
    )


class StandingMarkOutput(Output):
    attendance_status = serializers.ChoiceField(choices=Status.choices)
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=Source.choices
    )
    reason = serializers.CharField(allow_null=True)


class OverruledMarkOutput(StandingMarkOutput):
    verification_method = serializers.ChoiceField(choices=VerificationMethod.choices)
    actor = PersonOutput()
    timestamp = serializers.DateTimeField()


class ConflictOutput(Output):
    student_id = serializers.IntegerField()
    version = serializers.IntegerField(
        help_text="Of the record: a later one means that the conflict is over."
    )
    standing = StandingMarkOutput()
    overruled = OverruledMarkOutput()


class CheckInOutput(Output):
    already_checked_in = serializers.BooleanField()
    message = serializers.CharField()
    record = RecordOutput()


class ChangeOutput(Output):
    revision = serializers.IntegerField()
    timestamp = serializers.DateTimeField()
    actor = PersonOutput(allow_null=True)
    old_status = serializers.ChoiceField(choices=ROSTER_STATUSES)
    new_status = serializers.ChoiceField(choices=ROSTER_STATUSES)
    reason = serializers.CharField(allow_null=True)
    verification_method = serializers.ChoiceField(
        choices=VerificationMethod.choices, allow_null=True
    )


class CourseOutput(Output):
    id = serializers.IntegerField()
    name = serializers.CharField()
    code = serializers.CharField(allow_blank=True)
    time_zone = serializers.CharField()
    teacher_ids = serializers.ListField(
        child=serializers.IntegerField(),
        required=False,
        help_text="Only for teachers and administrators.",
    )


class EnrollmentOutput(Output):
    student_id = serializers.IntegerField()
    student_name = serializers.CharField()
    enrolled_at = serializers.DateTimeField()


class TeacherOutput(Output):
    user_id = serializers.IntegerField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)


class ErrorOutput(Output):
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="With `invalid`: what is wrong with each field.",
    )
    record = RecordOutput(
        required=False,
        help_text="With `version_conflict` and `overruled`: the current Record.",
    )
