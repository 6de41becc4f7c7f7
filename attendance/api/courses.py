"""Courses, their enrollments and teachers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import selectors
from attendance.api.base import APIViewSet
from attendance.api.inputs import CourseInput, EnrollmentInput, TeacherInput
from attendance.api.outputs import CourseOutput, EnrollmentOutput, TeacherOutput
from attendance.exceptions import PermissionDeniedError
from attendance.models import Course, CourseTeacher, Enrollment
from attendance.payloads import Payload, iso
from attendance.services import courses as services


def _course_payload(course: Course, *, for_teacher: bool) -> Payload:
    payload: Payload = {
        "id": course.pk,
        "name": course.name,
        "code": course.code,
        "time_zone": course.time_zone,
    }
    if for_teacher:
        # In Python, so that a prefetched list serves a whole page.
        payload["teacher_ids"] = sorted(t.user_id for t in course.course_teachers.all())
    return payload


def _enrollment_payload(enrollment: Enrollment) -> Payload:
    return {
        "student_id": enrollment.student_id,
        "student_name": enrollment.student.display_name,
        "enrolled_at": iso(enrollment.enrolled_at),
    }


def _teacher_payload(teacher: CourseTeacher) -> Payload:
    return {
        "user_id": teacher.user_id,
        "name": teacher.user.display_name,
        "role": str(teacher.role),
    }


class CourseViewSet(APIViewSet):
    """Courses: teachers see all of a course, its students name and time zone."""

    @extend_schema(responses=CourseOutput(many=True))
    def list(self, request: Request) -> Response:
        visible = (
            selectors.courses_visible(self.user)
            .prefetch_related("course_teachers")
            .order_by("name", "pk")
        )

        def payloads(courses: Sequence[Any]) -> list[Payload]:
            staff = self.user.is_staff
            return [_course_payload(c, for_teacher=c.teaches or staff) for c in courses]

        return self.page_of(visible, payloads)

    @extend_schema(request=CourseInput, responses={201: CourseOutput})
    def create(self, request: Request) -> Response:
        if not self.user.has_perm("attendance.add_course"):
            raise PermissionDeniedError
        course = services.create_course(owner=self.user, **self.read(CourseInput))
        return Response(
            _course_payload(course, for_teacher=True), status=status.HTTP_201_CREATED
        )

    @extend_schema(responses=CourseOutput)
    def retrieve(self, request: Request, course_id: int) -> Response:
        access = selectors.course_access(self.user, course_id)
        course = Course.objects.get(pk=course_id)
        return Response(_course_payload(course, for_teacher=access.teaches))

    @extend_schema(request=CourseInput, responses=CourseOutput)
    def partial_update(self, request: Request, course_id: int) -> Response:
        course = selectors.course_for_teacher(self.user, course_id)
        fields = self.read(CourseInput, partial=True)
        course = services.edit_course(course=course, **fields)
        return Response(_course_payload(course, for_teacher=True))


class EnrollmentViewSet(APIViewSet):
    """Who takes the course."""

    @extend_schema(responses=EnrollmentOutput(many=True))
    def list(self, request: Request, course_id: int) -> Response:
        course = selectors.course_for_teacher(self.user, course_id)
        return self.page_of(
            selectors.active_enrollments(course.pk),
            lambda page: [_enrollment_payload(enrollment) for enrollment in page],
        )

    @extend_schema(
        request=EnrollmentInput,
        responses={200: EnrollmentOutput, 201: EnrollmentOutput},
    )
    def create(self, request: Request, course_id: int) -> Response:
        course = selectors.course_for_teacher(self.user, course_id)
        student_id = self.read(EnrollmentInput)["student_id"]
        enrollment, created = services.enroll_student(
            course=course, student_id=student_id, actor=self.user
        )
        return Response(
            _enrollment_payload(enrollment),
            status=status.HTTP_201_CREATED if created else status.HTTP_200_OK,
        )

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, course_id: int, student_id: int) -> Response:
        course = selectors.course_for_teacher(self.user, course_id)
        services.unenroll_student(course=course, student_id=student_id, actor=self.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TeacherViewSet(APIViewSet):
    """Who teaches the course; for its owners."""

    @extend_schema(responses=TeacherOutput(many=True))
    def list(self, request: Request, course_id: int) -> Response:
        course = selectors.course_for_owner(self.user, course_id)
        return self.page_of(
            course.course_teachers.select_related("user"),
            lambda page: [_teacher_payload(teacher) for teacher in page],
        )

    @extend_schema(
        request=TeacherInput, responses={200: TeacherOutput, 201: TeacherOutput}
    )
    def create(self, request: Request, course_id: int) -> Response:
        course = selectors.course_for_owner(self.user, course_id)
        teacher, created = services.add_teacher(
            course=course, **self.read(TeacherInput)
        )
        return Response(
            _teacher_payload(teacher),
            status=status.HTTP_201_CREATED if created else status.HTTP_200_OK,
        )

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, course_id: int, user_id: int) -> Response:
        course = selectors.course_for_owner(self.user, course_id)
        services.remove_teacher(course=course, user_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
