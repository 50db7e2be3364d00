"""What an item of a source was at one time, and what a run was shown."""

from __future__ import annotations

from dataclasses import dataclass, field

Triple = tuple[str, str, str]
"""The id of a person, the person type, the role."""


@dataclass(frozen=True)
class Content:
    """What an item was at one time.

    Attributes:
        title: names the item and the version.
        work: what it is, whatever its key; two copies of a film are one work.
        parent: the key of its parent, or "".
        credits: the whole credit list.
        refused: whether the database will not take it.
    """

    title: str
    work: str
    parent: str
    credits: tuple[Triple, ...]
    refused: bool = False

    @property
    def fields(self) -> tuple[str, str, str]:
        """Everything but the credits."""
        return self.title, self.work, self.parent


@dataclass
class Seen:
    """What one run was shown.

    Attributes:
        shown: what was read, by key: the last content of each, and whether its credits were all shown.
        unchanged: what was named without being read, by key.
        whole: whether everything was listed and could be read.
    """

    shown: dict[str, tuple[Content, bool]] = field(default_factory=dict)
    unchanged: dict[str, Content] = field(default_factory=dict)
    whole: bool = True
