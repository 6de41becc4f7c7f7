"""A loaded school to be measured, and what people do in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from attendance import codes, selectors, verification
from attendance.models import (
    AttendanceRecord,
    ClassSession,
    Course,
    Enrollment,
    User,
)
from bench.lab import Lab
from bench.loading import Size, load_school, students_of, teacher_of, username_of
from bench.past import CLASS_SIZE, EVENTS
from bench.school import School, make_people, make_school, new_class_session

API = "/api/v1"
# Of people, courses, enrollments and planned class sessions so many more everywhere,
# so that lists are full in the smallest school, too.
MORE = 100
MISSED = 20

# What is done once it has been prepared: only this is timed.
Act = Callable[[], Any]


class Grown:
    """A school of one size in a database of its own, with a connection of its own."""

    def __init__(self, lab: Lab, size: Size) -> None:
        # The school before keeps its own.
        connections["default"].close()
        del connections["default"]
        lab.fresh_database()
        self._connection = connections["default"]
        self._connection.settings_dict = {**self._connection.settings_dict}
        self.kept = load_school(size)
        self.size = size
        self._bearers: dict[int, dict[str, str]] = {}
        self._courses = itertools.cycle(size.measured_courses())
        self.admin = User.objects.create(
            username="admin", name="Admin", is_staff=True, is_superuser=True
        )
        # One for all: a new one would begin by loading middleware and static files.
        self._client = Client(SERVER_NAME="127.0.0.1")
        self._written = make_school(CLASS_SIZE)
        self._arrivals = self._arriving(self._written)
        _fill_lists()

    def use(self) -> None:
        """Have the ORM, and so the site in this process, work in this school."""
        connections["default"] = self._connection

    def operations(self) -> Mapping[str, Callable[[], Act]]:
        """By name; each prepares the act anew, with people it has not had lately."""
        return {
            "check-in by QR code": self._check_in_by_qr,
            "check-in by code": self._check_in_by_code,
            "override": self._override,
            "roster of 25": self._roster,
            f"replay of {MISSED} events": self._replay,
            f"events after N, {MISSED} of them": self._events,
            "course page": self._course_page,
            "records of a course": self._records_of_course,
            "records of a student, for the teacher": self._records_of_student,
            "history of a record": self._history,
            "own records, a student": self._own_records,
            "own records, a teacher": self._taught_records,
            "my attendance": self._me,
            "a student's stream, first frame": self._own_stream,
            "courses, a teacher": self._courses_taught,
            "courses, a student": self._courses_taken,
            "class sessions, a teacher": self._sessions_taught,
            "my courses, the page": self._my_courses,
            "verify a class session": self._verify,
            "admin: records": self._admin("attendancerecord"),
            "admin: records of a person": self._admin("attendancerecord", _person),
            "admin: records of a person in a course": self._admin(
                "attendancerecord", _person_in_course
            ),
            "admin: events": self._admin("attendanceevent"),
            "admin: events of a person": self._admin("attendanceevent", _person),
            "admin: events, a rare kind": self._admin("attendanceevent", _rare),
            "admin: class sessions": self._admin("classsession"),
            "admin: class sessions of a course": self._admin("classsession", _course),
            "admin: people": self._admin("user"),
            "admin: a person": self._admin("user", _person),
            "admin: courses": self._admin("course"),
            "admin: enrollments": self._admin("enrollment"),
            "records of everybody": self._all_records,
            "class sessions of everybody": self._all_sessions,
        }

    # Writing: in a course that is as large everywhere and is not read otherwise ------

    def _arriving(self, school: School) -> Iterator[tuple[ClassSession, User]]:
        session = school.class_session
        while True:
            for student in school.students:
                self._headers(student.pk)
                yield session, student
            session = new_class_session(school.course, school.teacher)

    def _check_in_by_qr(self) -> Act:
        session, student = next(self._arrivals)
        token = codes.make_token(session.pk, session.code_generation)
        return self._post(student.pk, "check-ins/qr/", {"token": token})

    def _check_in_by_code(self) -> Act:
        session, student = next(self._arrivals)
        body = {"verification_code": session.verification_code}
        return self._post(student.pk, "check-ins/code/", body)

    def _override(self) -> Act:
        session, student = next(self._arrivals)
        body = {"student_id": student.pk, "status": "present", "reason": "seen"}
        path = f"class-sessions/{session.pk}/override/"
        return self._post(self._written.teacher.pk, path, body)

    # Reading: in the measured courses ------------------------------------------------

    def _meeting(self) -> tuple[int, ClassSession]:
        course = next(self._courses)
        return course, ClassSession.objects.filter(course=course)[1]

    def _roster(self) -> Act:
        course, session = self._meeting()
        return self._get(teacher_of(course).id, f"class-sessions/{session.pk}/roster/")

    def _events(self) -> Act:
        course, session = self._meeting()
        path = f"class-sessions/{session.pk}/events/?after={EVENTS - MISSED}"
        return self._get(teacher_of(course).id, path)

    def _replay(self) -> Act:
        _, session = self._meeting()
        return lambda: selectors.replay(session.pk, EVENTS - MISSED)

    def _verify(self) -> Act:
        _, session = self._meeting()

        def act() -> None:
            found = verification.verify_class_session(session.pk).findings
            if found:
                raise RuntimeError(
                    f"the school was not loaded as it should be: {found}"
                )

        return act

    def _course_page(self) -> Act:
        course = next(self._courses)
        return self._page(teacher_of(course).id, f"/courses/{course}/")

    def _my_courses(self) -> Act:
        return self._page(teacher_of(next(self._courses)).id, "/courses/")

    def _me(self) -> Act:
        return self._page(students_of(next(self._courses))[0].id, "/me/")

    def _records_of_course(self) -> Act:
        course = next(self._courses)
        return self._get(teacher_of(course).id, f"attendance/?course={course}")

    def _records_of_student(self) -> Act:
        course = next(self._courses)
        student = students_of(course)[3].id
        return self._get(teacher_of(course).id, f"attendance/?student={student}")

    def _history(self) -> Act:
        course, session = self._meeting()
        student = students_of(course)[-1].id
        record = AttendanceRecord.objects.get(class_session=session, student=student)
        return self._get(teacher_of(course).id, f"attendance/{record.pk}/history/")

    def _own_records(self) -> Act:
        return self._get(students_of(next(self._courses))[1].id, "attendance/")

    def _taught_records(self) -> Act:
        return self._get(teacher_of(next(self._courses)).id, "attendance/")

    def _own_stream(self) -> Act:
        student = User.objects.get(pk=students_of(next(self._courses))[2].id)

        def act() -> None:
            selectors.record_totals([student.pk])
            selectors.newest_records_of(student)
            selectors.courses_of_students([student.pk])

        return act

    def _courses_taught(self) -> Act:
        return self._get(teacher_of(next(self._courses)).id, "courses/")

    def _courses_taken(self) -> Act:
        return self._get(students_of(next(self._courses))[1].id, "courses/")

    def _sessions_taught(self) -> Act:
        return self._get(teacher_of(next(self._courses)).id, "class-sessions/")

    def _all_records(self) -> Act:
        return self._get(self.admin.pk, "attendance/")

    def _all_sessions(self) -> Act:
        return self._get(self.admin.pk, "class-sessions/")

    def _admin(
        self, model: str, query: Callable[[int], str] = lambda course: ""
    ) -> Callable[[], Act]:
        def prepare() -> Act:
            url = reverse(f"admin:attendance_{model}_changelist")
            path = f"{url}{query(next(self._courses))}"
            return self._page(self.admin.pk, path)

        return prepare

    # Asking --------------------------------------------------------------------------

    def _headers(self, user_id: int) -> Any:
        if user_id not in self._bearers:
            token = AuthToken.objects.create(user=User.objects.get(pk=user_id))[1]
            self._bearers[user_id] = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
        return self._bearers[user_id]

    def _get(self, user_id: int, path: str) -> Act:
        headers = self._headers(user_id)
        return lambda: _right(self._client.get(f"{API}/{path}", **headers))

    def _post(self, user_id: int, path: str, body: dict[str, Any]) -> Act:
        headers = self._headers(user_id)
        return lambda: _right(
            self._client.post(
                f"{API}/{path}", body, content_type="application/json", **headers
            )
        )

    def _page(self, user_id: int, path: str) -> Act:
        self._client.force_login(User.objects.get(pk=user_id))
        return lambda: _right(self._client.get(path))


def _right(response: Any) -> None:
    if response.status_code not in (200, 201):
        raise RuntimeError(f"{response.status_code}: {response.content[:500]!r}")


def _person(course: int) -> str:
    return f"?q={username_of(students_of(course)[4])}"


def _course(course: int) -> str:
    return f"?q=C{course:05}"


def _person_in_course(course: int) -> str:
    return f"{_person(course)}+C{course:05}"


def _rare(course: int) -> str:
    return "?type__exact=roster_update"


def _fill_lists() -> None:
    now = timezone.now()
    people = make_people([f"more-{number:03}" for number in range(MORE)])
    courses = Course.objects.bulk_create(
        [Course(name=f"A further course {number:03}") for number in range(MORE)]
    )
    pairs = list(zip(courses, people, strict=True))
    Enrollment.objects.bulk_create(
        [
            Enrollment(course=course, student=person, enrolled_at=now)
            for course, person in pairs
        ]
    )
    ClassSession.objects.bulk_create(
        [
            ClassSession(
                course=course,
                title="Planned",
                starts_at=now + timedelta(days=number),
                ends_at=now + timedelta(days=number, hours=1),
            )
            for number, course in enumerate(courses, start=1)
        ]
    )
