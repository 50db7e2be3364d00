"""Reading a fake Kodi in a test, comparing what is stored with what it serves, and the recorded answers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from findings import FIELDS
from support.typed_kodi import people_of as people_of

from mediasync import MediaItem, MediaSync, Source
from mediasync.backends.kodi import KodiBackend
from mediasync.testing import Fault, Request
from mediasync.testing.kodi import FakeKodi

DATA = Path(__file__).parent.parent / "data"
PASSWORD = "Geheim-12345"


@dataclass(frozen=True)
class Recorded:
    """One request that a real Kodi was sent, and what it answered."""

    name: str
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int
    answer: Any
    text: str | None

    @property
    def sent(self) -> bytes:
        """The body as it was sent."""
        if isinstance(self.body, dict) and "__raw_body__" in self.body:
            return self.body["__raw_body__"].encode()
        return b"" if self.body is None else json.dumps(self.body).encode()

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the call, as far as it is one with named ones."""
        params = self.body.get("params") if isinstance(self.body, dict) else None
        return params if isinstance(params, dict) else {}

    def records(self, name: str) -> list[dict[str, Any]]:
        """The list of a name, or the one record of its details, in the answer."""
        result = self.answer.get("result") if isinstance(self.answer, dict) else None
        if not isinstance(result, dict):
            return []
        details = result.get(f"{name.removesuffix('s')}details")
        return [details] if details else result.get(name, [])


def recorded_answers() -> dict[str, Recorded]:
    """Return all recorded requests by name."""
    text = gzip.decompress((DATA / "kodi" / "recorded.json.gz").read_bytes())
    return {entry["name"]: Recorded(**entry) for entry in json.loads(text)}


def make_backend(server: FakeKodi, *, name: str = "", **options: Any) -> KodiBackend:
    """Return a backend for a server, as source ``home``."""
    source = Source(id="home", kind="kodi", name=name)
    return KodiBackend(
        server.url, source=source, **{"password": server.password, "timezone": server.timezone, **options}
    )


def cast_of(item: MediaItem) -> list[tuple[str, str, str | None, str | None]]:
    """Return all that is said of an item's people, in order."""
    return [
        (str(credit.person_type), credit.person.name, credit.role, credit.person.image_path)
        for credit in item.credits or ()
    ]


def assert_same(found: MediaItem, wanted: MediaItem) -> None:
    """Assert that an item is what is wanted, with exactly its people."""
    for name in FIELDS:
        assert getattr(found, name) == getattr(wanted, name), (wanted.title, name)
    for name in ("season_number", "episode_number", "episode_number_end"):
        assert getattr(found, name, None) == getattr(wanted, name, None), (wanted.title, name)
    assert cast_of(found) == cast_of(wanted), wanted.title


async def assert_stored(ms: MediaSync, items: Iterable[MediaItem]) -> None:
    """Assert that each of *items* is stored as it is given, with exactly its people.

    A person has one picture in the mirror, also where it is credited as the crew, of which Kodi shows none.
    """
    wanted_items = [item.model_copy(deep=True) for item in items]
    shown = [credit.person for item in wanted_items for credit in item.credits or ()]
    pictures = {person.name: person.image_path for person in shown if person.image_path}
    for person in shown:
        person.image_path = pictures.get(person.name)
    for item in wanted_items:
        stored = await ms.media.get_media_item(f"home:{item.remote_id}")
        wanted = item.model_copy(update={"completeness": item.completeness or "none"})
        assert_same(stored, wanted)
        parent = getattr(item, "parent_remote_id", None)
        assert stored.parent_id == (f"home:{parent}" if parent else None), item.title


async def stored_casts(ms: MediaSync, items: Iterable[MediaItem]) -> dict[str, Any]:
    """Return the stored people of those of *items* that are stored, by key."""
    found = await ms.media.find_media_items([f"home:{item.remote_id}" for item in items])
    return {item.remote_id: cast_of(item) for item in found}


def calls(method: str) -> Callable[[Request], bool]:
    """Return what tells whether a request calls a method (of the video library), alone or in a batch."""

    def is_call(request: Request) -> bool:
        asked = request.json()
        asked = asked if isinstance(asked, list) else [asked]
        return any(call["method"].rpartition(".")[2] == method for call in asked)

    return is_call


def rewriting(method: str, change: Callable[[Any], None], *, times: int | None = 1) -> Fault:
    """Return a fault that changes the results of a method, wherever they stand in the answer."""

    def rewrite(answer: Any) -> Any:
        for one in answer if isinstance(answer, list) else [answer]:
            if "result" in one:
                change(one["result"])
        return answer

    return Fault.rewrite(rewrite, at=calls(method), times=times)
