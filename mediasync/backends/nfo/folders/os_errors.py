"""Errors of the file system, in words."""

from __future__ import annotations


def reason(error: OSError) -> str:
    """Return in words why a file or folder cannot be used, without its path on this machine."""
    return error.strerror or type(error).__name__
