"""Real servers for tests: PostgreSQL, Redis and the site itself.

`RedisServer`, `PostgresServer` and `SiteServer` are context managers that a test
may stop, kill, freeze, thaw and restart; all of them listen on 127.0.0.1 only.
The session's own servers, which all tests share, come from `ensure_servers`.
"""

from .database import new_database
from .postgres import PostgresServer
from .process import Server, ServerError, free_port
from .redis import RedisServer
from .session import ensure_servers
from .site import SiteServer, manage, site_environment, url_of_database

__all__ = [
    "PostgresServer",
    "RedisServer",
    "Server",
    "ServerError",
    "SiteServer",
    "ensure_servers",
    "free_port",
    "manage",
    "new_database",
    "site_environment",
    "url_of_database",
]
