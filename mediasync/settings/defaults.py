"""Defaults of sources. The rest of the settings is imported only where somebody configures something."""

from __future__ import annotations

from typing import Final

DEFAULT_COMPARE_DAYS: Final = 7.0
"""Within how many days every item is read again although it did not change."""
