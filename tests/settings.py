"""The project's settings on the test session's own PostgreSQL and Redis.

pytest-django reads settings before any conftest.py, so the servers start here.
"""

import os

from tests.servers import ServerError, ensure_servers

try:
    ensure_servers()
except ServerError as error:
    raise SystemExit(str(error)) from None

os.environ.setdefault("ATTENDANCE_DEMO", "1")

from attendance_site.settings import *  # noqa: E402

# Else every test client's first request lists all static files: 50 ms each time.
WHITENOISE_AUTOREFRESH = True

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A name of its own: a PostgreSQL that was given may serve several test runs.
DATABASES["default"]["TEST"] = {
    "NAME": f"test_attendance_{os.environ['ATTENDANCE_TEST_TOKEN']}"
}
