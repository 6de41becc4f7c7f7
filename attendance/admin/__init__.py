"""
The administration pages.

What has a service is changed through it here too: an override made in the admin is in
the history and on the teacher's screen like any other. Records and events can neither
be added nor deleted, and events not be changed.
"""

from django.contrib import admin

# Each registers its models.
from attendance.admin import (  # noqa: F401
    attempts,
    class_sessions,
    courses,
    events,
    log_in,
    records,
    tokens,
    users,
)

admin.site.site_header = "Attendance administration"
admin.site.site_title = "Attendance administration"
admin.site.index_title = "Overview"
