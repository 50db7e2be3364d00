"""Fingerprints: one of an item's own fields, one of its credits with the people's fields.

They show whether an item is what was stored. Each is a hash of the normal form's texts, joined by NUL, which
no text may contain. The same pass over the joined text finds what cannot be stored (NUL, lone surrogates).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from mediasync.rows import NormalItem

RULE: Final = "2"
"""The version of the rule by which fingerprints are made; it stands before each of them."""


def item_texts(normal: NormalItem) -> list[str]:
    """Return all texts of an item that its own fingerprint is made of."""
    texts = [normal.remote_id, normal.media_type, normal.parent_id or ""]
    texts += ["" if value is None else str(value) for value in normal.values]
    for values in (normal.external_ids, normal.genres, normal.ratings, normal.images):
        texts.append(str(len(values)))
        for value in values:
            texts += [value] if isinstance(value, str) else map(str, value)
    return texts


def fingerprint(texts: list[str], change_token: str | None) -> str | None:
    """Return the fingerprint of *texts*, or None if one of them, or the change token, cannot be stored."""
    token = change_token or ""
    try:
        encoded = "\0".join(texts).encode()
        token.encode()
    except UnicodeEncodeError:
        return None
    if encoded.count(0) != max(len(texts) - 1, 0) or "\0" in token:
        return None
    return f"{RULE}:{blake2b(encoded, digest_size=16).hexdigest()}"


def is_current(fingerprint: str | None) -> bool:
    """Return whether a stored fingerprint was made by the current rule."""
    return fingerprint is not None and fingerprint.startswith(f"{RULE}:")
