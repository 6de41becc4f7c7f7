import pytest

from attendance.models import CourseTeacher, User
from tests.cast import client_for, course_path

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(course):
    return course_path(course, "teachers/")


def add(client, path, user, role="co_teacher"):
    return client.post(path, {"user_id": user.pk, "role": role})


def roles(client, path):
    results = client.get(path).json()["results"]
    return {row["user_id"]: row["role"] for row in results}


def test_the_list(path, teacher, co_teacher, teacher_client):
    answer = teacher_client.get(path)
    assert answer.status_code == 200
    assert answer.json() == {
        "count": 2,
        "next": None,
        "previous": None,
        "results": [
            {"user_id": teacher.pk, "name": "Tilda Owner", "role": "owner"},
            {"user_id": co_teacher.pk, "name": "Conrad Helper", "role": "co_teacher"},
        ],
    }


@pytest.mark.parametrize("role", ["owner", "co_teacher"])
def test_it_works(role, path, course, other_teacher, teacher_client):
    answer = add(teacher_client, path, other_teacher, role)
    assert answer.status_code == 201
    assert answer.json() == {
        "user_id": other_teacher.pk,
        "name": "Otto Elsewhere",
        "role": role,
    }
    client = client_for(other_teacher)
    assert client.get(course_path(course, "enrollments/")).status_code == 200
    assert client.get(path).status_code == (200 if role == "owner" else 403)


def test_again_changes_nothing(path, co_teacher, teacher_client):
    before = teacher_client.get(path).json()
    assert add(teacher_client, path, co_teacher).status_code == 200
    assert teacher_client.get(path).json() == before


def test_again_of_a_deactivated_teacher_changes_nothing(
    path, co_teacher, teacher_client
):
    User.objects.filter(pk=co_teacher.pk).update(is_active=False)
    before = teacher_client.get(path).json()
    assert add(teacher_client, path, co_teacher).status_code == 200
    assert teacher_client.get(path).json() == before


def test_again_with_another_role_changes_the_role(
    path, teacher, co_teacher, teacher_client
):
    answer = add(teacher_client, path, co_teacher, "owner")
    assert answer.status_code == 200
    assert answer.json()["role"] == "owner"
    answer = add(teacher_client, path, teacher, "co_teacher")
    assert answer.status_code == 200
    assert roles(client_for(co_teacher), path) == {
        teacher.pk: "co_teacher",
        co_teacher.pk: "owner",
    }


def test_the_last_owner_does_not_become_a_co_teacher(path, teacher, teacher_client):
    before = roles(teacher_client, path)
    answer = add(teacher_client, path, teacher, "co_teacher")
    assert answer.status_code == 409
    assert answer.json()["code"] == "last_owner"
    assert roles(teacher_client, path) == before


def test_removing(path, course, co_teacher, teacher, teacher_client):
    answer = teacher_client.delete(f"{path}{co_teacher.pk}/")
    assert answer.status_code == 204
    assert roles(teacher_client, path) == {teacher.pk: "owner"}
    assert client_for(co_teacher).get(course_path(course)).status_code == 404


def test_an_owner_may_leave_when_there_is_another(
    path, teacher, co_teacher, teacher_client
):
    add(teacher_client, path, co_teacher, "owner")
    assert teacher_client.delete(f"{path}{teacher.pk}/").status_code == 204
    assert roles(client_for(co_teacher), path) == {co_teacher.pk: "owner"}


def test_the_last_owner_stays(path, teacher, teacher_client, admin):
    before = roles(teacher_client, path)
    for client in (teacher_client, client_for(admin)):
        answer = client.delete(f"{path}{teacher.pk}/")
        assert answer.status_code == 409
        assert answer.json() == {
            "code": "last_owner",
            "detail": "A course keeps at least one owner. Appoint another one first.",
        }
    assert roles(teacher_client, path) == before


@pytest.mark.parametrize("user_id", ["0", "999999999", "9" * 18, "9" * 30])
def test_removing_who_does_not_teach(user_id, path, teacher_client):
    answer = teacher_client.delete(f"{path}{user_id}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_removing_a_student(path, student, teacher_client):
    answer = teacher_client.delete(f"{path}{student.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"role": "owner"}, "user_id"),
        ({"user_id": None}, "user_id"),
        ({"user_id": "1"}, "user_id"),
        ({"user_id": True}, "user_id"),
        ({"user_id": 1.0}, "user_id"),
        ({"user_id": 0}, "user_id"),
        ({"user_id": 999_999_999}, "user_id"),
        ({"user_id": 10**30}, "user_id"),
        ({"role": None}, "role"),
        ({"role": ""}, "role"),
        ({"role": "Owner"}, "role"),
        ({"role": "student"}, "role"),
        ({"role": ["owner"]}, "role"),
        ({"role": True}, "role"),
    ],
)
def test_what_makes_no_sense_is_invalid(body, wrong, path, outsider, teacher_client):
    before = CourseTeacher.objects.count()
    fine = {"user_id": outsider.pk, "role": "co_teacher"}
    if body == {"role": "owner"}:
        fine = {}
    answer = teacher_client.post(path, {**fine, **body})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["errors"]) == [wrong]
    assert CourseTeacher.objects.count() == before


def test_the_role_is_needed(path, outsider, teacher_client):
    answer = teacher_client.post(path, {"user_id": outsider.pk})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["role"]
