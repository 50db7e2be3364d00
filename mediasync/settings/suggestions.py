"""Suggestions for unknown names of settings, tables and environment variables."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_ALIKE: Final = 0.75
"""How similar two names must be for one to be a misspelling of the other, from 0 to 1."""

_OTHER_WORDS: Final = {
    "sources": ("source", "server", "servers", "backend", "backends"),
    "database": ("db", "storage", "database_url", "dsn"),
    "file_mode": ("mode", "permissions", "chmod", "umask"),
    "kind": ("type", "backend"),
    "name": ("title", "label"),
    "folder": ("path", "directory", "dir", "root"),
    "url": ("address", "host", "hostname", "server", "uri", "link", "endpoint", "port", "path", "file"),
    "token": ("key", "api_key", "apikey", "access_token", "secret"),
    "username": ("user", "user_name", "login", "account"),
    "password": ("pass", "passwd", "pw", "passphrase"),
    "timezone": ("tz", "time_zone", "zone"),
    "include": ("library", "libraries", "only", "sections"),
    "exclude": ("ignore", "skip"),
    "verify": ("ssl", "tls", "verify_ssl", "insecure", "cert", "certificate", "ca", "ca_file"),
    "headers": ("header", "http_headers"),
    "read_timeout": ("timeout",),
    "tries": ("retries", "retry", "attempts"),
    "concurrency": ("parallel", "threads", "workers", "connections"),
}
"""Other words for each setting. If a word stands for two settings, the first one that exists is suggested."""


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that *name* probably means, or None if it resembles none of them.

    The name may be misspelt, another word for the same thing, or both.

    Example:
        >>> suggestion("verfy", ["url", "verify"]), suggestion("adress", ["url", "headers"])
        ('verify', 'url')
        >>> suggestion("ulr", ["url", "headers"])
        'url'
        >>> suggestion("x", ["url", "headers"]) is None
        True
    """
    meant = {word: word for word in known}
    for setting, words in _OTHER_WORDS.items():
        if setting in meant:
            for word in words:
                meant.setdefault(word, setting)
    written = name.lower().replace("-", "_")
    swapped = [word for word in meant if sorted(word) == sorted(written)]
    near = swapped or get_close_matches(written, meant, 1, _ALIKE)
    return meant[near[0]] if near else None


def unknown_setting(name: str, known: Iterable[str]) -> str:
    """Return the message about a setting that does not exist.

    Example:
        >>> unknown_setting("verfy", ["url", "verify"])
        'is not a setting; did you mean verify?'
    """
    return unknown_name(name, known, "a setting")


def unknown_name(name: str, known: Iterable[str], what: str) -> str:
    """Return the message about a name that does not exist.

    Args:
        name: the unknown name.
        known: the names that exist.
        what: what they name, with its article.

    Example:
        >>> unknown_name("vhs", ["nfo", "plex"], "a kind of source")
        'is not a kind of source; there are: nfo, plex'
    """
    names = list(known)
    if near := suggestion(name, names):
        return f"is not {what}; did you mean {near}?"
    return f"is not {what}; there are: {', '.join(names)}"
