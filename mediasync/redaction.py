"""Cutting user names, passwords and tokens out of paths and URLs before they are stored or shown."""

from __future__ import annotations

import re
from typing import Final

# "image://video@…" of Kodi names what the picture is of, and nobody.
_USERINFO: Final = re.compile(
    r"(?i)(?<![a-z0-9+.-])(?!image://[^/\s?#:@%]*@)([a-z][a-z0-9+.-]*://)[^/\s?#]*@"
)
# A password that was not encoded may hold anything; what follows the colon of a port is a number and a slash.
_RAW_PASSWORD: Final = re.compile(
    r"(?i)([a-z][a-z0-9+.-]*://)[^/\s?#:@\[]*:(?!//|\d{1,5}(?:[/?#\s]|$))[^@\r\n]*?@"
)
_ENCODED_USERINFO: Final = re.compile(
    r"(?i)([a-z][a-z0-9+.-]*%(?:25)*3a%(?:25)*2f%(?:25)*2f)(?:(?!%(?:25)*2f)[^/\s])*%(?:25)*40"
)
_NAMES: Final = (
    r"[\w-]*(?:token|authorization|api[_-]?key|password|passwd|secret|signature)|auth|cookie|pwd|pw|sig"
)
_SECRET_PARAMETER: Final = re.compile(rf"(?i)([?&;|#])(?:{_NAMES})=[^&;#|\s]*")
_ENCODED_PARAMETER: Final = re.compile(
    rf"(?i)(%(?:25)*(?:3f|26|3b|7c|23))(?:{_NAMES})%(?:25)*3d(?:(?!%(?:25)*(?:26|3b|7c|23))[^&;#|\s/])*"
)
_LEFT_OVER: Final = re.compile(r"[?&;|]+(?=$|#)|([?|#&;])[&;]+|#$")
_ENCODED_LEFT_OVER: Final = re.compile(
    r"(?i)(?:%(?:25)*(?:3f|26|3b|7c|23))+(?=$|[&/#|])|(%(?:25)*(?:3f|7c|23|26|3b))(?:%(?:25)*(?:26|3b))+"
)


def without_secrets(text: str) -> str:
    """Return a path or a URL without user name, password and token parameters.

    Kodi's forms are met as well: ``|`` before HTTP headers, and one URL percent-encoded inside another.

    Example:
        >>> without_secrets("smb://me:secret@nas/films/Heat.mkv")
        'smb://nas/films/Heat.mkv'
        >>> without_secrets("https://host/photo.jpg?X-Plex-Token=abc&width=300")
        'https://host/photo.jpg?width=300'
    """
    if "@" not in text and "%" not in text and ("=" not in text or not _SECRET_PARAMETER.search(text)):
        return text
    for userinfo in (_RAW_PASSWORD, _USERINFO, _ENCODED_USERINFO):
        text = userinfo.sub(r"\1", text)
    for parameter, left_over in (
        (_ENCODED_PARAMETER, _ENCODED_LEFT_OVER),
        (_SECRET_PARAMETER, _LEFT_OVER),
    ):
        shorter = parameter.sub(r"\1", text)
        text = text if shorter == text else left_over.sub(r"\1", shorter)
    return text
