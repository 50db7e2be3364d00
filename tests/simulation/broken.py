"""What a history ends with if a promise is broken."""

from __future__ import annotations


class Broken(AssertionError):
    """Something that must always hold does not.

    Attributes:
        what: what is broken, in words that do not depend on the history.
    """

    def __init__(self, what: str, details: object = "") -> None:
        super().__init__(f"{what}: {details}" if details != "" else what)
        self.what = what
