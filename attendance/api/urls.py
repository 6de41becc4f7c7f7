"""Below /api/."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from attendance import converters  # noqa: F401  (registers <id:...>)
from attendance.api import schema  # noqa: F401  (registers the log-in schemes)
from attendance.api.attendance import CheckInViewSet, RecordViewSet
from attendance.api.auth import TokenView
from attendance.api.base import AnyAccepted
from attendance.api.class_sessions import ClassSessionViewSet
from attendance.api.courses import CourseViewSet, EnrollmentViewSet, TeacherViewSet

router = SimpleRouter(use_regex_path=False)
router.register("class-sessions", ClassSessionViewSet, basename="class-session")

v1 = [
    path("auth/token/", TokenView.as_view()),
    path("courses/", CourseViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "courses/<id:course_id>/",
        CourseViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
    ),
    path(
        "courses/<id:course_id>/enrollments/",
        EnrollmentViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path(
        "courses/<id:course_id>/enrollments/<id:student_id>/",
        EnrollmentViewSet.as_view({"delete": "destroy"}),
    ),
    path(
        "courses/<id:course_id>/teachers/",
        TeacherViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path(
        "courses/<id:course_id>/teachers/<id:user_id>/",
        TeacherViewSet.as_view({"delete": "destroy"}),
    ),
    path("check-ins/qr/", CheckInViewSet.as_view({"post": "qr"})),
    path("check-ins/code/", CheckInViewSet.as_view({"post": "code"})),
    path("attendance/", RecordViewSet.as_view({"get": "list"})),
    path(
        "attendance/<id:record_id>/history/", RecordViewSet.as_view({"get": "history"})
    ),
    *router.urls,
]


@csrf_exempt
def unknown_path(request: HttpRequest) -> JsonResponse:
    """JSON for every other path: programs should not have to read HTML."""
    return JsonResponse(
        {"code": "not_found", "detail": "There is no such address in this API."},
        status=404,
    )


as_documentation: dict[str, Any] = {
    # The library's answer to OPTIONS needs what these have not.
    "metadata_class": None,
    "content_negotiation_class": AnyAccepted,
}
urlpatterns = [
    path("v1/", include(v1)),
    path("schema/", SpectacularAPIView.as_view(**as_documentation), name="api-schema"),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api-schema", **as_documentation),
        name="api-docs",
    ),
    re_path(r"", unknown_path),
]
