"""Texts and ids as an assistant gets them."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date, datetime
from typing import Final

from mediasync.display import safe
from mediasync.errors import UsageError

LONGEST_NAME: Final = 200
LONGEST_PLOT: Final = 2_000
LONGEST_MESSAGE: Final = 1_500

# No font draws them, but a language model reads them as letters.
_TAGS: Final = re.compile("[\U000e0000-\U000e007f]")
_LONGEST_PLAIN_ID: Final = 2_000
_ENCODED: Final = "~"


def clean(text: object, longest: int = LONGEST_NAME) -> str:
    """Return a text of a server in one line, cut, without controls, overrides of direction and tags.

    Example:
        >>> clean("Heat\\x1b[31m\\n(1995)")
        'Heat[31m (1995)'
    """
    plain = str(text)[: 8 * longest]
    return safe(_TAGS.sub("", plain), longest)


def clean_or_none(text: object, longest: int = LONGEST_NAME) -> str | None:
    """Return a text as `clean` does; None for None and for a text of which nothing is left."""
    return None if text is None else clean(text, longest) or None


def shown_id(full_id: str) -> str:
    """Return an id as an assistant gets it, and gives it back.

    That is the id itself. If the id holds what `clean` would change, it is encoded, after a tilde, with which
    no id begins.

    Example:
        >>> shown_id("home:603"), shown_id("home:a\\x00b")
        ('home:603', '~aG9tZTphAGI')
    """
    if clean(full_id, _LONGEST_PLAIN_ID) == full_id:
        return full_id
    return _ENCODED + base64.urlsafe_b64encode(full_id.encode()).decode().rstrip("=")


def given_id(text: str) -> str:
    """Return the id that `shown_id` made a text of; any other text as it is.

    Raises:
        UsageError: if the text begins like an encoded id, and is not one.
    """
    if not text.startswith(_ENCODED):
        return text
    try:
        data = text.removeprefix(_ENCODED).encode("ascii")
        return base64.b64decode(data + b"=" * (-len(data) % 4), altchars=b"-_", validate=True).decode()
    except (UnicodeError, binascii.Error):
        raise UsageError(f"{text[:LONGEST_NAME]!r} is not an id: give one as an answer showed it") from None


def time_text(time: date | datetime | str | None) -> str | None:
    """Return a day or a time as ISO 8601; a source's own text of a time without a zone as it is."""
    if isinstance(time, datetime):
        return time.isoformat(timespec="seconds")
    return clean_or_none(time)


def titled(title: str, year: int | None) -> str:
    """Return a clean title with its year, if that is known."""
    return f"{title} ({year})" if year is not None else title
