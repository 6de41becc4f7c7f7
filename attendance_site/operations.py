"""
For whoever runs the site: `/healthz`, `/readyz` and `/metrics`.

They are answered before anything else, so whatever Host header a load balancer sends,
over plain HTTP too, and without a look at sessions. Both kinds of processes have them.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from attendance_site import metrics, readiness

_READING = ("GET", "HEAD")


def healthz(request: HttpRequest) -> HttpResponse:
    """The process serves; it says nothing of anything else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """
    200 when database, migrations and Redis are well, else 503; each with its code.

    `?exclude=redis` leaves a check out of the verdict, as often as need be.
    """
    checks = readiness.check()
    ready = readiness.is_ready(checks, without=request.GET.getlist("exclude"))
    status = "ready" if ready else "not_ready"
    return JsonResponse(
        {"status": status, "checks": checks}, status=200 if ready else 503
    )


def show_metrics(request: HttpRequest) -> HttpResponse:
    """The metrics in Prometheus' text format, or 403."""
    if not metrics.may_read(request):
        detail = "The metrics are for monitoring; see ATTENDANCE_METRICS_TOKEN."
        return JsonResponse({"code": "permission_denied", "detail": detail}, status=403)
    content, content_type = metrics.exposition(request.META.get("HTTP_ACCEPT", ""))
    return HttpResponse(content, content_type=content_type)


_VIEWS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": healthz,
    "/readyz": readyz,
    "/metrics": show_metrics,
}


class OperationsMiddleware:
    """Answers these three, and logs nothing, because they are asked often."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = _VIEWS.get(request.path_info)
        if view is None:
            return self.get_response(request)
        if request.method not in _READING:
            return HttpResponseNotAllowed(_READING)
        response = view(request)
        response["Cache-Control"] = "no-store"
        return response
