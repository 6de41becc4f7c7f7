"""Courses with their teachers, and enrollments."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.text import Truncator

from attendance.admin.base import (
    NoDeleteMixin,
    ServiceAdmin,
    ServiceForm,
    actor_of,
)
from attendance.admin.searches import Meaning, WordsAdmin, of_courses
from attendance.exceptions import AttendanceError, LastOwnerError
from attendance.models import Course, CourseTeacher, Enrollment, Role
from attendance.selectors import search
from attendance.services.courses import (
    add_teacher,
    edit_course,
    enroll_student,
    remove_teacher,
    unenroll_student,
)


class TeacherFormSet(forms.models.BaseInlineFormSet):
    """The teachers of a course, of whom one at least owns it."""

    def clean(self) -> None:
        super().clean()
        roles = [
            form.cleaned_data.get("role")
            for form in self.forms
            if getattr(form, "cleaned_data", None)
            and not form.cleaned_data.get("DELETE")
        ]
        if not any(self.errors) and Role.OWNER not in roles:
            raise forms.ValidationError("A course has at least one owner.")


class TeacherInline(admin.TabularInline):
    model = CourseTeacher
    formset = TeacherFormSet
    fields = ("user", "role")
    autocomplete_fields = ("user",)
    extra = 0
    min_num = 1


@admin.register(Course)
class CourseAdmin(WordsAdmin, ServiceAdmin):
    list_display = ("name", "code", "time_zone", "teachers_count", "students_count")
    search_help_text = "Beginnings of words: of the name or the code."
    list_filter = ("time_zone",)
    fields = ("name", "code", "time_zone")
    inlines = (TeacherInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        courses: QuerySet[Course] = super().get_queryset(request)
        # Not joined: each is counted for the courses of the page alone.
        active = Enrollment.objects.filter(ended_at__isnull=True)
        return courses.annotate(
            teachers_count=_number_of(CourseTeacher.objects.all()),
            students_count=_number_of(active),
        )

    def words_search(self, queryset: QuerySet[Any], meaning: Meaning) -> QuerySet[Any]:
        return queryset.filter(search.course_named(meaning.words))

    @admin.display(description="teachers", ordering="teachers_count")
    def teachers_count(self, course: Any) -> int:
        return int(course.teachers_count)

    @admin.display(description="students", ordering="students_count")
    def students_count(self, course: Any) -> int:
        return int(course.students_count)

    def save_model(
        self, request: HttpRequest, obj: Course, form: Any, change: bool
    ) -> None:
        if change:
            values = {name: form.cleaned_data[name] for name in form.changed_data}
            edit_course(course=obj, **values)
        else:
            # The first owner follows with the inline rows, in this transaction.
            obj.save()

    def save_formset(
        self, request: HttpRequest, form: Any, formset: Any, change: bool
    ) -> None:
        course: Course = form.instance
        # Learns what is new, changed and deleted; writes nothing.
        formset.save(commit=False)
        changed = [teacher for teacher, _ in formset.changed_objects]
        # Owners first, so that one may follow another in a single step.
        for teacher in sorted(
            [*formset.new_objects, *changed], key=lambda t: t.role != Role.OWNER
        ):
            self._save_teacher(course, teacher)
        for teacher in formset.deleted_objects:
            remove_teacher(course=course, user_id=teacher.user_id)
        owners = CourseTeacher.objects.filter(course=course, role=Role.OWNER)
        if not owners.exists():
            raise LastOwnerError

    def _save_teacher(self, course: Course, teacher: CourseTeacher) -> None:
        before = CourseTeacher.objects.filter(pk=teacher.pk).first()
        saved, _ = add_teacher(
            course=course, user_id=teacher.user_id, role=teacher.role
        )
        if before is not None and before.user_id != teacher.user_id:
            remove_teacher(course=course, user_id=before.user_id)
        teacher.pk = saved.pk


def _number_of(rows: QuerySet[Any]) -> Coalesce:
    """How many of these each course has."""
    of_course = rows.filter(course=OuterRef("pk")).order_by().values("course")
    number = of_course.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(number), 0)


class EnrollmentForm(ServiceForm):
    class Meta:
        model = Enrollment
        fields = ("course", "student")


@admin.register(Enrollment)
class EnrollmentAdmin(WordsAdmin, NoDeleteMixin, ServiceAdmin):
    """Enrollments begin and end here; what was once so stays as history."""

    form = EnrollmentForm
    list_display = ("student_name", "course", "enrolled_at", "ended_at")
    list_select_related = ("student", "course")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    search_help_text = "Beginnings of words: a student's name, a course."
    autocomplete_fields = ("course", "student")
    ordering = ("-id",)
    actions = ("end_selected",)

    def words_search(self, queryset: QuerySet[Any], meaning: Meaning) -> QuerySet[Any]:
        return of_courses(queryset, meaning, "student")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        new = ("course", "student")
        return new if obj is None else (*new, "enrolled_at", "ended_at")

    @admin.display(description="student", ordering="student__name")
    def student_name(self, enrollment: Enrollment) -> str:
        # Cut, because the list does not wrap its first column.
        return Truncator(enrollment.student.display_name).chars(40)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A single enrollment has nothing to edit; the list has the action.
        return obj is None and super().has_change_permission(request)

    def save_model(
        self, request: HttpRequest, obj: Enrollment, form: Any, change: bool
    ) -> None:
        enrollment, created = enroll_student(
            course=obj.course, student_id=obj.student_id, actor=actor_of(request)
        )
        obj.pk = enrollment.pk
        obj.refresh_from_db()
        if not created:
            self.message_user(
                request,
                f"{obj.student} was enrolled in {obj.course} before.",
                messages.WARNING,
            )

    @admin.action(description="End selected enrollments", permissions=["change"])
    def end_selected(
        self, request: HttpRequest, queryset: QuerySet[Enrollment]
    ) -> None:
        """Each by itself: one that has ended meanwhile does not hold up the others."""
        active = queryset.select_related("course", "student")
        ended = 0
        # In the order in which everybody locks courses.
        for enrollment in active.filter(ended_at__isnull=True).order_by(
            "course_id", "student_id"
        ):
            try:
                unenroll_student(
                    course=enrollment.course,
                    student_id=enrollment.student_id,
                    actor=actor_of(request),
                )
            except AttendanceError as refusal:
                said = f"{enrollment}: {refusal.detail}"
                self.message_user(request, said, messages.ERROR)
            else:
                ended += 1
        self.message_user(
            request, f"{ended} enrollment{'' if ended == 1 else 's'} ended."
        )
