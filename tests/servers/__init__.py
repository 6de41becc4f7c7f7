"""Real servers for tests: PostgreSQL, Redis and the site itself.

`RedisServer`, `PostgresServer` and `SiteServer` are context managers that a test
may stop, kill, freeze, thaw and restart. They listen on 127.0.0.1 only, or on the
address of a `Host` that the test has made.
The session's own servers, which all tests share, come from `ensure_servers`.
"""

from .database import new_database
from .nginx import NginxServer
from .pgbouncer import PgBouncerServer
from .postgres import PostgresServer
from .process import Host, Server, ServerError, free_port
from .production import ProductionServer, collect_static, production_environment
from .redis import RedisServer, SentinelServer
from .session import ensure_servers
from .site import SiteServer, manage, site_environment, url_of_database

__all__ = [
    "Host",
    "NginxServer",
    "PgBouncerServer",
    "PostgresServer",
    "ProductionServer",
    "RedisServer",
    "SentinelServer",
    "Server",
    "ServerError",
    "SiteServer",
    "collect_static",
    "ensure_servers",
    "free_port",
    "manage",
    "production_environment",
    "new_database",
    "site_environment",
    "url_of_database",
]
