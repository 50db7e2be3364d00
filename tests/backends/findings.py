"""Reads a whole source in a test, without a database, and sorts what was found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from mediasync import MediaItem
from mediasync.backends.base import Backend, Enumerated, Finding, Found, Unchanged, Unreadable
from mediasync.settings.http import HttpOptions
from mediasync.testing import RecordingSink

IMPATIENT = HttpOptions(tries=1, backoff=0.001, patience=0.05, read_timeout=0.5, connect_timeout=2)
FIELDS = (
    *("media_type", "title", "original_title", "sort_title", "overview", "tagline", "year", "premiere_date"),
    *("runtime_seconds", "content_rating", "ratings", "genres", "provider_ids", "images", "path", "added_at"),
    *("changed_at", "completeness"),
)
"""The fields of an item that tests compare, besides its people and its place."""


async def read(
    backend: Backend, tokens: Mapping[str, str] | None = None, *, only: Collection[str] | None = None
) -> list[Finding]:
    """Read all libraries, without a database."""
    sink = RecordingSink(tokens)
    await sink.read(backend, only=only)
    return sink.findings


def found_items(findings: Iterable[Finding]) -> dict[str, MediaItem]:
    """Return the items that were found, by key."""
    return {finding.item.remote_id: finding.item for finding in findings if isinstance(finding, Found)}


def problems(findings: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    """Return the problems of items, by key."""
    return {
        finding.item.remote_id: finding.problems
        for finding in findings
        if isinstance(finding, Found) and finding.problems
    }


def unreadable(findings: Iterable[Finding]) -> dict[str, str]:
    """Return why nothing of an item could be read, by key."""
    return {finding.remote_id: finding.reason for finding in findings if isinstance(finding, Unreadable)}


def unchanged(findings: Iterable[Finding]) -> list[str]:
    """Return the keys of unchanged items."""
    return [finding.remote_id for finding in findings if isinstance(finding, Unchanged)]


def ends(findings: Iterable[Finding]) -> list[Enumerated]:
    """Return how complete each library was."""
    return [finding for finding in findings if isinstance(finding, Enumerated)]


def tokens(findings: Iterable[Finding]) -> dict[str, str]:
    """Return the change tokens of the items that were found."""
    return {key: item.change_token or "" for key, item in found_items(findings).items()}
