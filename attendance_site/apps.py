from django.apps import AppConfig


class AttendanceSiteConfig(AppConfig):
    """The composition: settings, URLs, entry points."""

    name = "attendance_site"

    def ready(self) -> None:
        from attendance_site import checks  # noqa: F401  (registers the checks)
