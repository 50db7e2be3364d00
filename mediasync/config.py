"""Settings: how the database is opened."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class DatabaseOptions(BaseModel):
    """How a database is opened and used.

    Attributes:
        readers: connections that are held for reading.
        lock_timeout: seconds that a write waits for another process before it fails.
        close_timeout: seconds that closing waits for accepted saves and running reads.
        synchronous: ``normal`` survives a crash of the program, and may lose the last commits (never the
            consistency) when the power fails; ``full`` waits for the disk at each commit.
        writer_cache_kib: page cache of the writing connection.
        reader_cache_kib: page cache of each reading connection.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    readers: int = Field(default=4, ge=1, le=64)
    lock_timeout: float = Field(default=30.0, ge=0)
    close_timeout: float = Field(default=30.0, ge=0)
    synchronous: Literal["normal", "full"] = "normal"
    writer_cache_kib: int = Field(default=32 * 1024, ge=64)
    reader_cache_kib: int = Field(default=4 * 1024, ge=64)
