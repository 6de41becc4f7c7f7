"""The files of deploy/, exercised: their command lines, nginx, and what is behind it."""
