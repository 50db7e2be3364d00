"""The findings for the NFO files of films. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mediasync.backends.base import Finding, Found, Remark, Unchanged, Unreadable
from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.files import FilmFiles, NfoFile
from mediasync.backends.nfo.items import foreign_remark, found_movie, misplaced
from mediasync.backends.nfo.loading import Failed, Loaded
from mediasync.backends.nfo.reading import Outcome, Same, Several
from mediasync.backends.nfo.tokens import FileToken
from mediasync.backends.nfo.versions import describes_same, merge
from mediasync.formats.nfo.records import NfoRecord
from mediasync.vocabulary import MediaType


def film_findings(file: NfoFile, outcome: Outcome) -> Iterator[Finding]:
    """Yield what was found in the file of a film."""
    match outcome:
        case Same(ids):
            yield from map(Unchanged, ids)
        case Failed(reason, foreign):
            yield foreign_remark(file, reason) if foreign else Unreadable(file.key, reason)
        case Loaded(records, _) if records[0].kind is not MediaType.MOVIE:
            yield Unreadable(file.key, misplaced(file, records[0].kind))
        case Loaded(records, state):
            yield found_movie(file, records, FileToken.of_file(file, state, 1, MediaType.MOVIE))


def films_findings(films: FilmFiles, outcome: Outcome) -> Iterator[Finding]:
    """Yield what was found in NFO files that may describe the same film.

    While the file that the folder is named after cannot be read, nobody knows whether the others describe
    the same film. They are left for the next sync.

    Args:
        films: the files.
        outcome: `Same` if none of them changed, else `Several`.
    """
    if isinstance(outcome, Same):
        yield from map(Unchanged, outcome.ids)
        yield from map(_left_out, outcome.left_out)
    elif isinstance(outcome, Several):
        yield from _read_findings(films, outcome.outcomes)


def _read_findings(films: FilmFiles, outcomes: dict[str, Loaded | Failed]) -> Iterator[Finding]:
    read: list[_ReadFile] = []
    left_out: list[NfoFile] = []
    failures: dict[str, list[str]] = {}
    owner = films.files[0] if films.has_owner else None
    for file in films.files:
        match outcomes[file.path]:
            case Loaded(records, _) if records[0].kind is MediaType.MOVIE:
                read.append(_ReadFile(file, records))
            case Failed() as one if one.is_empty or one.foreign:
                left_out.append(file)
                owner = None if file is owner else owner
            case one:
                key = films.shared_key if file is owner else None
                why = one.reason if isinstance(one, Failed) else misplaced(file, one.records[0].kind)
                failures.setdefault(key or file.key, []).append(why)
    if not read and not failures:
        first, *left_out = films.files
        first = replace(first, key=films.shared_key or first.key)
        yield from film_findings(first, outcomes[first.path])
    elif owner is not None and (not read or read[0].file is not owner):
        name = naming.nfc(films.files[0].path)
        text = f"not read while {name} cannot be read: it may describe the same film"
        yield from (Remark(naming.nfc(one.file.path), text) for one in read)
    else:
        mask = sum(1 << place for place, file in enumerate(films.files) if file in left_out)
        for place, cluster in enumerate(_clusters(read, has_owner=films.has_owner)):
            is_shared = cluster[0].file is owner if owner else len(cluster) == len(read)
            token = _film_token(films, cluster, outcomes, 0 if place else mask)
            found = _found_version(films, cluster, token, is_shared=is_shared)
            keys = dict.fromkeys([found.item.remote_id, *(one.file.key for one in cluster)])
            why = "; ".join(reason for key in keys for reason in failures.pop(key, ()))
            yield replace(found, failure=why)
    for key, reasons in failures.items():
        yield Unreadable(key, "; ".join(reasons))
    yield from map(_left_out, left_out)


@dataclass(frozen=True, slots=True)
class _ReadFile:
    file: NfoFile
    records: list[NfoRecord]


def _clusters(read: list[_ReadFile], *, has_owner: bool) -> list[list[_ReadFile]]:
    """Group the files by the film that they describe."""
    clusters: list[list[_ReadFile]] = []
    for one in read:
        for cluster in clusters:
            if any(_is_same(one, other, has_owner=has_owner) for other in cluster):
                cluster.append(one)
                break
        else:
            clusters.append([one])
    return clusters


def _is_same(one: _ReadFile, other: _ReadFile, *, has_owner: bool) -> bool:
    return one.file.key == other.file.key or describes_same(
        one.records[0], other.records[0], untitled=has_owner
    )


def _film_token(
    films: FilmFiles, cluster: list[_ReadFile], outcomes: dict[str, Loaded | Failed], left_out: int
) -> FileToken | None:
    """Return the change token of a film, None unless every file could be read as a whole."""
    states = {path: one.state for path, one in outcomes.items() if one.state}
    if len(states) < len(films.files) or any(one.records[0].damage for one in cluster):
        return None
    return FileToken.of_film(films, cluster[0].file, states, len(cluster), left_out)


def _found_version(
    films: FilmFiles, cluster: list[_ReadFile], token: FileToken | None, *, is_shared: bool
) -> Found:
    """Return the film that some files describe; what the first of them says counts before the others.

    Args:
        films: all files of the folder.
        cluster: the files of this film.
        token: its change token.
        is_shared: whether the folder is the film's own.
    """
    first, *others = cluster
    file = first.file
    if is_shared and films.shared_key:
        images = films.shared_images | file.images
        name = films.shared_key.rpartition("/")[2]
        file = replace(file, key=films.shared_key, name=name, images=images)
    if file.item_path == file.path:
        paths = (one.file.item_path for one in others if one.file.item_path != one.file.path)
        file = replace(file, item_path=next(paths, file.item_path))
    described = [(naming.nfc(other.file.path), other.records[0]) for other in others]
    record = merge(first.records[0], described)
    return found_movie(file, [record, *first.records[1:]], token)


def _left_out(file: NfoFile) -> Remark:
    return Remark(naming.nfc(file.path), "not read: it does not describe a film")
