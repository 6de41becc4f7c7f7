"""`manage.py runserver` has the stream, too; what serves HTTP alone has none of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from attendance.models import ClassSession, User
from tests.live import open_stream, session_path
from tests.servers import SiteServer
from tests.servers.process import ROOT
from tests.servers.site import site_environment


class DevelopmentServer(SiteServer):
    """Without the reloader, whose child would outlive a process that is ended."""

    name = "manage.py runserver"

    def command(self) -> list[str]:
        listen = f"{self.host.address}:{self.port}"
        return [sys.executable, "manage.py", "runserver", "--noreload", listen]


@pytest.mark.django_db(transaction=True)
def test_a_stream_of_the_development_server(
    class_session: ClassSession, teacher: User
) -> None:
    with (
        DevelopmentServer() as site,
        open_stream(site, session_path(class_session), user=teacher) as stream,
    ):
        assert stream.next()["type"] == "snapshot"


@pytest.mark.django_db
def test_http_alone_loads_nothing_of_the_streams_server() -> None:
    """It would keep Twisted's 25 MB for nothing."""
    ask = "import sys, attendance_site.wsgi, attendance_site.urls; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=ROOT,
        env=site_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.split()
    assert "attendance.pages" in loaded
    assert "twisted" not in loaded
