"""
`manage.py runserver`, with the stream beside the pages.

daphne's own, without daphne among the installed apps: from there every process, also
those that serve HTTP alone, would import Twisted and keep its 25 MB.
"""

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
