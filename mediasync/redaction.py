"""Cutting user names, passwords and tokens out of paths and URLs before they are stored or shown."""

from __future__ import annotations

import re
from typing import Final

_USERINFO: Final = re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^/\s?#]*@")
_ENCODED_USERINFO: Final = re.compile(r"(?i)([a-z][a-z0-9+.-]*%3a%2f%2f)(?:(?!%2f)[^/\s])*%40")
_NAMES: Final = (
    "(?:x-(?:plex|emby|mediabrowser)-)?token|access[_-]?token|auth[_-]?token|api[_-]?key|authorization|"
    "auth|cookie|password|passwd|pwd|pw|secret|signature|sig"
)
_SECRET_PARAMETER: Final = re.compile(rf"(?i)([?&;|])(?:{_NAMES})=[^&;#|\s]*")
_LEFT_OVER: Final = re.compile(r"([?|])[&;]+|[?&;|]+(?=$|#)")


def without_secrets(text: str) -> str:
    """Return a path or a URL without user name, password and token parameters.

    Kodi's forms are met as well: ``|`` before HTTP headers, and one URL percent-encoded inside another.

    Example:
        >>> without_secrets("smb://me:secret@nas/films/Heat.mkv")
        'smb://nas/films/Heat.mkv'
        >>> without_secrets("https://host/photo.jpg?X-Plex-Token=abc&width=300")
        'https://host/photo.jpg?width=300'
    """
    if "@" not in text and "=" not in text and "%40" not in text:
        return text
    text = _USERINFO.sub(r"\1", text)
    text = _ENCODED_USERINFO.sub(r"\1", text)
    shorter = _SECRET_PARAMETER.sub(r"\1", text)
    return text if shorter == text else _LEFT_OVER.sub(r"\1", shorter)
