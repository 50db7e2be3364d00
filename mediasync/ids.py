"""Ids of items, people and libraries, unique across sources.

An id is ``{source_id}:{remote_id}``; the first colon separates the two. Where a source has no ids of people
(Kodi over JSON-RPC, NFO files), a person's key is derived from the name or from ids at public providers.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from mediasync.errors import InvalidId

SOURCE_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
NAME_KEY_PREFIX: Final = "name:"
MAX_DERIVED_KEY_BYTES: Final = 200
MAX_SOURCE_ID_LENGTH: Final = 100
_PREFERRED_PROVIDERS: Final = ("tmdb", "imdb", "tvdb")
_HASHED_PREFIX_BYTES: Final = 100
_MOST_BYTES_OF_CHARACTER: Final = 4


def check_source_id(source_id: str) -> str:
    """Return *source_id* if it may name a source, else raise `InvalidId`.

    Example:
        >>> check_source_id("plex-home")
        'plex-home'
    """
    if not isinstance(source_id, str):
        raise InvalidId(f"a {type(source_id).__name__} cannot name a source: give its id, a text")
    if not SOURCE_ID.fullmatch(source_id):
        raise InvalidId(
            f"{source_id[:MAX_SOURCE_ID_LENGTH]!r} cannot name a source: use lower-case letters, digits, '-' "
            "and '_', starting with a letter or a digit"
        )
    if len(source_id) > MAX_SOURCE_ID_LENGTH:
        raise InvalidId(
            f"{source_id[:20]!r}… cannot name a source: it has {len(source_id):,} characters, and "
            f"at most {MAX_SOURCE_ID_LENGTH} are allowed"
        )
    return source_id


def make_id(source_id: str, remote_id: str) -> str:
    """Compose an id from a source's id and the source's own key.

    Example:
        >>> make_id("home", "603")
        'home:603'
    """
    return f"{source_id}:{remote_id}"


def split_id(full_id: str) -> tuple[str, str]:
    """Split an id into the source's id and the source's own key.

    Raises:
        InvalidId: if *full_id* has no colon, an impossible source id or an empty key.

    Example:
        >>> split_id("home:name:keanu reeves")
        ('home', 'name:keanu reeves')
    """
    if not isinstance(full_id, str):
        raise InvalidId(f"a {type(full_id).__name__} is not an id: give a text, SOURCE:KEY")
    source_id, colon, remote_id = full_id.partition(":")
    if not colon or not remote_id:
        raise InvalidId(f"{full_id[:200]!r} is not an id: write SOURCE:KEY, for example 'home:603'")
    return check_source_id(source_id), remote_id


def derive_person_key(name: str, provider_ids: Mapping[str, str]) -> str:
    """Return the key of a person for whom the source has no id of its own.

    The key is a provider's id where there is one (``tmdb:6384``; of several, the first of tmdb, imdb, tvdb
    and the others by name). Otherwise it is ``name:`` and the name: in NFC, white space trimmed and
    collapsed, case folded. A key over 200 bytes of UTF-8 is replaced by a prefix of it and its SHA-256.

    Example:
        >>> derive_person_key("  Keanu   REEVES ", {})
        'name:keanu reeves'
        >>> derive_person_key("Keanu Reeves", {"imdb": "nm0000206"})
        'imdb:nm0000206'
    """
    if provider_ids:
        for _, key in _keys_in_order(provider_ids):
            return key
    return name_key(name)


def provider_keys(provider_ids: Mapping[str, str]) -> dict[str, str]:
    """Return a person's possible keys from ids at providers, by provider, the preferred one first.

    Example:
        >>> provider_keys({"imdb": "nm0000206", "tmdb": "6384"})
        {'tmdb': 'tmdb:6384', 'imdb': 'imdb:nm0000206'}
    """
    return dict(_keys_in_order(provider_ids))


def _keys_in_order(provider_ids: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for provider in _PREFERRED_PROVIDERS:
        if value := provider_ids.get(provider):
            yield provider, _bounded(f"{provider}:{value}")
    for provider, value in sorted(provider_ids.items()):
        if value and provider not in _PREFERRED_PROVIDERS:
            yield provider, _bounded(f"{provider}:{value}")


def name_key(name: str) -> str:
    """Return the key that is derived from a name.

    Example:
        >>> name_key("  Keanu   REEVES ")
        'name:keanu reeves'
    """
    if name.isascii():  # such a name is in NFC, and lower() folds its case
        folded = name.lower()
    else:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return _bounded(NAME_KEY_PREFIX + " ".join(folded.split()))


def _bounded(key: str) -> str:
    if len(key) <= MAX_DERIVED_KEY_BYTES // _MOST_BYTES_OF_CHARACTER:
        return key
    encoded = key.encode("utf-8", "surrogatepass")
    if len(encoded) <= MAX_DERIVED_KEY_BYTES:
        return key
    prefix = encoded[:_HASHED_PREFIX_BYTES].decode("utf-8", "ignore")
    return f"{prefix}#{hashlib.sha256(encoded).hexdigest()}"
