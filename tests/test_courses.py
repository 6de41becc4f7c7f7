import pytest

from tests.cast import API, client_for, course_path, make_course, session_of

pytestmark = pytest.mark.django_db
PATH = f"{API}/courses/"


def test_creating(teacher, teacher_client):
    body = {"name": "Physics", "code": "PH-1", "time_zone": "Europe/Berlin"}
    answer = teacher_client.post(PATH, body)
    assert answer.status_code == 201
    assert answer.json() == {
        "id": answer.json()["id"],
        "name": "Physics",
        "code": "PH-1",
        "time_zone": "Europe/Berlin",
        "teacher_ids": [teacher.pk],
    }
    course_id = answer.json()["id"]
    assert teacher_client.get(f"{PATH}{course_id}/").json() == answer.json()
    teachers = teacher_client.get(f"{PATH}{course_id}/teachers/").json()["results"]
    assert teachers == [{"user_id": teacher.pk, "name": "Tilda Owner", "role": "owner"}]


def test_code_and_time_zone_have_defaults(teacher_client):
    body = teacher_client.post(PATH, {"name": "Physics"}).json()
    assert (body["code"], body["time_zone"]) == ("", "UTC")


def test_the_actor_becomes_the_owner_whatever_is_sent(
    teacher, other_teacher, teacher_client
):
    body = {"name": "Physics", "teacher_ids": [other_teacher.pk], "id": 1}
    answer = teacher_client.post(PATH, body)
    assert answer.status_code == 201
    assert answer.json()["teacher_ids"] == [teacher.pk]


@pytest.mark.parametrize("who", ["co_teacher", "student", "outsider"])
def test_creating_needs_the_permission(who, course, request):
    client = client_for(request.getfixturevalue(who))
    before = client.get(PATH).json()
    answer = client.post(PATH, {"name": "Physics"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "permission_denied"
    assert client.get(PATH).json() == before


def test_teachers_see_all_of_a_course(course, teacher, co_teacher):
    expected = {
        "id": course.pk,
        "name": "Math 101",
        "code": "",
        "time_zone": "UTC",
        "teacher_ids": sorted([teacher.pk, co_teacher.pk]),
    }
    for person in (teacher, co_teacher):
        client = client_for(person)
        assert client.get(course_path(course)).json() == expected
        assert client.get(PATH).json() == {
            "count": 1,
            "next": None,
            "previous": None,
            "results": [expected],
        }


def test_students_see_less(course, student_client):
    expected = {"id": course.pk, "name": "Math 101", "code": "", "time_zone": "UTC"}
    assert student_client.get(course_path(course)).json() == expected
    assert student_client.get(PATH).json()["results"] == [expected]


def test_who_teaches_one_and_takes_another_sees_each_as_such(
    course, student, student_client
):
    own = make_course(student, "Chess")
    rows = {row["id"]: row for row in student_client.get(PATH).json()["results"]}
    assert "teacher_ids" not in rows[course.pk]
    assert rows[own.pk]["teacher_ids"] == [student.pk]


def test_the_list_is_empty_for_who_has_none(course, outsider):
    answer = client_for(outsider).get(PATH)
    assert answer.status_code == 200
    assert answer.json() == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
    }


def test_administrators_see_all(course, other_course, admin):
    rows = client_for(admin).get(PATH).json()["results"]
    assert {row["id"] for row in rows} == {course.pk, other_course.pk}
    assert all("teacher_ids" in row for row in rows)


def test_editing(course, teacher_client):
    before = teacher_client.get(course_path(course)).json()
    fields = {"name": "Algebra", "code": "A-1", "time_zone": "Asia/Tokyo"}
    answer = teacher_client.patch(course_path(course), fields)
    assert answer.status_code == 200
    assert answer.json() == {**before, **fields}
    answer = teacher_client.patch(course_path(course), {"code": ""})
    assert answer.json() == {**before, **fields, "code": ""}
    assert teacher_client.get(course_path(course)).json() == answer.json()


def test_editing_ignores_what_is_read_only(course, other_teacher, teacher_client):
    before = teacher_client.get(course_path(course)).json()
    body = {"id": 1, "teacher_ids": [other_teacher.pk], "no_such_field": 1}
    answer = teacher_client.patch(course_path(course), body)
    assert answer.status_code == 200
    assert answer.json() == before


def test_editing_a_course_is_no_message_of_its_sessions(
    course, class_session, teacher_client
):
    before = session_of(teacher_client, class_session)
    teacher_client.patch(course_path(course), {"code": "M"})
    assert session_of(teacher_client, class_session) == before


WRONG = [
    ({"name": ""}, "name"),
    ({"name": "   "}, "name"),
    ({"name": None}, "name"),
    ({"name": 5}, "name"),
    ({"name": True}, "name"),
    ({"name": ["Physics"]}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"name": "a\0b"}, "name"),
    ({"code": None}, "code"),
    ({"code": 5}, "code"),
    ({"code": "x" * 41}, "code"),
    ({"time_zone": ""}, "time_zone"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"time_zone": "localtime"}, "time_zone"),
    ({"time_zone": "Factory"}, "time_zone"),
    ({"time_zone": "+01:00"}, "time_zone"),
    ({"time_zone": "../../etc/passwd"}, "time_zone"),
    ({"time_zone": "europe/berlin\0"}, "time_zone"),
    ({"time_zone": 1}, "time_zone"),
]


@pytest.mark.parametrize(("body", "wrong"), WRONG)
def test_what_makes_no_sense_is_invalid(body, wrong, course, teacher_client):
    before = teacher_client.get(PATH).json()
    for answer in (
        teacher_client.post(PATH, {"name": "Physics", **body}),
        teacher_client.patch(course_path(course), body),
    ):
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid"
        assert list(answer.json()["errors"]) == [wrong]
    assert teacher_client.get(PATH).json() == before


def test_the_name_is_needed(teacher_client):
    answer = teacher_client.post(PATH, {})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["name"]
