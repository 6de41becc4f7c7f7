import pytest

from attendance.models import AttendanceEvent, ClassSession, User
from tests.cast import course_path, make_session, session_path

pytestmark = pytest.mark.django_db


def events(client, class_session, query=""):
    return client.get(session_path(class_session, f"events/{query}"))


@pytest.fixture
def eventful(class_session, student, student2, teacher_client):
    """A class session at revision 6."""
    for tail, body in [
        ("rotate-code/", {}),
        ("override/", {"student_id": student.pk, "status": "late", "reason": "r"}),
        ("override/", {"student_id": student2.pk, "status": "late", "reason": "r"}),
        ("bulk/", {"operation": "mark_present", "reason": "r"}),
        ("close/", {}),
    ]:
        answer = teacher_client.post(session_path(class_session, tail), body)
        assert answer.status_code == 200
    return class_session


def test_all_of_them_in_order(eventful, teacher_client):
    body = events(teacher_client, eventful).json()
    assert set(body) == {"revision", "events", "has_more"}
    assert (body["revision"], body["has_more"]) == (6, False)
    assert [message["revision"] for message in body["events"]] == [1, 2, 3, 4, 5, 6]
    assert [message["type"] for message in body["events"]] == [
        "session_update",
        "session_update",
        "attendance_update",
        "attendance_update",
        "attendance_update",
        "session_update",
    ]
    for message in body["events"]:
        assert set(message) == {
            "type",
            "revision",
            "class_session_id",
            "timestamp",
            "data",
        }
        assert message["class_session_id"] == eventful.pk


def test_those_after_a_revision(eventful, teacher_client):
    everything = events(teacher_client, eventful).json()["events"]
    for after in range(7):
        answer = events(teacher_client, eventful, f"?after={after}")
        assert answer.status_code == 200
        assert answer.json() == {
            "revision": 6,
            "events": everything[after:],
            "has_more": False,
        }


def test_they_are_the_same_each_time(eventful, course, student, teacher_client):
    first = events(teacher_client, eventful).json()["events"]
    teacher_client.patch(session_path(eventful), {"title": "Renamed since"})
    teacher_client.patch(course_path(course), {"name": "Renamed, too"})
    User.objects.filter(pk=student.pk).update(name="Married since")
    again = events(teacher_client, eventful).json()["events"][:6]
    assert events(teacher_client, eventful, "?after=6").json()["revision"] == 7
    assert again == first


@pytest.mark.parametrize("after", ["6", "7", "1000", "9" * 18, "9" * 40, "9" * 5000])
def test_ahead_there_is_nothing(after, eventful, teacher_client):
    answer = events(teacher_client, eventful, f"?after={after}")
    assert answer.status_code == 200
    assert answer.json() == {"revision": 6, "events": [], "has_more": False}


@pytest.mark.parametrize(
    "after",
    ["", "-1", "-0", "1.0", "1e1", "x", "None", "null", "true", "0x1", "1_0"]
    + ["%201", "1%20", "+1", "%2B1", "%D9%A1", "%01", "1%0A", "%FF", "%ED%A0%80"],
)
def test_what_is_no_whole_number_is_invalid(after, eventful, teacher_client):
    answer = events(teacher_client, eventful, f"?after={after}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["errors"]) == ["after"]


def test_a_planned_session_has_none(course, teacher_client):
    planned = make_session(course, open_now=False)
    answer = events(teacher_client, planned)
    assert answer.json() == {"revision": 0, "events": [], "has_more": False}


def test_when_there_are_more_than_fit(class_session, teacher_client):
    # Copies in the database: five hundred changes would take their time.
    first = AttendanceEvent.objects.get(class_session=class_session)
    AttendanceEvent.objects.bulk_create(
        AttendanceEvent(
            class_session=class_session,
            revision=revision,
            type=first.type,
            at=first.at,
            source=first.source,
            data=first.data,
            hash=first.hash,
        )
        for revision in range(2, 1101)
    )
    ClassSession.objects.filter(pk=class_session.pk).update(revision=1100)
    seen = []
    pages = []
    while not pages or pages[-1]["has_more"]:
        after = seen[-1] if seen else 0
        page = events(teacher_client, class_session, f"?after={after}").json()
        assert page["revision"] == 1100
        assert page["events"]
        seen += [message["revision"] for message in page["events"]]
        pages.append(page)
    assert seen == list(range(1, 1101))
    assert len(pages) > 1
