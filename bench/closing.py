"""Closing a class session in which nobody has been marked."""

from __future__ import annotations

from bench.bulk import measure
from bench.figures import Section
from bench.lab import Lab


def run(lab: Lab) -> Section:
    return measure(lab, closing=True)
