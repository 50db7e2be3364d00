"""From what a file says and where it lies to the items that are yielded. Pure, no files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from mediasync.backends.base import Finding, Found, Remark, Unchanged, Unreadable
from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.files import FilmFiles, NfoFile
from mediasync.backends.nfo.folders.versions import describes_same, merge
from mediasync.backends.nfo.reading import Failed, Loaded, Outcome, Same, Several, make_film_token, make_token
from mediasync.formats.nfo.parse import Record
from mediasync.models import Credit, Movie
from mediasync.vocabulary import MediaType

NOUNS: Final = {
    MediaType.MOVIE: "a film",
    MediaType.SHOW: "a show",
    MediaType.SEASON: "a season",
    MediaType.EPISODE: "an episode",
}


def season_key(show_key: str, number: int) -> str:
    """Return the key of a season.

    Example:
        >>> season_key("tvshows/Dark (2017)", 1)
        'tvshows/Dark (2017)#s01'
    """
    return f"{show_key}#s{number:02}"


def episode_key(stem_key: str, season: int | None, episode: int | None) -> str:
    """Return the key of an episode; without its numbers that of its file.

    Example:
        >>> episode_key("Dark/Dark S01E02", 1, 2), episode_key("Dark/Pilot", None, None)
        ('Dark/Dark S01E02#s01e02', 'Dark/Pilot')
    """
    return stem_key if season is None or episode is None else f"{stem_key}#s{season:02}e{episode:02}"


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
            yield found_movie(file, records, make_token(file, state, 1, MediaType.MOVIE))


def films_findings(films: FilmFiles, outcome: Outcome) -> Iterator[Finding]:
    """Yield what was found in NFO files that may describe the same film.

    While the file that the folder is named after cannot be read, nobody knows whether the others describe
    its film: they wait.

    Args:
        films: the files.
        outcome: what became of all together, or of each.
    """
    if isinstance(outcome, Same):
        yield from map(Unchanged, outcome.ids)
        yield from map(_left_out, outcome.left_out)
    elif isinstance(outcome, Several):
        yield from _read_findings(films, outcome.outcomes)


def _read_findings(films: FilmFiles, outcomes: list[Loaded | Failed]) -> Iterator[Finding]:
    read: list[_ReadFile] = []
    left_out: list[NfoFile] = []
    failures: dict[str, list[str]] = {}
    owner = films.files[0] if films.has_owner else None
    for file, one in zip(films.files, outcomes, strict=True):
        match one:
            case Loaded(records, _) if records[0].kind is MediaType.MOVIE:
                read.append(_ReadFile(file, records))
            case Failed() if one.is_empty or one.foreign:
                left_out.append(file)
                owner = None if file is owner else owner
            case _:
                key = films.shared_key if file is owner else None
                why = one.reason if isinstance(one, Failed) else misplaced(file, one.records[0].kind)
                failures.setdefault(key or file.key, []).append(why)
    waits = owner is not None and (not read or read[0].file is not owner)
    if not read and not failures:
        file = replace(films.files[0], key=films.shared_key or films.files[0].key)
        yield from film_findings(file, outcomes[0])
        left_out = left_out[1:]
    mask = sum(1 << place for place, file in enumerate(films.files) if file in left_out)
    for place, cluster in enumerate([] if waits else _clusters(read, has_owner=films.has_owner)):
        shared = cluster[0].file is owner if owner else len(cluster) == len(read)
        token = _film_token(films, cluster, outcomes, 0 if place else mask)
        found = _found_version(films, cluster, token, shared=shared)
        keys = dict.fromkeys([found.item.remote_id, *(one.file.key for one in cluster)])
        yield replace(found, failure="; ".join(why for key in keys for why in failures.pop(key, ())))
    for other in read if waits else ():
        text = (
            f"not read while {naming.nfc(films.files[0].path)} cannot be read: it may describe the same film"
        )
        yield Remark(naming.nfc(other.file.path), text)
    for key, reasons in failures.items():
        yield Unreadable(key, "; ".join(reasons))
    yield from map(_left_out, left_out)


@dataclass(frozen=True, slots=True)
class _ReadFile:
    file: NfoFile
    records: list[Record]


def _clusters(read: list[_ReadFile], *, has_owner: bool) -> list[list[_ReadFile]]:
    """Put the files of each film together."""
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
    films: FilmFiles, cluster: list[_ReadFile], outcomes: list[Loaded | Failed], left_out: int
) -> str | None:
    """Return the change token of a film; ``None`` if not all files could be read whole."""
    states = [one.state for one in outcomes if one.state]
    if len(states) < len(films.files) or any(one.records[0].damage for one in cluster):
        return None
    return make_film_token(films, cluster[0].file, states, len(cluster), left_out)


def _found_version(films: FilmFiles, cluster: list[_ReadFile], token: str | None, *, shared: bool) -> Found:
    """Return the film that some files describe, the first of them before the others.

    Args:
        films: all files of the folder.
        cluster: those of this film.
        token: its change token.
        shared: whether the folder is the film's.
    """
    first, *others = cluster
    file = first.file
    if shared and films.shared_key:
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
    return Remark(naming.nfc(file.path), "not read: it describes no film")


def foreign_remark(file: NfoFile, text: str) -> Remark:
    """Return the remark on a file that is about neither films nor shows."""
    return Remark(naming.nfc(file.path), text.removeprefix(f"{naming.nfc(file.path)}: "))


def misplaced(file: NfoFile, kind: MediaType) -> str:
    """Return the reason why a file is not read that describes an item of a kind that cannot be there."""
    return f"{naming.nfc(file.path)}: it describes {NOUNS[kind]}, which has no place here"


def found_movie(file: NfoFile, records: list[Record], token: str | None) -> Found:
    """Return the film that a file describes."""
    record = records[0]
    if len(records) > 1:
        record.problems.append(f"{len(records)} films in one file: only the first is taken")
    return Found(
        Movie(remote_id=file.key, change_token=kept(token, record), **item_fields(file, record)),
        tuple(record.problems),
    )


def kept(token: str | None, record: Record) -> str | None:
    """Return the change token of an item; one whose file is damaged is read again next time."""
    return None if record.damage else token


def item_fields(file: NfoFile, record: Record) -> dict[str, Any]:
    """Return what all kinds of item have in common, completed from names and files beside it."""
    title, year = record.title, record.year
    if record.kind is not MediaType.EPISODE and record.kind is not MediaType.SEASON:
        named_title, named_year = naming.title_and_year(file.name)
        if not title:
            title = named_title
            if record.credits is not None:
                record.problems.append("no title: the name of the folder or file is taken")
        year = year or named_year
    return {
        "title": title,
        "original_title": record.original_title,
        "sort_title": record.sort_title,
        "overview": record.overview,
        "tagline": record.tagline,
        "year": year,
        "premiere_date": record.premiere_date,
        "runtime_seconds": record.runtime_seconds,
        "content_rating": record.content_rating,
        "ratings": record.ratings,
        "genres": record.genres,
        "provider_ids": record.provider_ids,
        "images": record.images | file.images,
        "path": file.item_path,
        "added_at": record.added_at,
        "credits": _with_local_pictures(record.credits, file.actors),
        "completeness": record.completeness,
    }


def _with_local_pictures(credits_: list[Credit] | None, actors: dict[str, str]) -> list[Credit] | None:
    for credit in credits_ or () if actors else ():
        person = credit.person
        person.image_path = person.image_path or actors.get(naming.actor_key(person.name))
    return credits_
