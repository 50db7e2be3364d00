"""A sync that is killed and begun again: ``python resumed_sync.py URL KIND WHERE``.

*WHERE* is the address of a fake server, or a folder of NFO files. For each NFO file that it opens it writes a
dot; at the end it writes how many items it has seen.

All pages and batches are a thirtieth of their usual size. So a library of a thousand items takes as many
requests, and loses as large a share of them when it is killed, as one of thirty thousand. As the fakes answer
at once, the number of items that wait for their commit is limited to what a server leaves waiting that is
slower than the database.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from types import ModuleType

from support.servers import QUICK, Place

from mediasync import MediaSync, Source
from mediasync.backends.jellyfin import client as jellyfin_client
from mediasync.backends.jellyfin import library as jellyfin_library
from mediasync.backends.jellyfin import person_list
from mediasync.backends.kodi import KodiBackend
from mediasync.backends.kodi import client as kodi_client
from mediasync.backends.nfo import NfoBackend
from mediasync.backends.nfo import backend as nfo_backend
from mediasync.backends.plex import client as plex_client
from mediasync.saving import store, writer
from mediasync.saving.media import MediaSaves
from mediasync.syncing import recognition

SCALE = 30
ITEMS_WAITING = 500
SIZES: list[tuple[ModuleType, list[str]]] = [
    (plex_client, ["PAGE_SIZE", "KNOWN_PAGE_SIZE", "MAX_IDS"]),
    (jellyfin_client, ["PAGE_WITH_PEOPLE", "PAGE_OF_ETAGS", "PAGE_OF_PERSONS", "IDS_PER_REQUEST"]),
    (jellyfin_library, ["PAGE_WITH_PEOPLE", "PAGE_OF_ETAGS", "IDS_PER_REQUEST"]),
    (jellyfin_library, ["_FIRST_STRETCH", "_LONGEST_STRETCH", "_MAX_CREDITS_HELD"]),
    (person_list, ["PAGE_OF_ETAGS", "PAGE_OF_PERSONS", "IDS_PER_REQUEST"]),
    (kodi_client, ["_IDS_PER_REQUEST", "_SHOWS_PER_REQUEST"]),
    (nfo_backend, ["_BATCH_FILES"]),
    (store, ["ITEMS_PER_PART", "CREDITS_PER_PART"]),
    (writer, ["ITEMS_PER_PART", "CREDITS_PER_PART", "MAX_GROUP_ITEMS", "MAX_GROUP_CREDITS"]),
    (recognition, ["_PAGE"]),
]


def shrink() -> None:
    for module, names in SIZES:
        for name in names:
            setattr(module, name, getattr(module, name) // SCALE)
    MediaSaves.save_media_items.__kwdefaults__["concurrency"] = ITEMS_WAITING // SCALE


def tell_opened(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and str(arguments[0]).endswith(".nfo"):
        os.write(1, b".")


async def main(url: str, kind: str, where: str) -> None:
    source = Source(id="here", kind=kind)
    if kind == "nfo":
        sys.addaudithook(tell_opened)
        backend = NfoBackend(Path(where), source=source, processes=0)
    elif kind == "kodi":
        backend = KodiBackend(where, source=source, options=QUICK, page_size=250 // SCALE)
    else:
        backend = Place(kind, None, where).backend()
    async with MediaSync(url) as ms:
        report = await ms.sync(backend)
    assert not report.failed, report.failed
    os.write(1, f"seen {report.run.seen}".encode())


if __name__ == "__main__":
    shrink()
    asyncio.run(main(*sys.argv[1:]))
