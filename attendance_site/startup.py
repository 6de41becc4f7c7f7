"""What the entry points do before they serve."""

from __future__ import annotations

import gc

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

PRODUCTION = "production"

# So many more objects than at the last collection, and the young ones are looked at.
# One message to a thousand screens makes some ten thousand and drops them again.
YOUNG_OBJECTS = 10_000


def refuse_demo_settings() -> None:
    """
    Stop here unless this is the demo or the settings are fit for production.

    Raises ImproperlyConfigured with every finding and what to set.
    """
    if settings.DEMO:
        return
    found = checks.run_checks(tags=[PRODUCTION], include_deployment_checks=True)
    errors = [message for message in found if message.is_serious()]
    if errors:
        lines = "\n".join(f"  {error.id}: {error.msg} {error.hint}" for error in errors)
        raise ImproperlyConfigured(
            f"Not fit for production, so not started:\n{lines}\n"
            "To try the project out, use `python3 run.py serve`."
        )


def refuse_uncollected_files() -> None:
    """
    Stop here when pages would not find their style sheets: each would be an error.

    Raises ImproperlyConfigured with what to do. The demo collects nothing.
    """
    if not isinstance(staticfiles_storage, ManifestFilesMixin):
        return
    if not staticfiles_storage.hashed_files:
        raise ImproperlyConfigured(
            "Not started, because no static files were collected from "
            f"{settings.BASE_DIR}: run `deploy/serve manage collectstatic --no-input`."
        )


def spare_full_collections() -> None:
    """
    Keep the garbage collector away from what lasts as long as the process.

    For when everything is loaded. By Python's own threshold, every tenth message to a
    thousand screens waited for a collection that walked all their objects (0.2 s).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
