"""Run a program of PostgreSQL's on the database of DATABASE_URL.

    python deploy/libpq.py pg_dump --format=custom

The URL goes there in pieces, by the environment: `ps` shows arguments to everybody, and
a password is one of the pieces.
"""

import os
import sys

from psycopg import OperationalError
from psycopg.pq import Conninfo

# What a URL may say to Django, its reader and psycopg, and libpq does not know.
FOR_THE_SITE_ONLY = {
    "assume_role",
    "currentSchema",
    "isolation_level",
    "prepare_threshold",
    "server_side_binding",
}


def for_libpq(url: str) -> str:
    """The URL without what is for the site only."""
    # As it is written: libpq and Python read a + differently.
    where, _, query = url.partition("?")
    kept = [
        parameter
        for parameter in query.split("&")
        if parameter.partition("=")[0] not in FOR_THE_SITE_ONLY
    ]
    return f"{where}?{'&'.join(kept)}"


def main() -> None:
    program, *arguments = sys.argv[1:]
    try:
        options = Conninfo.parse(for_libpq(os.environ["DATABASE_URL"]).encode())
    except OperationalError as problem:
        sys.exit(f"DATABASE_URL makes no sense to PostgreSQL: {problem}")
    pieces = {
        option.envvar.decode(): option.val.decode()
        for option in options
        if option.envvar and option.val is not None
    }
    os.execvpe(program, [program, *arguments], {**os.environ, **pieces})


if __name__ == "__main__":
    main()
