from django.apps import AppConfig


class AttendanceConfig(AppConfig):
    """The domain: courses, class sessions, records, events."""

    name = "attendance"
    verbose_name = "Attendance"
