from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


def shown_name(name: str, username: str) -> str:
    """A person's name as everybody reads it; see `User.display_name`."""
    return name or username


class User(AbstractUser):
    """
    A person who can log in: teacher, student or administrator.

    Who is what follows from relations (teaches, is enrolled) and from `is_staff`,
    never from a role stored here. Names are one field: not everybody has two.
    """

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    name = models.CharField(max_length=150, help_text="As shown on rosters.")

    REQUIRED_FIELDS = ["name", "email"]

    class Meta(AbstractUser.Meta):
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """The name for people to read; the user name where none was given."""
        return shown_name(self.name, self.username)

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name
