"""What the entry points do before they serve."""

from __future__ import annotations

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

PRODUCTION = "production"


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
