"""Faults on purpose: servers that end, hang and lose messages, and their screens."""
