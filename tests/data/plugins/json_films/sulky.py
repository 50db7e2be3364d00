"""A plug-in whose factory fails."""

from __future__ import annotations

from mediasync import SourceConfig
from mediasync.settings.source_kinds import BackendContext, SourceKindSpec


def make(config: SourceConfig, context: BackendContext) -> None:
    """Make no backend."""
    raise RuntimeError("out of order")


KIND = SourceKindSpec("sulky", make)
