"""Who loses the right to watch is disconnected within one heartbeat, code 4403."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from attendance.models import ClassSession, User
from attendance.services.courses import remove_teacher
from tests.cast import PASSWORD, make_user
from tests.live import open_stream, session_path
from tests.servers import SiteServer

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_works(
    site: SiteServer,
    teacher: User,
    co_teacher: User,
    admin: User,
    student: User,
    class_session: ClassSession,
) -> None:
    path = session_path(class_session)
    client = Client()
    client.force_login(teacher)
    cookie = {
        "Cookie": f"sessionid={client.cookies['sessionid'].value}",
        "Origin": site.url,
    }
    second_admin = make_user("admin2", "Berta Admin", is_staff=True)
    with ExitStack() as stack:
        logged_out = stack.enter_context(open_stream(site, path, headers=cookie))
        removed = stack.enter_context(open_stream(site, path, user=co_teacher))
        revoked = stack.enter_context(open_stream(site, path, user=admin))
        demoted = stack.enter_context(open_stream(site, path, user=second_admin))
        deactivated = stack.enter_context(open_stream(site, "me/", user=student))
        stays = stack.enter_context(open_stream(site, path, user=teacher))
        streams = [logged_out, removed, revoked, demoted, deactivated]
        for stream in [*streams, stays]:
            stream.receive()

        client.post("/accounts/logout/")
        remove_teacher(course=class_session.course, user_id=co_teacher.pk)
        AuthToken.objects.filter(user=admin).delete()
        User.objects.filter(pk=second_admin.pk).update(is_staff=False)
        User.objects.filter(pk=student.pk).update(is_active=False)

        assert [stream.close_code() for stream in streams] == [4403] * 5
        assert stays.heartbeat()["revision"] == 1


def test_an_expired_token_and_a_changed_password_end_the_stream(
    site: SiteServer, teacher: User, co_teacher: User, class_session: ClassSession
) -> None:
    path = session_path(class_session)
    client = Client()
    client.login(username=co_teacher.username, password=PASSWORD)
    cookie = {
        "Cookie": f"sessionid={client.cookies['sessionid'].value}",
        "Origin": site.url,
    }
    with (
        open_stream(site, path, user=teacher) as expired,
        open_stream(site, path, headers=cookie) as changed,
    ):
        expired.receive(), changed.receive()
        AuthToken.objects.filter(user=teacher).update(expiry=timezone.now())
        co_teacher.set_password("another password")
        co_teacher.save()

        assert expired.close_code() == 4403
        assert changed.close_code() == 4403
