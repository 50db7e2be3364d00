"""The settings of HTTP."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")


def find_header_flaw(name: str, value: str) -> str | None:
    """Return why a header cannot be sent, or None if it can. The value is not repeated.

    White space around the value does not count.

    Example:
        >>> find_header_flaw("X-Key", "secret"), find_header_flaw("X Key", "secret")
        (None, "the name of a header has a character other than letters, digits and '-'")
    """
    if not _HEADER_NAME.fullmatch(name):
        return "the name of a header has a character other than letters, digits and '-'"
    if not _HEADER_VALUE.fullmatch(value.strip()):
        return (
            f"the value of the header {name} (a token, say) has a line break or a character that is not "
            "ASCII: write it in one line of plain characters"
        )
    return None


class HttpOptions(BaseModel):
    """How requests are sent to a server.

    Attributes:
        verify: whether the server's certificate is checked; or the file of the CA that signed it.
        headers: sent with every request; kept secret like a token.
        connect_timeout: seconds to make a connection.
        read_timeout: seconds that the server may send nothing; a whole answer may take three times as long.
        tries: how often a request that may be repeated is sent before it counts as failed.
        concurrency: how many requests are under way at once. None: what suits the kind of source.
        patience: seconds that one request waits in total while the server starts, or asks for fewer requests
            and says for how long (``Retry-After``).
        backoff: seconds of the first pause between two tries; each further pause is up to twice as long.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    verify: bool | Path = True
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    connect_timeout: float = Field(default=10.0, gt=0)
    read_timeout: float = Field(default=60.0, gt=0)
    tries: int = Field(default=4, ge=1, le=20)
    concurrency: int | None = Field(default=None, ge=1, le=64)
    patience: float = Field(default=120.0, ge=0)
    backoff: float = Field(default=0.5, gt=0, le=30)
