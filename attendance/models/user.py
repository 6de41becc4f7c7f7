from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models

from attendance import rows


class PeopleManager(UserManager["User"]):
    """Django's, which finds one person by id without the ORM's compiler."""

    use_in_migrations = False

    def get(self, *args: Any, **kwargs: Any) -> User:
        # What every request that bears a session cookie asks for. Managers of a
        # relation are made as subclasses, and have more conditions of their own. What
        # is no id, or fits none, is answered by the ORM.
        key = kwargs.get("pk")
        if (
            type(self) is not PeopleManager
            or args
            or len(kwargs) != 1
            or type(key) is not int
            or not 0 < key <= models.BigIntegerField.MAX_BIGINT
        ):
            return super().get(*args, **kwargs)
        found = rows.first(self.model, "r.id = %s", [key])
        if found is None:
            raise self.model.DoesNotExist(f"There is no person {key}.")
        return found


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

    objects: ClassVar[PeopleManager] = PeopleManager()

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
