"""All URLs of the site."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/", include("attendance.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("attendance.pages.urls")),
]

handler400 = "attendance_site.errors.bad_request"
handler403 = "attendance_site.errors.permission_denied"
handler404 = "attendance_site.errors.page_not_found"
handler500 = "attendance_site.errors.server_error"
