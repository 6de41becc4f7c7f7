"""`manage.py seed_demo`: make the demo school, or extend it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from attendance.demo import school
from attendance.demo.listing import as_json


class Command(BaseCommand):
    help = (
        "Make the demo school, or extend it to so many courses and students in all. "
        "What is there is left as it is. Every demo person has the same password."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--courses",
            type=int,
            default=school.BASE_COURSES,
            metavar="N",
            help=f"courses in all, at least {school.LEAST_COURSES} "
            "(default %(default)s)",
        )
        parser.add_argument(
            "--students",
            type=int,
            default=school.BASE_STUDENTS,
            metavar="N",
            help=f"students in all, at least {school.LEAST_STUDENTS}: in each course "
            "somebody is enrolled and somebody is not (default %(default)s)",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print the school as one JSON object, with a new API token for each "
            "person; earlier tokens stay valid",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="add the demo school also to a database that holds people or courses "
            "that are not the demo's; these are left as they are",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for name, least in (
            ("courses", school.LEAST_COURSES),
            ("students", school.LEAST_STUDENTS),
        ):
            if options[name] < least:
                raise CommandError(f"--{name} must be at least {least}.")
        if not settings.DEMO:
            self.stderr.write(
                "ATTENDANCE_DEMO is not set: note that everybody knows the password "
                "of the demo's people, the administrator among them."
            )
        try:
            school.seed(
                courses=options["courses"],
                students=options["students"],
                force=options["force"],
            )
        except school.ForeignDataError as error:
            raise CommandError(
                f"{error} Nothing was changed. Use --force to add the demo school "
                "all the same."
            ) from None
        if options["json"]:
            self.stdout.write(json.dumps(as_json(), indent=2))
            return
        self.stdout.write(
            f"The demo school has {school.demo_courses().count()} courses, "
            f"{school.demo_people('teacher').count()} teachers and "
            f"{school.demo_people('student').count()} students. "
            f"The password of all is {school.PASSWORD}"
        )
