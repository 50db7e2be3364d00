"""One sync of one source, and bare reading of the same data. Each function runs in its own process."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from benchmarks.clock import Stopwatch, WrongResultError, peak_memory_mb
from mediasync import MediaSync, Source
from mediasync.backends.base import Backend, Found
from mediasync.backends.jellyfin import EmbyBackend, JellyfinBackend
from mediasync.backends.kodi import KodiBackend
from mediasync.backends.kodi.kinds import MOVIES
from mediasync.backends.nfo import NfoBackend
from mediasync.backends.nfo.film_findings import film_findings
from mediasync.backends.nfo.folders.files import NfoFile
from mediasync.backends.nfo.reading import read
from mediasync.backends.nfo.tokens import StoredTokens
from mediasync.backends.plex import PlexBackend
from mediasync.vocabulary import MediaType

_BACKENDS: dict[str, Callable[..., Backend]] = {
    "plex": PlexBackend,
    "jellyfin": JellyfinBackend,
    "emby": EmbyBackend,
    "kodi": KodiBackend,
    "nfo": NfoBackend,
}
_PAGE = 100
_FIELDS = "People,ProviderIds,Etag,Path,OriginalTitle,SortName,Overview,Genres,Taglines,DateCreated"


async def sync(
    kind: str, connection: dict[str, str], path: str, saved: int, credits_stored: int
) -> dict[str, Any]:
    """Sync once, and return the peak memory of the process.

    No clock counts imports: what a first call of ``sync`` imports is imported before, and what a sync is
    compared with has all its modules by then, too.

    Args:
        kind: the kind of the source.
        connection: the settings of its backend.
        path: the path of the database.
        saved: the number of items that must be saved.
        credits_stored: the number of credits that must be stored afterwards.
    """
    importlib.import_module("mediasync.source_syncs")
    backend = _BACKENDS[kind](source=Source.model_validate({"id": "bench", "kind": kind}), **connection)
    async with MediaSync(f"sqlite:///{path}") as ms:
        before = peak_memory_mb()
        watch = Stopwatch()
        report = await ms.sync(backend)
        timing = watch.read()
        peak = peak_memory_mb()
        stored = await ms.media.count_credits()
    if report.saved != saved or report.failed or report.problems or stored != credits_stored:
        raise WrongResultError(
            f"{report.saved} items were saved instead of {saved}, {stored} credits are stored instead of "
            f"{credits_stored}, {len(report.failed)} items failed, {len(report.problems)} problems"
        )
    return {**timing, "before_mb": before, "peak_mb": peak}


async def read_jellyfin(connection: dict[str, str], library: str, films: int) -> dict[str, Any]:
    """Ask a Jellyfin for all pages of films with their people, one after the other, and decode them."""
    headers = {"Authorization": f'MediaBrowser Token="{connection["token"]}"'}
    query = {"parentId": library, "recursive": "true", "includeItemTypes": "Movie", "fields": _FIELDS}
    read = 0
    watch = Stopwatch()
    async with httpx.AsyncClient(base_url=connection["url"], headers=headers, timeout=60) as client:
        while read < films:
            answer = await client.get("/Items", params={**query, "startIndex": read, "limit": _PAGE})
            read += len(answer.json()["Items"])
    return {**watch.read()}


async def read_kodi(connection: dict[str, str], films: int) -> dict[str, Any]:
    """Make the one call that a Kodi answers with all films and their casts, and decode the answer."""
    params = {"properties": list(MOVIES.properties)}
    call = {"jsonrpc": "2.0", "id": 1, "method": "VideoLibrary.GetMovies", "params": params}
    credentials = (connection["username"], connection["password"])
    watch = Stopwatch()
    async with httpx.AsyncClient(auth=credentials, timeout=120) as client:
        answer = await client.post(f"{connection['url']}/jsonrpc", json=call)
        decoded = json.loads(answer.content)
    timing = watch.read()
    if len(decoded["result"]["movies"]) != films:
        raise WrongResultError(f"{len(decoded['result']['movies'])} films came instead of {films}")
    return {**timing}


def parse_nfo(folder: str, films: int) -> dict[str, Any]:
    """Read and parse the NFO file of each film in one thread, as far as what is found."""
    root = os.path.realpath(folder)
    files = [
        NfoFile(path, os.path.dirname(path), MediaType.MOVIE, os.path.basename(os.path.dirname(path)), path)
        for path in sorted(os.path.relpath(file, root) for file in Path(root).glob("*/*/movie.nfo"))
    ]
    nothing = StoredTokens({})
    watch = Stopwatch()
    found = [one for file in files for one in film_findings(file, read(root, file, nothing, 1 << 22))]
    timing = watch.read()
    if len(found) != films or not all(isinstance(one, Found) for one in found):
        raise WrongResultError(f"{len(found)} films were found instead of {films}")
    return {**timing, "ms_each": 1000 * timing["cpu"] / films}
