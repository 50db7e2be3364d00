"""What to do about a failure whose reason does not say it."""

from __future__ import annotations

import re
from typing import Final

_SAYS_IT_ITSELF: Final = re.compile(
    r"\?|try again|check |give |raise |use |delete |unlock|first, or|turn the check off"
)

_ADVICE: Final = (
    (
        r"Permission denied|Operation not permitted|Access is denied",
        "let the user that runs mediasync read it",
    ),
    (
        r"Input/output error|Stale file handle|Transport endpoint is not connected|Host is down"
        r"|No such device|Remote I/O error|network (?:name|path)",
        "see whether its disk or share works, and sync again",
    ),
    (r"No such file or directory", "it went while it was read: sync again"),
    (r"not valid text \(UTF-8\)", "rename it"),
    (r"differs only in its Unicode form|has the same key", "rename one of the two"),
    (r"a pipe, a socket or a device", "replace it by a file"),
    (r"which does not belong here", "move it to a folder of its kind"),
    (
        r"nothing in it can be used|the file is empty|it is a web page|has more than .* tags|DOCTYPE"
        r"|holds no description|damaged|less could be read",
        "have your media manager write the file anew",
    ),
    (
        r"does not have it|does not list it|has no such|left out of the answer",
        "see whether the server still has it",
    ),
    (
        r"is answered with|was answered with|without (?:a|an) (?:id|name)|cannot be read:|unusable key",
        "refresh it at the server, see the server's log, and sync again",
    ),
    (r"\bparent\b.* is not stored", "sync the whole library again, so that its parent is read too"),
)
"""Patterns of reasons, each with the advice. The first one that is found counts."""

_PATTERNS: Final = tuple((re.compile(pattern), advice) for pattern, advice in _ADVICE)


def advice_for(reason: str) -> str | None:
    """Return what to do about a failure; None if its reason says it, or nothing is known.

    Args:
        reason: why an item, a file or a library could not be read or stored.

    Example:
        >>> advice_for("movies/Heat/movie.nfo: Permission denied")
        'let the user that runs mediasync read it'
        >>> advice_for("the folder is empty: is a disk not mounted?") is None
        True
    """
    if _SAYS_IT_ITSELF.search(reason):
        return None
    return next((advice for pattern, advice in _PATTERNS if pattern.search(reason)), None)
