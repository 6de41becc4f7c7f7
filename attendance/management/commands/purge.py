"""`manage.py purge`: delete what has had its day; for a timer, once a night."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from attendance.services.purge import purge


class Command(BaseCommand):
    help = (
        "Delete expired log-in sessions and API tokens, kept answers older than a day "
        "and counted attempts that no longer count. Never deletes attendance."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for purged in purge(timezone.now()):
            self.stdout.write(f"{purged.number} {purged.what} deleted")
