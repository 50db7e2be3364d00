"""Kodi's references to pictures. Pure."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from mediasync.text import without_secrets

_WRAPPER: Final = "image://"
_BUILT_IN: Final = re.compile(r"(image://)?Default\w*\.png/?")
_WEB: Final = re.compile(r"(?i)https?://(?P<host>\[[^\]\s]+\]|[^/\s?#:@]+)(:\d+)?/\S*")
_LOCAL_NAMES: Final = (".local", ".lan", ".home", ".internal", ".localdomain", ".home.arpa")


@lru_cache(maxsize=8192)
def image_reference(text: str) -> str | None:
    """Return a picture as it is stored: a public address as it is, all else as Kodi names it.

    Kodi wraps the source of a picture as ``image://`` + source, percent-encoded, + ``/``. What only Kodi can
    open (a file, a share, a server at home) keeps that form: Kodi serves it at ``/image/`` + the reference,
    percent-encoded once more. Kodi's own icons are nobody's picture.

    Example:
        >>> image_reference("image://https%3a%2f%2fimage.tmdb.org%2ft%2fp%2foriginal%2fa.jpg/")
        'https://image.tmdb.org/t/p/original/a.jpg'
        >>> image_reference("image://smb%3a%2f%2fme%3asecret%40nas%2ffilms%2fHeat%2fposter.jpg/")
        'image://smb%3a%2f%2fnas%2ffilms%2fHeat%2fposter.jpg/'
        >>> image_reference("image://DefaultVideo.png/")
    """
    text = text.strip()
    if not text or _BUILT_IN.fullmatch(text):
        return None
    source = text
    if text.startswith(_WRAPPER):
        source = unquote(text.removeprefix(_WRAPPER).removesuffix("/"))
    return without_secrets(source if _is_public(source) else text)


def _is_public(source: str) -> bool:
    """Tell whether *source* is an address that others can open too."""
    match = _WEB.fullmatch(source)
    if match is None or "\ufffd" in source:
        return False
    host = match["host"].strip("[]").lower()
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_LOCAL_NAMES)
