"""Comparing and merging what several NFO files say of one film or episode. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from mediasync.backends.nfo.folders import naming
from mediasync.formats.nfo.records import NfoRecord

_COMPARED: Final = {
    "title": "title",
    "year": "year",
    "premiere_date": "premiere date",
    "runtime_seconds": "length",
    "overview": "overview",
    "genres": "genres",
}


def describes_same(one: NfoRecord, other: NfoRecord, *, untitled: bool) -> bool:
    """Whether two files beside each other describe the same film or episode.

    If both have ids of the same provider, these decide; otherwise title and year do.

    Args:
        one: what one file says.
        other: what the other says.
        untitled: whether a file without a title (the bare address of a provider's page) describes the same
            item as the file beside it, whatever its ids are.

    Example:
        >>> from mediasync.vocabulary import MediaType
        >>> heat = NfoRecord(MediaType.MOVIE, title="Heat", year=1995)
        >>> describes_same(heat, NfoRecord(MediaType.MOVIE, title="HEAT"), untitled=False)
        True
    """
    if untitled and not (one.title and other.title):
        return True
    shared = one.provider_ids.keys() & other.provider_ids.keys()
    if shared:
        return any(one.provider_ids[provider] == other.provider_ids[provider] for provider in shared)
    if not one.title or not other.title:
        return False
    years = {year for year in (one.year, other.year) if year is not None}
    return _folded(one.title) == _folded(other.title) and len(years) < 2


def merge(first: NfoRecord, others: Iterable[tuple[str, NfoRecord]]) -> NfoRecord:
    """Return what the first file says, completed from the others; where they differ is added as problems.

    Args:
        first: what the first file says.
        others: the path of each other file, and what it says.
    """
    merged = replace(first, problems=list(first.problems))
    for path, other in others:
        merged.provider_ids = other.provider_ids | merged.provider_ids
        if merged.credits is None:
            merged.credits, merged.completeness = other.credits, other.completeness
        if differing := _differences(first, other):
            merged.problems.append(f"{path} describes the same item, but differs in: {', '.join(differing)}")
    return merged


def _differences(one: NfoRecord, other: NfoRecord) -> list[str]:
    """Return the names of what both files state, and state differently."""
    found = [
        word
        for name, word in _COMPARED.items()
        if (mine := getattr(one, name)) and (theirs := getattr(other, name)) and mine != theirs
    ]
    if one.credits and other.credits and _people(one) != _people(other):
        found.append("people")
    shared = one.provider_ids.keys() & other.provider_ids.keys()
    if any(one.provider_ids[provider] != other.provider_ids[provider] for provider in shared):
        found.append("ids")
    return found


def _people(record: NfoRecord) -> list[tuple[str, str, str | None]]:
    return [(str(credit.person_type), credit.name, credit.role) for credit in record.credits or ()]


def _folded(title: str) -> str:
    return naming.letters(title) or title
