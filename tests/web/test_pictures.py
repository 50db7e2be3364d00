"""Pictures: from each kind of source, kept, bounded, and never from an address unknown to the mirror."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_library import client_of

from mediasync import Library, MediaSync, Movie, Person, Source
from mediasync.models import Credit
from mediasync.settings.source import SourceConfig
from mediasync.testing import FakeServer, Request, Response
from mediasync.testing.pictures import PICTURE, picture
from mediasync.web import PictureOptions, create_app
from mediasync.web.links import item_picture, person_picture
from mediasync.web.pictures.disk_cache import DiskCache
from mediasync.web.pictures.formats import find_media_type
from mediasync.web.pictures.placeholder import draw, initials
from tests.support.servers import QUICK, SERVERS, TOKEN, Place, make_server, server_of

SVG = "image/svg+xml"


def config_of(kind: str, server: FakeServer) -> SourceConfig:
    secrets = {} if kind == "kodi" else {"token": TOKEN}
    return SourceConfig(id="here", kind=kind, url=server.url, tries=1, **secrets)


@asynccontextmanager
async def site(
    ms: MediaSync, folder: Path, *sources: SourceConfig, **options: object
) -> AsyncIterator[httpx.AsyncClient]:
    kept = PictureOptions(folder=folder / "pictures", **options)  # type: ignore[arg-type]
    app = create_app(ms, sources=sources, pictures=kept)
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


@asynccontextmanager
async def mirror(
    folder: Path, *, kind: str = "nfo", poster: str | None = None, portrait: str | None = None
) -> AsyncIterator[MediaSync]:
    """A mirror with one film and one person, whose pictures are these."""
    person = Person(remote_id="1", name="Tom Hanks", image_path=portrait)
    film = Movie(
        remote_id="a",
        title="Cast Away",
        images={"poster": poster} if poster else {},
        credits=[Credit(person=person, person_type="actor")],
    )
    async with MediaSync(f"sqlite:///{folder}/media.db") as ms:
        await ms.media.save_source(Source(id="here", kind=kind))
        await ms.media.save_library(Library(id="films", source_id="here", title="Films", kind="movies"))
        await ms.media.save_media_item(film, library_id="here:films", source_id="here")
        yield ms


@pytest.mark.parametrize("kind", SERVERS)
async def test_each_kind_of_server_gives_its_pictures(kind: str, tmp_path: Path) -> None:
    server = server_of(Place(kind, make_server(kind)))
    async with server:
        async with MediaSync(f"sqlite:///{tmp_path}/media.db") as ms:
            await ms.sync(Place(kind, server, options=QUICK).backend())
            items = [one async for one in ms.library.iter_items() if one.poster is not None]
            people = [one async for one in ms.library.iter_people() if one.image_path is not None]
            public = [one for one in people if str(one.image_path).startswith("http")]
            assert items
            paths = [item_picture(items[0].id, 136)]
            paths += [person_picture(one.id, 56) for one in (public or people)[:1] if kind != "plex"]
            async with site(ms, tmp_path, config_of(kind, server)) as client:
                for path in paths:
                    answer = await client.get(path)
                    assert (answer.headers["content-type"], answer.content) == ("image/png", PICTURE), path
                    assert TOKEN not in str(answer.headers)


async def test_the_server_is_asked_for_a_small_picture_and_only_once(tmp_path: Path) -> None:
    server = server_of(Place("jellyfin", make_server("jellyfin")))
    async with server:
        async with MediaSync(f"sqlite:///{tmp_path}/media.db") as ms:
            await ms.sync(Place("jellyfin", server).backend())
            [item, *_] = [one async for one in ms.library.iter_items() if one.poster is not None]
            async with site(ms, tmp_path, config_of("jellyfin", server)) as client:
                server.requests.clear()
                path = item_picture(item.id, 136)
                answers = await asyncio.gather(*[client.get(path) for _ in range(20)])
                assert {answer.content for answer in answers} == {PICTURE}
                assert [request.first("maxWidth") for request in server.requests] == ["480"]
            async with site(ms, tmp_path, config_of("jellyfin", server)) as client:
                assert (await client.get(path)).content == PICTURE, "it is on the disk"
                assert len(server.requests) == 1


async def test_a_picture_is_shown_although_its_server_is_gone(tmp_path: Path) -> None:
    server = server_of(Place("jellyfin", make_server("jellyfin")))
    async with server, MediaSync(f"sqlite:///{tmp_path}/media.db") as ms:
        await ms.sync(Place("jellyfin", server).backend())
        [first, second, *_] = [one async for one in ms.library.iter_items() if one.poster is not None]
        config = config_of("jellyfin", server)
        async with site(ms, tmp_path, config, days=0.0) as client:
            await client.get(item_picture(first.id, 136))
            await server.__aexit__(None, None, None)
            kept = await client.get(item_picture(first.id, 136))
            drawn = await client.get(item_picture(second.id, 136))
        assert (kept.content, drawn.headers["content-type"]) == (PICTURE, SVG)
        await server.__aenter__()


async def test_pictures_beside_nfo_files_are_shown(tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    (films / "poster.png").write_bytes(PICTURE)
    async with mirror(tmp_path, poster="poster.png") as ms:
        async with site(ms, tmp_path, SourceConfig(id="here", kind="nfo", folder=films)) as client:
            answer = await client.get(item_picture("here:a", 136))
    assert (answer.headers["content-type"], answer.content) == ("image/png", PICTURE)


@pytest.mark.parametrize(
    "poster", ["../secret.png", "/etc/passwd", "link/secret.png", "alias.png", "folder", "a\0b"]
)
async def test_nothing_outside_the_folder_is_read(poster: str, tmp_path: Path) -> None:
    films, outside = tmp_path / "films", tmp_path / "outside"
    outside.mkdir()
    (films / "folder").mkdir(parents=True)
    for secret in (tmp_path / "secret.png", outside / "secret.png"):
        secret.write_bytes(PICTURE)
    (films / "link").symlink_to(outside)
    (films / "alias.png").symlink_to(tmp_path / "secret.png")
    async with mirror(tmp_path, poster=poster.replace("\0", "?")) as ms:
        async with site(ms, tmp_path, SourceConfig(id="here", kind="nfo", folder=films)) as client:
            answer = await client.get(item_picture("here:a", 136))
    assert answer.headers["content-type"] == SVG


class Public(FakeServer):
    """A server that is not one of the sources."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer

    async def handle(self, request: Request) -> Response:
        return picture() if request.path == "/there.png" else self.answer


@pytest.mark.parametrize("kind", ["nfo", "jellyfin"])
async def test_a_source_cannot_point_the_server_into_the_local_network(kind: str, tmp_path: Path) -> None:
    async with Public(picture()) as other:
        async with mirror(
            tmp_path, kind=kind, poster=f"{other.url}/x.png", portrait=f"{other.url}/y.png"
        ) as ms:
            async with site(ms, tmp_path) as client:
                film = await client.get(item_picture("here:a", 136))
                person = await client.get(person_picture("here:1", 56))
        assert {film.headers["content-type"], person.headers["content-type"]} == {SVG}
        assert other.requests == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (picture(), "image/png"),
        (Response(302, {"Location": "/there.png"}), "image/png"),
        (Response(302, {"Location": "file:///etc/passwd"}), SVG),
        (Response(302, {"Location": "/loop"}), SVG),
        (Response(200, {"Content-Type": "image/svg+xml"}, b"<svg><script>alert(1)</script></svg>"), SVG),
        (Response(200, {"Content-Type": "image/png"}, b"<html>"), SVG),
        (Response(404), SVG),
    ],
)
async def test_a_public_picture_is_fetched_and_checked(
    answer: Response, expected: str, tmp_path: Path
) -> None:
    async with Public(answer) as other:
        async with mirror(tmp_path, poster=f"{other.url}/x.png") as ms:
            async with site(ms, tmp_path, private_addresses=True) as client:
                shown = await client.get(item_picture("here:a", 136))
    assert shown.headers["content-type"] == expected
    assert b"script" not in shown.content
    assert "sandbox" in shown.headers["content-security-policy"]


async def test_nothing_but_stored_references_is_fetched(tmp_path: Path) -> None:
    async with Public(picture()) as other, mirror(tmp_path) as ms:
        async with site(ms, tmp_path, private_addresses=True) as client:
            answers = [
                await client.get("/pictures/items/here:a", params={"url": f"{other.url}/x", "width": 100}),
                await client.get(f"/pictures/items/{other.url}/x"),
                await client.get("/pictures/people/here:nobody"),
                await client.get("/pictures/items/here:a?width=1e9"),
            ]
        assert [answer.status_code for answer in answers] == [200, 404, 404, 400]
        assert other.requests == []


async def test_a_missing_picture_is_drawn_with_the_initials(tmp_path: Path) -> None:
    async with mirror(tmp_path) as ms, site(ms, tmp_path) as client:
        film = await client.get(item_picture("here:a", 136))
        person = await client.get(person_picture("here:1", 56))
    assert ">CA</text>" in film.text
    assert ">TH</text>" in person.text


async def test_a_browser_that_has_the_picture_does_not_get_it_again(tmp_path: Path) -> None:
    async with mirror(tmp_path) as ms, site(ms, tmp_path) as client:
        first = await client.get(item_picture("here:a", 136))
        again = await client.get(
            item_picture("here:a", 136), headers={"If-None-Match": first.headers["etag"]}
        )
    assert (again.status_code, again.content) == (304, b"")


@given(st.text(max_size=40))
def test_any_name_can_be_drawn(name: str) -> None:
    import xml.etree.ElementTree as ET

    assert 1 <= len(initials(name)) <= 6
    ET.fromstring(draw(name, 56))


@given(st.binary(max_size=40))
def test_no_markup_counts_as_a_picture(content: bytes) -> None:
    assert find_media_type(b"<" + content) is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 400)), max_size=30))
def test_the_cache_keeps_its_bound_and_what_was_shown_last(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    now = 1_000_000.0
    cache = DiskCache(folder, 1_000, clock=lambda: now)
    newest: dict[int, bytes] = {}
    for key, size in steps:
        now += 1
        content = bytes([key]) * size
        cache.keep(str(key), content)
        newest[key] = content
        kept = cache.find(str(key))
        assert kept is not None, "what was kept last is there"
        assert kept.content == content
        assert sum(file.stat().st_size for file in folder.rglob("*.picture")) <= 1_000
    for key, content in newest.items():
        found = cache.find(str(key))
        assert found is None or found.content == content


def test_a_picture_larger_than_the_cache_is_not_kept(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 10)
    cache.keep("a", bytes(11))
    assert cache.find("a") is None
