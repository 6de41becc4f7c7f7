"""What was done to the marks of a class session, and what of it can be undone."""

import re

import pytest

from tests.cast import API, client_for, session_path
from tests.pages import browser_of, live_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def operations(class_session, teacher_client):
    def operations(query=""):
        path = session_path(class_session, f"operations/{query}")
        answer = teacher_client.get(path)
        assert answer.status_code == 200
        return answer.json()

    return operations


@pytest.fixture
def do(class_session, teacher_client):
    def do(tail, **body):
        answer = teacher_client.post(session_path(class_session, tail), body)
        assert answer.status_code == 200
        return answer

    return do


def test_it_works(
    operations, do, class_session, student, teacher, student_client, teacher_client
):
    body = {"verification_code": class_session.verification_code}
    student_client.post(f"{API}/check-ins/code/", body)
    override = do("override/", student_id=student.pk, status="late", reason="bus")
    bulk = do("bulk/", operation="mark_excused", reason="trip")
    undo = do("undo/", operation_id=bulk["Operation-Id"])
    do("close/")

    listed = operations()
    assert listed["count"] == 4
    assert [
        (entry["event"], entry["student_count"], entry["student_name"])
        for entry in listed["results"]
    ] == [
        ("auto_close", 1, "Bela Bartok"),
        ("undo", 2, None),
        ("bulk", 2, None),
        ("override", 1, "Ada Lovelace"),
    ]
    closing, undone, marked, first = listed["results"]
    assert [entry["is_undoable"] for entry in listed["results"]] == [
        False,
        True,
        False,
        # What came after it has been undone.
        True,
    ]
    assert undone["operation_id"] == undo["Operation-Id"]
    assert marked["operation_id"] == bulk["Operation-Id"]
    assert first.pop("timestamp")
    assert first == {
        "operation_id": override["Operation-Id"],
        "revision": 3,
        "event": "override",
        "actor": {"id": teacher.pk, "name": "Tilda Owner"},
        "new_status": "late",
        "reason": "bus",
        "student_count": 1,
        "student_name": "Ada Lovelace",
        "is_undoable": True,
    }
    assert (closing["new_status"], marked["new_status"]) == ("absent", "excused")
    assert undone["new_status"] is None


def test_the_live_page_lists_the_latest_of_them(
    operations, do, class_session, student, teacher
):
    for number in range(20):
        do("override/", student_id=student.pk, status="late", reason=f"{number}")
    do("bulk/", operation="mark_excused", reason="trip")
    page = browser_of(teacher).get(live_page(class_session)).content.decode()
    _, _, listed = page.partition('<ol id="operations">')
    times = re.findall(r'<time datetime="([^"]+)"', listed)
    undoable = re.findall(r'name="operation_id" value="([^"]+)"', listed)
    latest = operations("?page_size=20")["results"]
    assert times == [entry["timestamp"] for entry in latest]
    assert undoable == [e["operation_id"] for e in latest if e["is_undoable"]]


def test_they_come_in_pages(operations, do, student):
    for number in range(3):
        do("override/", student_id=student.pk, status="late", reason=f"{number}")
    page = operations("?page_size=2")
    assert (page["count"], len(page["results"])) == (3, 2)
    assert [entry["is_undoable"] for entry in page["results"]] == [True, False]


def test_there_are_none_at_first(operations):
    assert operations()["results"] == []


def test_a_teacher_cannot_undo_an_administrators(
    operations, class_session, student, admin
):
    body = {"student_id": student.pk, "status": "late", "reason": "x"}
    client_for(admin).post(session_path(class_session, "override/"), body)
    (entry,) = operations()["results"]
    assert entry["is_undoable"] is False
