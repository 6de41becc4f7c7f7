"""Run a program of PostgreSQL's on the database of DATABASE_URL.

    python deploy/libpq.py pg_dump --format=custom

The URL goes there in pieces, by the environment: `ps` shows arguments to everybody, and
a password is one of the pieces.
"""

import os
import sys

from psycopg.pq import Conninfo


def main() -> None:
    program, *arguments = sys.argv[1:]
    options = Conninfo.parse(os.environ["DATABASE_URL"].encode())
    pieces = {
        option.envvar.decode(): option.val.decode()
        for option in options
        if option.envvar and option.val is not None
    }
    os.execvpe(program, [program, *arguments], {**os.environ, **pieces})


if __name__ == "__main__":
    main()
