"""The WSGI entry point: HTTP in production."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_site.settings")

application = get_wsgi_application()

from attendance_site.startup import (  # noqa: E402
    refuse_demo_settings,
    refuse_uncollected_files,
)

refuse_demo_settings()
refuse_uncollected_files()
