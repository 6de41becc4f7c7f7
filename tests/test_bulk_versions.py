"""A bulk mark that knows what it has seen overwrites nothing that it has not."""

import pytest

from tests.cast import (
    API,
    assert_refused,
    messages_of,
    session_path,
    snapshot_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def bulk(class_session, teacher_client):
    def bulk(operation="mark_absent", **body):
        return teacher_client.post(
            session_path(class_session, "bulk/"),
            {"operation": operation, "reason": "empty room", **body},
        )

    return bulk


@pytest.fixture
def check_in(class_session, student_client):
    body = {"verification_code": class_session.verification_code}
    return lambda: student_client.post(f"{API}/check-ins/code/", body)


def test_it_works(bulk, check_in, class_session, student, student2, teacher_client):
    """A check-in that lands during the click stands, and is reported."""
    seen = {str(student.pk): 0, str(student2.pk): 0}
    check_in()
    answer = bulk(student_ids=[student.pk, student2.pk], versions=seen)
    assert answer.status_code == 200
    body = answer.json()
    assert [r["student_id"] for r in body["records"]] == [student2.pk]
    assert (
        body["processed_count"],
        body["unchanged_count"],
        body["failed_count"],
    ) == (1, 0, 1)
    (failed,) = body["failed_students"]
    assert failed.pop("detail")
    record = snapshot_of(teacher_client, class_session)["records"][0]
    assert record["attendance_status"] == "present"
    assert failed == {
        "student_id": student.pk,
        "code": "version_conflict",
        "record": record,
    }
    (message,) = messages_of(teacher_client, class_session, after=2)
    assert message["data"]["failed_count"] == 1


def test_for_the_whole_roster_too(bulk, check_in, student, student2):
    check_in()
    body = bulk(versions={str(student.pk): 0, str(student2.pk): 0}).json()
    assert [r["student_id"] for r in body["records"]] == [student2.pk]
    assert body["failed_count"] == 1


def test_versions_that_still_hold(bulk, check_in, student, student2):
    check_in()
    body = bulk(versions={str(student.pk): 1, str(student2.pk): 0}).json()
    assert (body["processed_count"], body["failed_count"]) == (2, 0)


def test_without_a_version_anything_goes(bulk, check_in, student, student2):
    check_in()
    body = bulk(versions={str(student2.pk): 0}).json()
    assert (body["processed_count"], body["failed_count"]) == (2, 0)


def test_whoever_has_the_status_already_is_no_conflict(bulk, check_in, student):
    check_in()
    body = bulk(
        "mark_present", student_ids=[student.pk], versions={str(student.pk): 0}
    ).json()
    assert (body["unchanged_count"], body["failed_count"]) == (1, 0)


def test_a_version_of_somebody_unmarked(
    bulk, class_session, student, student2, teacher_client
):
    """Nobody is marked, and nothing is left behind of the attempt."""
    before = snapshot_of(teacher_client, class_session)
    body = bulk(student_ids=[student.pk], versions={str(student.pk): 3}).json()
    (failed,) = body["failed_students"]
    assert failed["record"]["attendance_status"] == "unmarked"
    assert failed["record"]["id"] is None
    assert snapshot_of(teacher_client, class_session) == before


@pytest.mark.parametrize(
    "versions",
    [None, [], "x", 1, {"x": 1}, {"1": -1}, {"1": True}, {"1": "1"}, {"1": None}],
)
def test_bad_input(versions, bulk):
    answer = bulk(versions=versions)
    assert list(assert_refused(answer, 400, "invalid")["errors"]) == ["versions"]


def test_versions_of_strangers_do_no_harm(bulk, student, student2):
    body = bulk(versions={"0": 5, "999999999999999999": 1}).json()
    assert body["processed_count"] == 2
