"""Between this process's publisher and the broker: loses, repeats, holds back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from attendance.publisher import Publication, publisher


class Wire:
    """
    What happens to the publications of services that run in this process.

    Each of `losing`, `repeating` and `holding` holds for as long as it is True. What
    was held back is sent by `release`, the latest first.
    """

    def __init__(self) -> None:
        self.losing = False
        self.repeating = False
        self.holding = False
        self._held: list[Publication] = []
        self._submit = publisher.submit

    def submit(self, publication: Publication) -> None:
        if self.losing:
            return
        if self.holding:
            self._held.append(publication)
            return
        self._submit(publication)
        if self.repeating:
            self._submit(publication)

    def release(self) -> None:
        """Send what was held back, in the wrong order."""
        self.holding = False
        while self._held:
            self._submit(self._held.pop())


@contextlib.contextmanager
def tampered_wire() -> Iterator[Wire]:
    """A wire in the publisher's place; afterwards the publisher is as before."""
    wire = Wire()
    publisher.submit = wire.submit  # type: ignore[method-assign]
    try:
        yield wire
    finally:
        del publisher.submit
        publisher.flush()
