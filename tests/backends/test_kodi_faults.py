"""A Kodi that fails, lies or changes while it is read: no stored cast gets shorter, and it is told."""

import logging
import re

import pytest
from findings import IMPATIENT, ends, found_items, read, unreadable
from kodi_syncing import PASSWORD, calls, make_backend, rewriting, stored_casts

from mediasync import Credit, MediaSync, Movie
from mediasync.backends.base import Enumerated
from mediasync.errors import (
    LibraryUnreadable,
    MediaSyncError,
    RequestRefused,
    SourceBusy,
    SourceError,
    SourceForbidden,
    SourceMismatch,
    SourceUnauthorised,
    SourceUnreachable,
)
from mediasync.testing import Fault, make_catalogue
from mediasync.testing.kodi import FakeKodi
from mediasync.testing.server import FakeServer, Response

pytestmark = pytest.mark.slow

FAULTS = {
    "status 500": Fault.status(500),
    "status 404": Fault.status(404),
    "status 413": Fault.status(413),
    "status 403": Fault.status(403),
    "busy": Fault.busy(60),
    "html": Fault.html(),
    "truncated": Fault.truncated(),
    "cut_json": Fault.cut_json(),
    "reset": Fault.reset(),
    "hang": Fault.hang(),
    "latin1": Fault.latin1(),
    "wrong_types": Fault.wrong_types(),
    "wrong lists": Fault.wrong_types("movies", "tvshows", "seasons", "episodes"),
    "wrong casts": Fault.wrong_types("cast", "director", "writer"),
    "wrong limits": Fault.wrong_types("limits"),
    "empty": Fault.empty(),
}


@pytest.fixture
async def mirror(file_url):
    async with MediaSync(file_url) as ms:
        yield ms


def films(count, **options):
    return make_catalogue(films=count, shows=0, **options)


def fields_of(request):
    """Return the parameters of a request that is one call of a listing, else nothing."""
    asked = request.json()
    return asked.get("params", {}) if isinstance(asked, dict) else {}


# Opening


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.status(401), SourceUnauthorised),
        (Fault.status(403), SourceForbidden),
        (Fault.status(404), SourceMismatch),
        (Fault.status(415), SourceMismatch),
        (Fault.status(500), RequestRefused),
        (Fault.busy(60), SourceBusy),
        (Fault.html(), SourceMismatch),
        (Fault.empty(), SourceMismatch),
        (Fault.cut_json(), SourceMismatch),
        (Fault.reset(), SourceUnreachable),
        (Fault.rewrite(lambda answers: [answer | {"result": None} for answer in answers]), SourceMismatch),
        (Fault.rewrite(lambda answers: [{**answers[0], "result": "OK"}, *answers[1:]]), SourceMismatch),
        (
            Fault.rewrite(lambda answers: [answers[0], {**answers[1], "result": {}}, answers[2]]),
            SourceMismatch,
        ),
    ],
)
async def test_a_server_that_cannot_be_read_is_told_apart_from_one_that_is_not_kodi(fault, error):
    fault.times, fault.met = None, 0
    async with FakeKodi(films(1)) as server:
        server.faults = [fault]
        with pytest.raises(SourceError) as raised:
            await read(make_backend(server, options=IMPATIENT))
    assert type(raised.value) is error or isinstance(raised.value, error)
    if error is SourceMismatch:
        assert "not Kodi" in str(raised.value)


async def test_nothing_answers():
    async with FakeKodi(films(1)) as server:
        backend = make_backend(server, options=IMPATIENT)
    with pytest.raises(SourceUnreachable):
        await read(backend)


async def test_a_json_rpc_server_that_is_no_kodi():
    class Other(FakeServer):
        password = timezone = None

        async def handle(self, request):
            error = {"code": -32601, "message": "No such method"}
            answers = [{"jsonrpc": "2.0", "id": call["id"], "error": error} for call in request.json()]
            return Response.json(answers)

    async with Other() as server:
        with pytest.raises(SourceMismatch, match="not Kodi"):
            await read(make_backend(server))


async def test_a_kodi_that_is_too_old():
    async with FakeKodi(films(1), api=8) as server:
        with pytest.raises(SourceMismatch, match="older than Kodi 18"):
            await read(make_backend(server))


async def test_a_kodi_without_a_friendly_name():
    async with FakeKodi(films(1), name="Busy") as server:
        backend = make_backend(server)
        assert len(found_items(await read(backend))) == 1
    assert backend.source.name == ""


@pytest.mark.parametrize(
    "credentials", [{}, {"password": "wrong"}, {"username": "other", "password": PASSWORD}]
)
async def test_user_name_and_password_must_be_right(credentials):
    async with FakeKodi(films(1), password=PASSWORD) as server:
        with pytest.raises(SourceUnauthorised) as raised:
            await read(make_backend(server, **{"password": None, **credentials}))
        _, probe = server.requests  # what answers is asked once, without the password
        assert "authorization" not in probe.headers
    assert "wrong" not in str(raised.value).replace("is missing, wrong or revoked", "")
    assert PASSWORD not in str(raised.value)


async def test_a_user_name_alone_is_enough_where_the_password_is_empty():
    async with FakeKodi(films(1), username="me", password="") as server:
        assert len(found_items(await read(make_backend(server, username="me", password=None)))) == 1


# Listings


async def test_a_page_that_cannot_be_read_is_read_in_parts_around_the_one_bad_item():
    async with FakeKodi(films(30)) as server:

        def holds_the_bad_one(request):
            params = fields_of(request)
            limits = params.get("limits")
            return bool(limits and params["properties"] and limits["start"] <= 11 < limits["end"])

        server.faults = [Fault.cut_json(at=holds_the_bad_one, times=None)]
        findings = await read(make_backend(server, page_size=16, options=IMPATIENT))
    assert found_items(findings).keys() == {f"movie/{number}" for number in range(1, 31) if number != 12}
    [(key, reason)] = unreadable(findings).items()
    assert key == "movie/12"
    assert reason.startswith("it is listed, but cannot be read")
    assert ends(findings)[0] == Enumerated(30)


async def test_pages_that_take_too_long_are_made_smaller():
    async with FakeKodi(films(9)) as server:

        def is_large(request):
            limits = fields_of(request).get("limits")
            return bool(limits and limits["end"] - limits["start"] > 3)

        server.faults = [Fault.hang(at=is_large, times=2)]
        options = IMPATIENT.model_copy(update={"read_timeout": 0.2})
        findings = await read(make_backend(server, page_size=8, options=options))
    assert len(found_items(findings)) == 9
    assert ends(findings)[0].complete


async def test_an_item_whose_very_id_cannot_be_read_makes_the_listing_incomplete():
    async with FakeKodi(films(30)) as server:

        def holds_the_bad_one(request):
            limits = fields_of(request).get("limits")
            return bool(limits and limits["start"] <= 11 < limits["end"])

        server.faults = [Fault.cut_json(at=holds_the_bad_one, times=None)]
        findings = await read(make_backend(server, page_size=16, options=IMPATIENT))
    assert len(found_items(findings)) == 29
    assert unreadable(findings).keys() == {"movies[11]"}
    assert not ends(findings)[0].complete
    assert "entry 11 of the listing has a key that cannot be read" in ends(findings)[0].reason


async def test_a_listing_of_which_nothing_can_be_read():
    async with FakeKodi(films(3)) as server:
        server.faults = [Fault.cut_json(at=calls("GetMovies"), times=None)]
        with pytest.raises(LibraryUnreadable, match=r"'Movies' \(home:movies\).*jsonrpc"):
            await read(make_backend(server, options=IMPATIENT))


async def test_a_hole_that_is_empty_when_it_is_looked_at():
    async with FakeKodi(films(1)) as server:

        def spoil(result):
            if "cast" in (result["movies"] or [{}])[0]:
                result["movies"] = 7
            else:
                result["movies"] = []

        server.faults = [rewriting("GetMovies", spoil, times=None)]
        findings = await read(make_backend(server, page_size=1))
    assert unreadable(findings).keys() == {"movies[0]"}
    assert found_items(findings) == {}


async def test_an_item_that_goes_while_it_is_listed_is_noticed():
    catalogue = films(9)
    async with FakeKodi(catalogue) as server:
        server.faults = [rewriting("GetMovies", lambda _: catalogue.remove("1"))]
        findings = await read(make_backend(server, page_size=3))
    assert "total moved from 9 to 8" in ends(findings)[0].reason
    assert not ends(findings)[0].complete


async def test_an_item_that_goes_while_another_comes_is_noticed_though_the_total_stays():
    catalogue = films(9)

    def swap(_result):
        catalogue.remove("1")
        catalogue.add("1", Movie(remote_id="77", title="New"))

    async with FakeKodi(catalogue) as server:
        server.faults = [rewriting("GetMovies", swap)]
        findings = await read(make_backend(server, page_size=3))
    assert len(found_items(findings)) == 9
    assert "movie/4" not in found_items(findings)
    assert ends(findings)[0] == Enumerated(
        9, False, "items were added, removed or moved while they were listed"
    )


async def test_a_page_that_comes_again_is_noticed():
    async with FakeKodi(films(9)) as server:
        pages = []

        def repeat(result):
            pages.append(result["movies"])
            result["movies"] = pages[0]

        server.faults = [rewriting("GetMovies", repeat, times=None)]
        findings = await read(make_backend(server, page_size=3))
    assert found_items(findings).keys() == {"movie/1", "movie/2", "movie/3"}
    assert not ends(findings)[0].complete


async def test_short_pages_are_no_end():
    async with FakeKodi(films(9)) as server:
        server.faults = [rewriting("GetMovies", lambda result: result["movies"].pop(), times=2)]
        findings = await read(make_backend(server, page_size=5))
    assert len(found_items(findings)) == 9
    assert ends(findings)[0] == Enumerated(9)


async def test_a_page_that_is_empty_before_the_total_is_no_end_either():
    async with FakeKodi(films(9)) as server:
        server.faults = [rewriting("GetMovies", lambda result: result["movies"].clear(), times=1)]
        findings = await read(make_backend(server))
    assert found_items(findings) == {}
    assert not ends(findings)[0].complete


async def test_an_older_kodi_leaves_empty_lists_out():
    async with FakeKodi(films(0)) as server:
        server.faults = [rewriting("GetMovies", lambda result: result.pop("movies"))]
        findings = await read(make_backend(server))
    assert ends(findings) == [Enumerated(0), Enumerated(0)]


async def test_items_without_an_id_are_reported_and_the_listing_is_not_complete():
    async with FakeKodi(films(3)) as server:

        def spoil(result):
            result["movies"][0]["movieid"] = 0
            del result["movies"][1]["movieid"]
            result["movies"][1]["label"] = 7
            result["movies"][1]["title"] = None

        server.faults = [rewriting("GetMovies", spoil)]
        findings = await read(make_backend(server))
    assert found_items(findings).keys() == {"movie/3"}
    assert unreadable(findings) == {
        "movies[0]": "Kodi listed it without an id: 'Film 1'",
        "movies[1]": "Kodi listed it without an id: nor with a name",
    }
    assert not ends(findings)[0].complete
    assert "without an id" in ends(findings)[0].reason


@pytest.mark.parametrize("kind", ["seasons", "episodes"])
async def test_holes_among_shows(kind):
    async with FakeKodi(make_catalogue(films=0, shows=1, seasons=2, episodes=2)) as server:
        method = f"Get{kind.capitalize()}"

        def is_second(request):
            limits = fields_of(request).get("limits")
            return bool(
                limits
                and calls(method)(request)
                and fields_of(request)["properties"]
                and limits["start"] < 2 <= limits["end"]
            )

        server.faults = [Fault.status(500, at=is_second, times=None)]
        findings = await read(make_backend(server, page_size=2, options=IMPATIENT))
    [(key, reason)] = unreadable(findings).items()
    assert key == f"{kind[:-1]}/2"
    assert "500" in reason
    assert len(found_items(findings)) == 6
    if kind == "seasons":
        parents = {getattr(item, "parent_remote_id", "") for item in found_items(findings).values()}
        assert parents == {"", "show/1", "season/1"}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            {"code": -32602, "message": "Invalid params.", "data": {"stack": {"name": "Item.Fields.Base"}}},
            "GetMovies was answered with error -32602: Invalid params. (Item.Fields.Base)",
        ),
        ({"code": -32601, "message": "Method not found."}, "is it an older version?"),
    ],
)
async def test_a_call_that_kodi_does_not_take_ends_the_sync_at_once(error, words):
    async with FakeKodi(films(300)) as server:
        refuse = Fault.rewrite(lambda answer: {"id": answer["id"], "error": error}, at=calls("GetMovies"))
        server.faults = [refuse]
        with pytest.raises(LibraryUnreadable, match=re.escape(words)):
            await read(make_backend(server))
        assert len(server.requests) == 2


async def test_an_error_inside_kodi_is_met_with_smaller_requests():
    async with FakeKodi(films(9)) as server:
        error = {"code": -32603, "message": "Internal error."}
        server.faults = [
            Fault.rewrite(lambda answer: {"id": answer["id"], "error": error}, at=calls("GetMovies"))
        ]
        findings = await read(make_backend(server, page_size=8))
    assert len(found_items(findings)) == 9
    assert ends(findings)[0].complete


# Whatever fails


def change(catalogue):
    """Change one item of each kind that has people."""
    for kind in ("movie", "show", "episode"):
        item = next(item for item in catalogue.items() if item.media_type == kind)
        added = Credit(person=catalogue.new_person(f"New in {kind}"), person_type="actor", role="Newcomer")
        catalogue.edit_cast(item.remote_id, [added, *item.credits[1:]])


def without_pictures(casts):
    return {key: [entry[:3] for entry in cast] for key, cast in casts.items()}


@pytest.mark.parametrize("name", FAULTS)
async def test_no_fault_shortens_a_stored_cast(mirror, name):
    """One fault at each request of a sync in turn: each cast is then that from before, or the new one."""
    catalogue = make_catalogue(films=3, shows=1, seasons=1, episodes=2)
    catalogue.edit_cast(catalogue.titled("Show 1, 1x2").remote_id, [])
    async with FakeKodi(catalogue) as server:
        await mirror.sync(make_backend(server, page_size=2))
        items = list(server.truth().items())
        wanted = without_pictures(await stored_casts(mirror, items))
        needed = len(server.requests)
        assert needed == 9
        for number in range(1, needed + 1):
            change(catalogue)
            before, fault = wanted, FAULTS[name]
            fault.met, fault.times, fault.at = 0, 1, len(server.requests) + number
            server.faults = [fault]
            try:
                report = await mirror.sync(make_backend(server, page_size=2, options=IMPATIENT))
                told = [*report.failed, *report.problems, *report.remarks]
            except MediaSyncError as error:
                told = [error]
            after = without_pictures(await stored_casts(mirror, items))
            server.faults = []
            await mirror.sync(make_backend(server))
            wanted = without_pictures(await stored_casts(mirror, items))
            assert fault.met == 1
            assert after.keys() == before.keys()
            assert all(cast in (before[key], wanted[key]) for key, cast in after.items()), number
            assert told or after == wanted, number


async def test_the_password_is_nowhere(mirror, file, caplog):
    caplog.set_level(logging.DEBUG)
    catalogue = films(2)
    catalogue.item("1").path = f"smb://me:{PASSWORD}@nas/films/1.mkv"
    catalogue.item("2").images = {"poster": f"smb://me:{PASSWORD}@nas/poster.jpg"}
    texts = []
    async with FakeKodi(catalogue, password=PASSWORD) as server:
        report = await mirror.sync(make_backend(server))
        texts.append(repr(report))
        for fault in (Fault.status(500, times=None), Fault.html(times=None), Fault.status(401, times=None)):
            server.faults = [fault]
            with pytest.raises(SourceError) as raised:
                await mirror.sync(make_backend(server, options=IMPATIENT))
            texts += [str(raised.value), repr(raised.value)]
        encoded = server.requests[0].headers["authorization"].removeprefix("Basic ")
    stored = b"".join(path.read_bytes() for path in file.parent.iterdir() if path.is_file())
    for secret in (PASSWORD, encoded):
        assert secret.encode() not in stored
        assert secret not in caplog.text
        assert all(secret not in text for text in texts)
