"""API tokens, as far as more than the API has to do with them."""

from __future__ import annotations

from knox.models import AuthToken

from attendance.models import User


def revoke_tokens(user: User) -> None:
    """
    Revoke every API token of `user`, as a new password must.

    Whoever had the old password may have made one, which would outlive it.
    """
    AuthToken.objects.filter(user=user).delete()
