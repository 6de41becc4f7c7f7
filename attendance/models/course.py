from __future__ import annotations

import functools
import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q


@functools.cache
def time_zones() -> frozenset[str]:
    """The names of the IANA time zone database, which lies on the disk."""
    # Names of files beside it: one is what the server happens to be set to, the other
    # stands for "nobody has set one".
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def validate_time_zone(value: str) -> None:
    """Refuse what is no name in the IANA time zone database."""
    if value not in time_zones():
        raise ValidationError(
            "Use a name of the IANA time zone database, such as Europe/Berlin.",
            code="unknown_time_zone",
        )


class Role(models.TextChoices):
    """What a teacher may do in a course: an owner also appoints teachers."""

    OWNER = "owner", "Owner"
    CO_TEACHER = "co_teacher", "Co-teacher"


class Course(models.Model):
    """A course: who teaches it, who is enrolled, in which time zone it meets."""

    name = models.CharField(max_length=200)
    code = models.CharField(max_length=40, blank=True, default="")
    time_zone = models.CharField(
        max_length=64, default="UTC", validators=[validate_time_zone]
    )
    created_at = models.DateTimeField(auto_now_add=True)
    teachers = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="CourseTeacher",
        related_name="courses_taught",
    )

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


class CourseTeacher(models.Model):
    """That a person teaches a course, and in which role."""

    course = models.ForeignKey(
        Course, on_delete=models.CASCADE, related_name="course_teachers"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="course_teachers",
    )
    role = models.CharField(max_length=12, choices=Role, default=Role.CO_TEACHER)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["course", "user"], name="course_teacher_once"
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="course_teacher_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


class Enrollment(models.Model):
    """
    That a student takes a course, from `enrolled_at` until `ended_at`.

    Coming back makes a new row: the old one stays as history.
    """

    course = models.ForeignKey(
        Course, on_delete=models.CASCADE, related_name="enrollments"
    )
    student = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="enrollments",
    )
    enrolled_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["course", "student"],
                condition=Q(ended_at__isnull=True),
                name="enrollment_active_once",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True)
                | Q(ended_at__gte=models.F("enrolled_at")),
                name="enrollment_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student} in {self.course}"

    @property
    def is_active(self) -> bool:
        return self.ended_at is None
