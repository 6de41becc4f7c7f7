"""Reads: who may see what, rosters, snapshots, messages, history."""

from attendance.selectors.access import (
    Access,
    can_teach,
    class_session_for_teacher,
    class_sessions_taught,
    course_access,
    course_for_owner,
    course_for_teacher,
    courses_taught,
    courses_visible,
    record_for_history,
    records_visible,
)
from attendance.selectors.conflicts import (
    beside_messages,
    conflict_of,
    newest_overruled,
    open_conflicts,
    overruled_marks,
)
from attendance.selectors.histories import (
    history,
)
from attendance.selectors.operations import (
    edit_window_end,
    operations,
    same_marks,
    versions_left_by,
)
from attendance.selectors.rosters import (
    active_enrollments,
    class_session_payloads,
    counts_of,
    is_enrolled,
    name_order,
    roster,
    roster_student_ids,
)
from attendance.selectors.streams import (
    EVENTS_PER_PAGE,
    STUDENT_SNAPSHOT_RECORDS,
    current_revision,
    messages_after,
    newest_records_of,
    own_messages,
    roster_changed_unsaid,
    snapshot,
)

__all__ = [
    "Access",
    "EVENTS_PER_PAGE",
    "STUDENT_SNAPSHOT_RECORDS",
    "active_enrollments",
    "beside_messages",
    "can_teach",
    "class_session_for_teacher",
    "class_session_payloads",
    "class_sessions_taught",
    "conflict_of",
    "counts_of",
    "course_access",
    "course_for_owner",
    "course_for_teacher",
    "courses_taught",
    "courses_visible",
    "current_revision",
    "edit_window_end",
    "history",
    "is_enrolled",
    "messages_after",
    "name_order",
    "newest_overruled",
    "newest_records_of",
    "open_conflicts",
    "operations",
    "overruled_marks",
    "roster_changed_unsaid",
    "own_messages",
    "record_for_history",
    "records_visible",
    "roster",
    "roster_student_ids",
    "same_marks",
    "snapshot",
    "versions_left_by",
]
