"""How a source is asked over HTTP."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class HttpOptions(BaseModel):
    """How a source is asked over HTTP.

    Attributes:
        verify: whether the server's certificate is checked; or the file of the CA that signed it.
        headers: sent with every request; secret like a token.
        connect_timeout: seconds that making a connection may take.
        read_timeout: seconds that the server may be silent in; a whole answer may take three times as long.
        tries: how often a request that may be repeated is sent before it counts as failed.
        concurrency: how many requests are under way at once; None: as fits the kind of source.
        patience: seconds in all that one request waits for a server that starts or asks for fewer requests
            and says how long (``Retry-After``).
        backoff: seconds of the first pause between two tries; each further one is up to twice as long.
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
