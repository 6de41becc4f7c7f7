"""nginx with the configuration of `deploy/nginx/`, in front of the site."""

from __future__ import annotations

import http.client
import json
import os
import pwd
import shutil
import signal
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .process import HERE, ROOT, Host, free_port
from .site import SiteServer

SHIPPED = ROOT / "deploy" / "nginx"
BALANCER = "127.0.0.9"


def find_nginx() -> str | None:
    """nginx's path; Debian has it where only root looks."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


class NginxServer(SiteServer):
    """
    The shipped nginx.conf over TLS, with the given web and live processes behind it.

    The site's own files beside it are written here: the upstreams and http.conf are the
    shipped ones with other addresses and folders. Whoever asks from `BALANCER` is taken
    for a load balancer. `trusted` is a file with the certificate, `plain_port` the one
    without TLS; `changes` are to the text of nginx.conf.
    """

    name = "nginx"
    stop_signal = signal.SIGQUIT

    def __init__(
        self,
        web: Sequence[SiteServer],
        live: Sequence[SiteServer],
        *,
        port: int | None = None,
        host: Host = HERE,
        changes: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(port=port, host=host)
        self.web = web
        self.live = live
        self.changes = changes or {}
        self.plain_port = 0

    @property
    def url(self) -> str:
        return f"https://{self.host.address}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"wss://{self.host.address}:{self.port}"

    @property
    def trusted(self) -> Path:
        assert self.directory is not None
        return self.directory / "cert.pem"

    def connect(self, timeout: float = 10) -> http.client.HTTPConnection:
        return http.client.HTTPSConnection(
            self.host.address, self.port, timeout=timeout, context=self.tls
        )

    def rotate(self, state: str, process: SiteServer) -> None:
        """`deploy/nginx/rotate`, with this nginx and its file."""
        program, *options = self.command()[:-2]
        done = subprocess.run(
            [SHIPPED / "rotate", state, address_of(process)],
            env={
                **os.environ,
                "NGINX": " ".join([program, *options]),
                "PIDFILE": f"{self.directory}/nginx.pid",
                "UPSTREAMS": f"{self.directory}/site/upstreams.conf",
            },
            check=True,
            capture_output=True,
        )
        assert b"[emerg]" not in done.stderr, done.stderr

    def access_log(self) -> list[dict[str, Any]]:
        """What it has answered so far, as the log's format has it."""
        lines = Path(f"{self.directory}/access.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def answers_by(self, process: SiteServer) -> bool:
        """Ask something; whether it was that process that answered."""
        connection = self.connect()
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        finally:
            connection.close()
        return bool(self.access_log()[-1]["upstream"] == address_of(process))

    def prepare(self) -> None:
        assert self.directory is not None
        make_certificate(self.directory, self.host.address)
        self.tls = ssl.create_default_context(cafile=self.trusted)
        text = changed((SHIPPED / "nginx.conf").read_text(), self.changes)
        (self.directory / "nginx.conf").write_text(text)
        self.plain_port = free_port()
        (self.directory / "site").mkdir()
        shipped = (SHIPPED / "site" / "upstreams.conf").read_text()
        self._write("upstreams.conf", with_processes(shipped, self.web, self.live))

    def command(self) -> list[str]:
        found = find_nginx()
        assert found is not None, "there is no nginx"
        # The port is known only now.
        user = pwd.getpwuid(os.geteuid()).pw_name
        self._write("main.conf", f"user {user};\npid nginx.pid;\n")
        temporary = [
            f"{kind}_temp_path {self.directory}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ]
        changes = {
            "/var/log/nginx/": f"{self.directory}/",
            "/var/cache/": f"{self.directory}/",
            "listen 80;": f"listen {self.host.address}:{self.plain_port};",
            "#set_real_ip_from 10.0.0.1;": f"set_real_ip_from {BALANCER};",
            "#real_ip_header": "real_ip_header",
        }
        shipped = changed((SHIPPED / "site" / "http.conf").read_text(), changes)
        self._write("http.conf", "\n".join([*temporary, shipped]))
        self._write(
            "server.conf",
            f"listen {self.host.address}:{self.port} ssl http2;\n"
            "ssl_certificate cert.pem;\nssl_certificate_key key.pem;\n",
        )
        here = f"{self.directory}/"
        return [found, "-p", here, "-e", "stderr", "-c", "nginx.conf"] + [
            *("-g", "daemon off;")
        ]

    def is_ready(self) -> bool:
        connection = self.connect()
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 404
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _write(self, name: str, text: str) -> None:
        Path(f"{self.directory}/site/{name}").write_text(text)


def changed(shipped: str, changes: Mapping[str, str]) -> str:
    """The text with these changes, each of which must have something to change."""
    for before, after in changes.items():
        assert before in shipped, f"nothing shipped says {before}"
        shipped = shipped.replace(before, after)
    return shipped


def address_of(process: SiteServer) -> str:
    return f"{process.host.address}:{process.port}"


def with_processes(
    shipped: str, web: Sequence[SiteServer], live: Sequence[SiteServer]
) -> str:
    """The shipped upstreams with these processes: each as its first one is written."""
    lines: list[str] = []
    waiting: list[SiteServer] = []
    for line in shipped.splitlines():
        words = line.split()
        if words[:1] == ["upstream"]:
            waiting = list({"web": web, "live": live}[words[1]])
        if words[:1] == ["server"]:
            rest = " ".join(words[2:])
            lines += [f"    server {address_of(each)} {rest}" for each in waiting]
            waiting = []
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def make_certificate(directory: Path, address: str) -> None:
    """A certificate of its own for that address: cert.pem and key.pem."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"]
        + ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=attendance"]
        + ["-addext", f"subjectAltName=IP:{address}"]
        + ["-keyout", "key.pem", "-out", "cert.pem"],
        cwd=directory,
        check=True,
        capture_output=True,
    )
