"""The body of a webhook, read field by field with clear errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mediasync.errors import HookUnreadable
from mediasync.hints import Hint

SCAN_SECONDS: Final = 60.0
"""How long hints of Radarr and Sonarr wait: they report before the media server has scanned the files."""


@dataclass(frozen=True, slots=True)
class Hook:
    """What a webhook says.

    Attributes:
        sender: the program that posted it: ``plex``, ``jellyfin``, ``emby``, ``radarr`` or ``sonarr``.
        event: the name that the program has for the event.
        hints: what may have changed; none if the event says nothing of the library.
    """

    sender: str
    event: str
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True, slots=True)
class Payload:
    """An object of the body.

    Attributes:
        sender: the program that posted it.
        data: the decoded object.
        path: where it is in the body, for messages; empty for the body itself.
    """

    sender: str
    data: Mapping[str, Any]
    path: str = ""

    def text(self, name: str) -> str:
        """Return a text that must be there.

        Raises:
            HookUnreadable: if it is not there, or not a text.
        """
        value = self.data.get(name)
        if not isinstance(value, str) or not value.strip():
            raise HookUnreadable(f"{self._of(name)} is {_shown(value)}, where a text is expected")
        return value.strip()

    def key(self, name: str) -> str:
        """Return an id that must be there: a text, or a whole number.

        Raises:
            HookUnreadable: if it is not there, or neither of them.
        """
        if (key := self.find_key(name)) is None:
            raise HookUnreadable(
                f"{self._of(name)} is {_shown(self.data.get(name))}, where an id is expected"
            )
        return key

    def find_key(self, name: str) -> str | None:
        """Return an id, or None if it is not there, empty, 0, or not an id."""
        value = self.data.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return None
        return str(value).strip() if value and str(value).strip() != "0" else None

    def record(self, name: str) -> Payload:
        """Return an object that must be there.

        Raises:
            HookUnreadable: if it is not there, or not an object.
        """
        value = self.data.get(name)
        if not isinstance(value, Mapping):
            raise HookUnreadable(f"{self._of(name)} is {_shown(value)}, where an object is expected")
        return Payload(self.sender, value, f"{self.path}{name}.")

    def records(self, name: str) -> list[Payload]:
        """Return the objects of a list; none if it is not there.

        Raises:
            HookUnreadable: if it is not a list of objects.
        """
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            raise HookUnreadable(f"{self._of(name)} is not a list of objects")
        return [
            Payload(self.sender, one, f"{self.path}{name}[{number}].") for number, one in enumerate(value)
        ]

    def _of(self, name: str) -> str:
        return f"{self.path}{name} in the webhook of {self.sender.capitalize()}"


def _shown(value: Any) -> str:
    return "missing" if value is None else f"{value!r}"[:60]
