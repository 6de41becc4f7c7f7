"""Frames: what messages carry, what clients may send, what is malformed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance.models import ClassSession, User
from attendance.services.check_in import check_in_by_code
from attendance.services.class_sessions import (
    close_class_session,
    reopen_class_session,
)
from attendance.services.marking import mark_in_bulk, override_status
from tests.live import open_stream, session_path
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)

JOINED = {
    *("student_id", "student_name", "class_session_id", "class_name"),
    *("attendance_status", "check_in_time", "is_late", "late_minutes"),
    *("verification_method", "is_manual_override", "override_reason", "timestamp"),
    *("id", "version", "notes", "old_status"),
}
BULK = {
    *("event", "operation", "operation_id", "processed_count", "unchanged_count"),
    *("failed_count", "reason", "updated_by", "records"),
}
ENVELOPE = {"type", "revision", "class_session_id", "timestamp", "data"}


def check_in(class_session: ClassSession, student: User) -> None:
    check_in_by_code(student=student, code=class_session.verification_code or "")


def test_it_works(
    site: SiteServer,
    teacher: User,
    student: User,
    student2: User,
    class_session: ClassSession,
) -> None:
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        stream.next()
        check_in(class_session, student)
        joined = stream.next()
        override_status(
            class_session=class_session,
            actor=teacher,
            student_id=student.pk,
            status="excused",
            reason="ill",
        )
        override = stream.next()
        mark_in_bulk(
            class_session=class_session,
            actor=teacher,
            operation="mark_late",
            reason="storm",
        )
        bulk = stream.next()

    assert all(set(frame) == ENVELOPE for frame in (joined, override, bulk))
    assert joined["type"] == "student_joined"
    assert set(joined["data"]) == JOINED
    assert joined["data"]["old_status"] == "unmarked"
    assert joined["data"]["attendance_status"] == "present"
    assert joined["data"]["timestamp"] == joined["timestamp"]

    who = {"id": teacher.pk, "name": teacher.name}
    assert override["type"] == "attendance_update"
    extra = {"event", "new_status", "reason", "updated_by"}
    assert set(override["data"]) == JOINED | extra
    assert override["data"]["event"] == "override"
    assert override["data"]["old_status"] == "present"
    assert override["data"]["new_status"] == "excused"
    assert override["data"]["reason"] == "ill"
    assert override["data"]["updated_by"] == who
    assert override["data"]["check_in_time"] == joined["data"]["check_in_time"]

    assert bulk["type"] == "attendance_update"
    assert set(bulk["data"]) == BULK
    assert bulk["data"]["event"] == "bulk"
    assert bulk["data"]["operation"] == "mark_late"
    assert bulk["data"]["processed_count"] == 2
    assert all(set(record) == JOINED for record in bulk["data"]["records"])
    assert {r["student_id"]: r["old_status"] for r in bulk["data"]["records"]} == {
        student.pk: "excused",
        student2.pk: "unmarked",
    }


def test_closing_reports_the_absent_and_then_the_closing(
    site: SiteServer,
    teacher: User,
    student: User,
    student2: User,
    class_session: ClassSession,
) -> None:
    check_in(class_session, student)
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        stream.next()
        close_class_session(class_session=class_session, actor=teacher)
        absent, closed = stream.next(), stream.next()
        reopen_class_session(class_session=class_session, actor=teacher)
        reopened, snapshot = stream.next(), stream.next()

    assert absent["data"] | {"operation_id": None, "records": None} == {
        "event": "auto_close",
        "operation": "mark_absent",
        "operation_id": None,
        "processed_count": 1,
        "unchanged_count": 0,
        "failed_count": 0,
        "reason": "closed",
        "updated_by": {"id": teacher.pk, "name": teacher.name},
        "records": None,
    }
    (record,) = absent["data"]["records"]
    assert record["student_id"] == student2.pk
    assert record["verification_method"] == "auto_close"
    assert closed["data"]["event"] == "closed"
    assert closed["data"]["class_session"]["state"] == "closed"
    assert closed["data"]["class_session"]["revision"] == closed["revision"]
    assert closed["data"]["class_session"]["counts"]["absent"] == 1
    assert reopened["data"]["event"] == "reopened"
    assert snapshot["type"] == "snapshot"
    assert snapshot["revision"] == reopened["revision"]


def test_resync_and_ping(
    site: SiteServer,
    teacher: User,
    student: User,
    student2: User,
    class_session: ClassSession,
) -> None:
    check_in(class_session, student)
    check_in(class_session, student2)
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        stream.next()
        stream.send({"type": "ping"})
        assert stream.receive() == {"type": "heartbeat", "revision": 3}
        stream.send({"type": "resync", "after": 1})
        assert [stream.next()["revision"] for _ in range(2)] == [2, 3]
        stream.send({"type": "resync", "after": 2})
        assert stream.next()["revision"] == 3
        stream.send({"type": "resync", "after": 3})
        for after in (4, 10**30):
            stream.send({"type": "resync", "after": after})
            ahead = stream.next()
            assert (ahead["type"], ahead["revision"]) == ("snapshot", 3)


@pytest.mark.parametrize(
    "frame",
    [
        b"\x00\xff",
        b'{"type": "ping"}',
        "",
        "nonsense",
        "[]",
        "null",
        "1",
        '{"type": "unknown"}',
        '{"type": null}',
        '{"type": ["ping"]}',
        '{"type": "resync"}',
        '{"type": "resync", "after": null}',
        '{"type": "resync", "after": "1"}',
        '{"type": "resync", "after": 1.0}',
        '{"type": "resync", "after": true}',
        '{"type": "resync", "after": -1}',
        "[" * 10_000,
        "9" * 10_000,
    ],
)
def test_a_malformed_frame_is_answered_and_the_connection_stays(
    site: SiteServer, teacher: User, class_session: ClassSession, frame: str | bytes
) -> None:
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        stream.next()
        stream.send(frame)
        answer = stream.next()
        assert (answer["type"], answer["code"]) == ("error", "malformed")
        assert answer["detail"]
        stream.send({"type": "ping"})
        assert stream.heartbeat()["revision"] == 1


def test_a_frame_over_16_kib_closes_the_connection(
    site: SiteServer, teacher: User, class_session: ClassSession
) -> None:
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        stream.next()
        stream.send("x" * (16 * 1024))
        assert stream.next()["code"] == "malformed"
        stream.send("x" * (16 * 1024 + 1))
        assert stream.close_code() == 1009


_json: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "after", "x"]) | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def test_no_frame_breaks_the_stream(
    site: SiteServer, teacher: User, class_session: ClassSession
) -> None:
    with open_stream(site, session_path(class_session), user=teacher) as stream:
        stream.next()

        @settings(
            max_examples=80,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(frame=st.text(max_size=200) | st.binary(max_size=200) | _json)
        def drive(frame: Any) -> None:
            try:
                stream.send(frame)
            except UnicodeEncodeError:
                return  # a lone surrogate cannot even be put on the wire
            stream.send({"type": "ping"})
            assert stream.heartbeat()["revision"] == 1

        drive()
    assert "Traceback" not in site.log
