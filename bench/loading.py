"""
Schools of any size, with a past, written with COPY.

`load_school(100)` is one course with 100 records; `load_school(10_000_000)` is 10,000
courses with 40 class sessions each. What is measured is the same everywhere: every
hundredth course has 25 students and four class sessions, whatever the others have, and
its rows lie scattered among theirs as a term scatters them.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from bench.past import CLASS_SIZE, EVENTS, RECORDS, Meeting, Person

MOST_COURSES = 10_000
# What a measured course has held, 100 records; one in so many courses is measured.
FEW_MEETINGS = 4
MEASURED = 100
# COPY is given so many lines at a time.
_CHUNK = 5_000
_FIRST = ("Ada", "Bela", "Chan", "Dana", "Emil", "Fatou", "Goran", "Hana", "Ivo", "Jun")
_LAST = ("Adeyemi", "Bauer", "Costa", "Dvorak", "Eriksen", "Farkas", "Garcia")


@dataclasses.dataclass(frozen=True)
class Size:
    """How large a school is; all rows follow from it."""

    records: int

    @property
    def courses(self) -> int:
        return min(MOST_COURSES, self.records // (FEW_MEETINGS * CLASS_SIZE))

    @property
    def meetings(self) -> int:
        """What a course has held that is not measured."""
        return self.records // (self.courses * CLASS_SIZE)

    def measured_courses(self) -> range:
        """The ids of the courses that have held just FEW_MEETINGS."""
        return range(1, self.courses + 1, MEASURED)

    def meetings_of(self, number: int) -> range:
        """Where in the term the course meets."""
        if (number - 1) % MEASURED:
            return range(self.meetings)
        return range(0, self.meetings, self.meetings // FEW_MEETINGS)


@dataclasses.dataclass(frozen=True)
class Kept:
    """What a table takes: bytes of rows and of indexes, and the time to vacuum it."""

    rows: int
    table_bytes: int
    index_bytes: int
    vacuum_seconds: float


def load_school(size: Size) -> dict[str, Kept]:
    """
    Into the current database, which is empty; then VACUUM ANALYZE.

    What it came to, by table: records and events.
    """
    _copy("user", _USER, _people(size))
    _copy("course", _COURSE, _courses(size))
    _copy("courseteacher", "id, role, course_id, user_id", _teachers(size))
    _copy("enrollment", _ENROLLMENT, _enrollments(size))
    _copy("classsession", _SESSION, _sessions(size))
    # These two are long: one half of the term each.
    connection.close()
    halves = [multiprocessing.Process(target=_held, args=(size, n)) for n in (0, 1)]
    for half in halves:
        half.start()
    for half in halves:
        half.join()
        if half.exitcode:
            raise RuntimeError("a school could not be loaded; see above")
    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) "
                f"FROM {table}"
            )
        kept = {table: _vacuumed(cursor, table) for table in _TABLES[-2:]}
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
    return kept


def _vacuumed(cursor: Any, table: str) -> Kept:
    """The first VACUUM of new rows looks at every page, later ones at changed pages."""
    began = time.perf_counter()
    cursor.execute(f"VACUUM {table}")
    seconds = time.perf_counter() - began
    cursor.execute(
        f"SELECT count(*), pg_table_size('{table}'), pg_indexes_size('{table}') "
        f"FROM {table}"
    )
    rows, table_bytes, index_bytes = cursor.fetchone()
    return Kept(rows, table_bytes, index_bytes, seconds)


_USER = (
    "id, password, is_superuser, username, email, is_staff, is_active, "
    "date_joined, name"
)
_COURSE = "id, name, code, time_zone, created_at"
_ENROLLMENT = "id, enrolled_at, ended_at, course_id, student_id"
_SESSION = (
    "id, title, location, starts_at, ends_at, grace_minutes, early_minutes, "
    "allow_late_check_in, late_cutoff_minutes, state, verification_code, "
    "code_generation, edition, revision, created_at, course_id"
)
_RECORD = (
    "id, status, check_in_time, late_minutes, verification_method, override_reason, "
    "notes, version, student_id, class_session_id, source"
)
_EVENT = (
    "id, revision, type, at, data, actor_id, class_session_id, student_id, before, "
    "hash, operation_id, source"
)
_TABLES = [
    f"attendance_{name}"
    for name in (
        *("user", "course", "courseteacher", "enrollment", "classsession"),
        *("attendancerecord", "attendanceevent"),
    )
]


def _copy(table: str, columns: str, lines: Iterable[str]) -> None:
    statement = f"COPY attendance_{table} ({columns}) FROM STDIN"
    with connection.cursor() as cursor:
        # All that refers to something refers to what is there: no need to look 60
        # million times. The triggers of the history stand in no INSERT's way anyway.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        raw: Any = cursor.cursor
        with raw.copy(statement) as copy:
            chunk: list[str] = []
            for line in lines:
                chunk.append(line)
                if len(chunk) == _CHUNK:
                    copy.write("".join(chunk))
                    chunk.clear()
            copy.write("".join(chunk))
        cursor.execute("RESET session_replication_role")
        cursor.execute("RESET synchronous_commit")


def _held(size: Size, half: int) -> None:
    """In a process of its own: records and events of one half of the term."""
    middle = size.meetings // 2
    numbers = range(middle) if half == 0 else range(middle, size.meetings)
    _copy(
        "attendancerecord",
        _RECORD,
        (
            row
            for m in _meetings(size)
            if m.number in numbers
            for row in m.record_rows()
        ),
    )
    _copy(
        "attendanceevent",
        _EVENT,
        (row for m in _meetings(size) if m.number in numbers for row in m.event_rows()),
    )
    connection.close()


def teacher_of(course: int) -> Person:
    return Person(course * (CLASS_SIZE + 1), f"Teacher {course:05}")


def students_of(course: int) -> list[Person]:
    """In roster order of their ids; each takes this course alone."""
    first = (course - 1) * (CLASS_SIZE + 1) + 1
    return [
        Person(id, f"{_FIRST[id % 10]} {_LAST[id % 7]} {id:06}")
        for id in range(first, first + CLASS_SIZE)
    ]


def username_of(person: Person) -> str:
    return f"u{person.id:06}"


def course_name(course: int) -> str:
    return f"Course {course:05}"


def _people(size: Size) -> Iterator[str]:
    for course in range(1, size.courses + 1):
        for person in (*students_of(course), teacher_of(course)):
            username = username_of(person)
            yield (
                f"{person.id}\t!\tf\t{username}\t{username}@example.org\tf\tt\t"
                f"{_TERM:%Y-%m-%d}\t{person.name}\n"
            )


def _courses(size: Size) -> Iterator[str]:
    for course in range(1, size.courses + 1):
        yield f"{course}\t{course_name(course)}\tC{course:05}\tUTC\t{_TERM}\n"


def _teachers(size: Size) -> Iterator[str]:
    for course in range(1, size.courses + 1):
        yield f"{course}\towner\t{course}\t{teacher_of(course).id}\n"


def _enrollments(size: Size) -> Iterator[str]:
    id = 0
    for course in range(1, size.courses + 1):
        for student in students_of(course):
            id += 1
            yield f"{id}\t{_TERM}\t\\N\t{course}\t{student.id}\n"


_TERM = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
_TERM -= timedelta(days=400)


def _meetings(size: Size) -> Iterator[Meeting]:
    """In the order in which they were held: all courses, then all once more."""
    held = 0
    people = {c: (teacher_of(c), students_of(c)) for c in range(1, size.courses + 1)}
    meets = {c: size.meetings_of(c) for c in people}
    for number in range(size.meetings):
        day = _TERM + timedelta(days=1 + number * 360 // size.meetings)
        for course, (teacher, students) in people.items():
            if number not in meets[course]:
                continue
            yield Meeting(
                id=held + 1,
                course_id=course,
                class_name=course_name(course),
                number=number,
                starts_at=day + timedelta(hours=8 + course % 9),
                teacher=teacher,
                students=students,
                first_record=held * RECORDS + 1,
                first_event=held * EVENTS + 1,
            )
            held += 1


def _sessions(size: Size) -> Iterator[str]:
    return (meeting.session_row() for meeting in _meetings(size))
