"""The files of deploy/, exercised: command lines, nginx, and what is behind it."""
