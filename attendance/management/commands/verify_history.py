"""`manage.py verify_history`: whether anybody has tampered with the history."""

from __future__ import annotations

import dataclasses
import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from attendance import verification
from attendance.models import ClassSession


class Command(BaseCommand):
    help = (
        "Check the seal of every event, rebuild every record from its events and "
        "compare. Names what differs and exits with 1; changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--class-session",
            type=int,
            action="append",
            metavar="ID",
            help="Only this class session; may be given several times.",
        )
        parser.add_argument(
            "--export-heads",
            type=Path,
            metavar="FILE",
            help="Write the last hash of each class session, one JSON object a line, "
            "to be kept where nobody who can write to the database can.",
        )
        parser.add_argument(
            "--compare-heads",
            type=Path,
            metavar="FILE",
            help="Also check that what was exported then is still part of the history.",
        )

    def handle(
        self,
        *args: Any,
        class_session: list[int] | None,
        export_heads: Path | None,
        compare_heads: Path | None,
        **options: Any,
    ) -> None:
        kept = read_heads(compare_heads) if compare_heads else []
        found = 0
        heads: list[verification.Head] = []
        events = records = 0
        for finding in verification.verify_database():
            self.stdout.write(finding)
            found += 1
        for class_session_id in self._asked(class_session):
            verified = verification.verify_class_session(class_session_id)
            heads.append(verified.head)
            events += verified.events
            records += verified.records
            for finding in verified.findings:
                self.stdout.write(finding)
                found += 1
        for finding in verification.compare_heads(kept):
            self.stdout.write(finding)
            found += 1
        looked_at = f"{len(heads)} class sessions, {events} events, {records} records"
        if found:
            # A head of what is not as written would only vouch for it.
            raise CommandError(f"{looked_at}: {found} differences, named above.")
        if export_heads:
            lines = [json.dumps(dataclasses.asdict(head)) + "\n" for head in heads]
            export_heads.write_text("".join(lines))
        self.stdout.write(f"{looked_at}: all as written.")

    def _asked(self, class_session: list[int] | None) -> Iterator[int]:
        ids = ClassSession.objects.order_by("pk").values_list("pk", flat=True)
        if class_session is None:
            yield from ids.iterator()
            return
        there = set(ids.filter(pk__in=class_session))
        for class_session_id in class_session:
            if class_session_id not in there:
                raise CommandError(f"There is no class session {class_session_id}.")
            yield class_session_id


def read_heads(path: Path) -> list[verification.Head]:
    """The heads of an earlier export. Raises CommandError where it is none."""
    try:
        return [
            verification.Head(**json.loads(line))
            for line in path.read_text().splitlines()
        ]
    except (OSError, ValueError, TypeError) as error:
        raise CommandError(f"{path} cannot be read as heads: {error}") from None
