"""
Settings, all from the environment (the table is in README.md).

Without any variable this is the demo: SQLite and the in-memory channel layer. The
entry points (wsgi, asgi) refuse to serve that as production: see checks.py.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from attendance_site.env import env_bool, env_choice, env_int, env_list, kept_secret
from attendance_site.logs import FORMATS, LEVELS, logging_settings
from attendance_site.redis_url import channel_host

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("ATTENDANCE_VAR_DIR") or BASE_DIR / "var")

DEMO = env_bool("ATTENDANCE_DEMO", False)
DEBUG = env_bool("DJANGO_DEBUG", False)

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or ""
SECRET_KEY_IS_OWN = bool(SECRET_KEY)
if not SECRET_KEY_IS_OWN:
    SECRET_KEY = kept_secret(VAR_DIR / "demo_secret_key")
SECRET_KEY_FALLBACKS = env_list("DJANGO_SECRET_KEY_FALLBACKS", [])

ALLOWED_HOSTS = env_list("DJANGO_ALLOWED_HOSTS", ["*"])
CSRF_TRUSTED_ORIGINS = env_list("DJANGO_CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "attendance",
    "realtime",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "attendance_site",
]

MIDDLEWARE = [
    "attendance_site.operations.OperationsMiddleware",
    "attendance_site.tracing.TraceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "attendance_site.middleware.RequestGuardMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]

ROOT_URLCONF = "attendance_site.urls"
WSGI_APPLICATION = "attendance_site.wsgi.application"
ASGI_APPLICATION = "attendance_site.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "attendance.pages.context.header",
            ],
        },
    },
]

# Database -------------------------------------------------------------------------

DATABASE_URL = os.environ.get("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'demo.sqlite3'}"
try:
    # HTTP runs in a few threads that live as long as the process, so each keeps its
    # connection; it is tested before use because a database may restart.
    _database: dict[str, Any] = {
        **dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True)
    }
except ValueError as problem:
    raise ImproperlyConfigured(f"DATABASE_URL makes no sense: {problem}") from None
if _database["ENGINE"].rpartition(".")[2] not in ("postgresql", "sqlite3"):
    raise ImproperlyConfigured("DATABASE_URL must name PostgreSQL or SQLite.")
# What the operator asks of the driver.
DATABASE_URL_OPTIONS: dict[str, Any] = _database.get("OPTIONS", {})
if _database["ENGINE"] == "django.db.backends.postgresql":
    _database["ENGINE"] = "attendance_site.postgresql"
    # Parameters beside the statements, and statements that come again prepared: for
    # the server, planning a check-in's costs more than carrying them out.
    _database["OPTIONS"] = {
        "server_side_binding": True,
        "prepare_threshold": 5,
        **DATABASE_URL_OPTIONS,
    }
if _database["ENGINE"] == "django.db.backends.sqlite3":
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    _database["OPTIONS"] = {
        # With Django's defaults 502 of 600 check-ins in a second answered 500,
        # "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
# A pooler that hands out another connection for each transaction, such as PgBouncer.
DATABASE_POOLER = env_bool("ATTENDANCE_DATABASE_POOLER", False)
if DATABASE_POOLER:
    # Both would live in one connection and be looked for in another.
    _database["DISABLE_SERVER_SIDE_CURSORS"] = True
    _database["OPTIONS"] = {**_database.get("OPTIONS", {}), "prepare_threshold": None}
elif _database["ENGINE"] == "attendance_site.postgresql":
    # For all but an administrator's count of everything starting parallel workers, or
    # compiling, takes longer than the statement; PostgreSQL begins with both as soon as
    # tables are large, however few of their rows are wanted.
    _database["OPTIONS"] = {
        "options": "-c jit=off -c max_parallel_workers_per_gather=0",
        **_database["OPTIONS"],
    }
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Live stream ----------------------------------------------------------------------

REDIS_URL = os.environ.get("REDIS_URL") or ""
CHANNEL_PREFIX = os.environ.get("ATTENDANCE_CHANNEL_PREFIX") or "attendance"
CHANNEL_LAYERS: dict[str, Any]
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "attendance.channel_layer.RedisChannelLayer",
            "CONFIG": {
                "hosts": [channel_host(REDIS_URL)],
                "prefix": CHANNEL_PREFIX,
            },
        }
    }
else:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            # Past its capacity it drops; the streams heal, but later.
            "CONFIG": {"capacity": 1000},
        }
    }

# The contract promises a heartbeat every 10 s; the rest is room for a busy server.
STREAM_HEARTBEAT_SECONDS = env_int("ATTENDANCE_HEARTBEAT_SECONDS", 7, least=1, most=9)
# Threads, and so database connections, for the streams of one process.
STREAM_DATABASE_THREADS = env_int("ATTENDANCE_STREAM_THREADS", 4, least=1)
# How long a client may leave a full buffer unread before it is disconnected.
STREAM_UNREAD_SECONDS = env_int("ATTENDANCE_UNREAD_SECONDS", 15, least=1)
# How long a stream lives before its client is asked to connect again: less than the
# 24 h after which channel layer and server would end it on their own.
STREAM_LIFETIME_SECONDS = env_int(
    "ATTENDANCE_STREAM_LIFETIME_SECONDS", 12 * 3600, least=1, most=23 * 3600
)

# History --------------------------------------------------------------------------

# How long after the class session, or after the change, a change can be undone.
EDIT_WINDOW = timedelta(
    days=env_int("ATTENDANCE_EDIT_WINDOW_DAYS", 14, least=0, most=3650)
)

# People ---------------------------------------------------------------------------

AUTH_USER_MODEL = "attendance.User"
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_TTL": timedelta(days=env_int("ATTENDANCE_TOKEN_DAYS", 30, least=1)),
    "TOKEN_LIMIT_PER_USER": None,
    "AUTO_REFRESH": False,
}

# API ------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "attendance.api.authentication.BearerAuthentication",
        "attendance.api.authentication.BrowserSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["attendance.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "attendance.api.pagination.Pagination",
    "DEFAULT_SCHEMA_CLASS": "attendance.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "attendance.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Attendance",
    "DESCRIPTION": "Class attendance: check-in, override, bulk marks, history.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "RecordStatus": "attendance.models.Status",
        "RosterStatus": "attendance.api.outputs.ROSTER_STATUSES",
        "ClassSessionState": "attendance.models.State",
    },
}

# Web ------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Production serves hashed, compressed files that `collectstatic` made; the demo
# serves them from where they lie, so that one command is enough.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEMO
            else "attendance_site.storage.HashedStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = DEMO
if DEMO:
    # Empty, but WhiteNoise warns on every start when it is not there.
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_AUTOREFRESH = DEBUG

# Largest request body, in bytes: 413 above it. A bulk operation over 10,000 students
# needs about a tenth.
MAX_REQUEST_BYTES = env_int("ATTENDANCE_MAX_REQUEST_BYTES", 1024 * 1024, least=1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_REQUEST_BYTES
# A form that marks 10,000 ticked students without JavaScript.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_050

# How many reverse proxies of ours add to X-Forwarded-For; 0: the header is ignored.
TRUSTED_PROXIES = env_int("ATTENDANCE_TRUSTED_PROXIES", 0)

# Threads that serve HTTP inside the one ASGI process (`run.py serve`). SQLite has one
# writer: more threads only wait for it.
HTTP_THREADS = env_int(
    "ATTENDANCE_HTTP_THREADS",
    2 if _database["ENGINE"].endswith("sqlite3") else 4,
    least=1,
)

HTTPS = env_bool("ATTENDANCE_HTTPS", not DEMO)
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_ENGINE = "attendance_site.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = env_int("ATTENDANCE_HSTS_SECONDS", 0)
SECURE_REFERRER_POLICY = "same-origin"
if HTTPS and TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "attendance_site.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # data: for the small icons that the stylesheet and the API docs embed.
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en"
# There is nothing to choose from: with it every URL that is made and every number that
# is shown asks for the language first.
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# Operation ------------------------------------------------------------------------

# Who may read /metrics; without it, processes of this machine that ask directly.
METRICS_TOKEN = os.environ.get("ATTENDANCE_METRICS_TOKEN") or ""
LOGGING = logging_settings(
    env_choice("ATTENDANCE_LOG_FORMAT", "plain" if DEMO else "json", FORMATS),
    env_choice("ATTENDANCE_LOG_LEVEL", "WARNING" if DEMO else "INFO", LEVELS),
)
