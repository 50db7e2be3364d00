"""Reading a fake Kodi over HTTP: what is stored, what is asked for, and episodes' casts."""

import tracemalloc
from collections import Counter
from contextlib import aclosing

import pytest
from findings import ends, found_items, problems, read, tokens, unchanged, unreadable
from kodi_syncing import (
    PASSWORD,
    assert_same,
    assert_stored,
    calls,
    make_backend,
    people_of,
    rewriting,
    stored_casts,
)
from support.mirror import written

from mediasync import Credit, Library, MediaSync, Movie, Person, Source
from mediasync.backends.base import Enumerated, Found, NothingStored
from mediasync.backends.kodi import KodiBackend
from mediasync.errors import ConfigurationError, LifecycleError, UnknownLibrary
from mediasync.testing import Catalogue, FakeServer, Fault, Response, make_catalogue
from mediasync.testing.kodi import FakeKodi
from mediasync.vocabulary import Completeness


@pytest.fixture
async def mirror(file_url):
    async with MediaSync(file_url) as ms:
        yield ms


def actor(name, role=None):
    return Credit(
        person=Person(name=name, remote_id=f"{sum(map(ord, name))}"), person_type="actor", role=role
    )


def series(*casts, show=(("Bryan", "Walter"), ("Aaron", "Jesse"), ("Anna", "Skyler"))):
    """Return a catalogue of one show with a cast, and of episodes with those casts of their own."""
    catalogue = make_catalogue(films=0, shows=1, seasons=1, episodes=len(casts), credits_each=2)
    first, _, *episodes = catalogue.libraries[1].items
    for item, cast in zip([first, *episodes], [show, *casts], strict=True):
        catalogue.edit_cast(item.remote_id, [actor(*entry) for entry in cast])
    return catalogue


# What is stored


@pytest.mark.parametrize("page_size", [250, 3, 1])
async def test_everything_is_stored_as_it_is_served(mirror, page_size):
    async with FakeKodi(make_catalogue(films=7, shows=2, hard=True), password=PASSWORD) as server:
        report = await mirror.sync(make_backend(server, page_size=page_size))
        truth = server.truth()
    assert (report.failed, report.problems, report.remarks) == ((), (), ())
    assert report.run.saved == sum(1 for _ in truth.items())
    await assert_stored(mirror, truth.items())


async def test_the_libraries_and_the_name_of_the_source(mirror):
    async with FakeKodi(Catalogue(), password=PASSWORD, name="Living room") as server:
        backend = make_backend(server)
        await mirror.sync(backend)
        named = make_backend(server, name="Mine")
        async with named.open():
            assert named.source.name == "Mine"
            libraries = await named.fetch_libraries()
    assert [(library.id, library.kind, library.title) for library in libraries] == [
        ("movies", "movies", "Movies"),
        ("shows", "shows", "TV shows"),
    ]
    assert (backend.source.name, backend.source.server_id) == ("Living room", None)
    assert (await mirror.media.find_source("home")).name == "Living room"


async def test_a_second_sync_writes_nothing_but_the_record_of_its_run(tmp_path):
    writes = set()
    for films, shows in ((1, 1), (7, 2)):
        async with (
            MediaSync(f"sqlite:///{tmp_path}/{films}.db") as mirror,
            FakeKodi(make_catalogue(films, shows, hard=films > 1)) as server,
        ):
            await mirror.sync(make_backend(server))
            before = await written(mirror)
            count = len(list(server.catalogue.items()))
            findings = await read(make_backend(server), tokens(await read(make_backend(server))))
            assert len(unchanged(findings)) == count
            report = await mirror.sync(make_backend(server))
            assert (report.run.saved, report.run.unchanged) == (0, count)
            writes.add(await written(mirror) - before)
    assert len(writes) == 1, "as many rows, however many items there are"


async def test_only_what_changed_is_saved(mirror):
    catalogue = make_catalogue(films=7, shows=1)
    async with FakeKodi(catalogue) as server:
        await mirror.sync(make_backend(server))
        count = len(list(catalogue.items()))
        film, episode = catalogue.titled("Film 3"), catalogue.titled("Show 1, 1x2")
        catalogue.edit_cast(film.remote_id, [*film.credits[1:], actor("New", "Newcomer")])
        catalogue.edit_cast(episode.remote_id, episode.credits[1:])
        added = catalogue.add("1", Movie(remote_id="900", title="Added", credits=[actor("Somebody")]))
        report = await mirror.sync(make_backend(server))
        assert (report.run.saved, report.run.unchanged) == (3, count - 2)
        await assert_stored(mirror, server.truth().items())
        catalogue.remove(added.remote_id)
        report = await mirror.sync(make_backend(server))
        assert (report.run.saved, report.removed) == (0, ("home:movie/8",))


async def test_an_id_that_another_film_has_now_is_that_film(mirror):
    catalogue = make_catalogue(films=2, shows=0)
    async with FakeKodi(catalogue) as server:
        await mirror.sync(make_backend(server))
        catalogue.remove("2")
        catalogue.add("1", catalogue.item("1").model_copy(update={"remote_id": "9", "path": "/other.mkv"}))
        report = await mirror.sync(make_backend(server))
        assert report.run.saved == 1
        stored = await mirror.media.get_media_item("home:movie/2")
        wanted = server.truth().item("movie/2")
    assert (stored.path, people_of(stored)) == ("/other.mkv", people_of(wanted))


async def test_a_changed_cast_of_a_show_is_no_change_of_its_episodes():
    catalogue = series([("Guest", "G"), ("Other", "O")], [])
    async with FakeKodi(catalogue) as server:
        known = tokens(await read(make_backend(server)))
        show = catalogue.titled("Show 1")
        catalogue.edit_cast(show.remote_id, [*show.credits, actor("Dean", "Hank")])
        findings = await read(make_backend(server), known)
    assert found_items(findings).keys() == {"show/1"}
    assert problems(findings) == {}


async def test_times_without_a_time_zone_are_kept_as_they_are():
    async with FakeKodi(make_catalogue(films=1, shows=0), timezone="Europe/Berlin") as server:
        [plain] = found_items(await read(make_backend(server, timezone=None))).values()
        [zoned] = found_items(await read(make_backend(server))).values()
        truth = server.truth().item("movie/1")
        assert zoned.added_at == truth.added_at
        assert plain.added_at == f"{zoned.added_at:%Y-%m-%d %H:%M:%S}"
        other_zone = await read(make_backend(server, timezone="UTC"), {"movie/1": zoned.change_token})
        assert found_items(other_zone)["movie/1"].added_at != zoned.added_at


# What is asked for


async def test_few_requests_are_enough():
    async with FakeKodi(make_catalogue(films=2_500, shows=0, credits_each=1)) as server:
        findings = await read(make_backend(server))
        assert len(found_items(findings)) == 2_500
        # one to open, ten full pages of films and the one behind them, one each of shows, seasons, episodes
        assert len(server.requests) == 15
        assert server.most_at_once <= 2
        server.requests.clear()
        assert len(unchanged(await read(make_backend(server), tokens(findings)))) == 2_500
        assert len(server.requests) == 15


async def test_episodes_cost_one_request_for_their_shows_and_one_for_links():
    catalogue = make_catalogue(films=0, shows=20, seasons=1, episodes=5, credits_each=4)
    async with FakeKodi(catalogue) as server:
        findings = await read(make_backend(server))
        for item in server.truth().items():
            assert_same(found_items(findings)[item.remote_id], item)
        assert len(server.requests) <= 8
        assert Counter(server.calls)["VideoLibrary.GetTVShowDetails"] == 20


async def test_no_request_is_too_large_for_kodi():
    crowd = [(f"{number:03}{'n' * 250}", f"Role {number}") for number in range(150)]
    async with FakeKodi(series([], crowd[:2], show=crowd)) as server:
        findings = await read(make_backend(server))
        assert problems(findings) == {}
        for item in server.truth().items():
            assert_same(found_items(findings)[item.remote_id], item)
        assert max(len(request.body) for request in server.requests) > 30_000


async def test_single_items_are_read_by_their_ids():
    catalogue = make_catalogue(films=3, shows=2)
    async with FakeKodi(catalogue) as server:
        whole = await read(make_backend(server))
        server.requests.clear()
        keys = [
            "movie/2",
            "show/1",
            "season/3",
            "episode/4",
            "episode/9",
            "movie/77",
            "movie/0",
            "x",
            "show/x",
        ]
        findings = await read(make_backend(server), tokens(whole), only=keys)
        assert not any(
            calls("GetMovies")(request) or calls("GetEpisodes")(request) for request in server.requests
        )
    items = found_items(findings)
    assert items.keys() == {"movie/2", "show/1", "season/3", "episode/4", "episode/9"}
    for key, item in items.items():
        assert_same(item, found_items(whole)[key])
        assert item.parent_remote_id == found_items(whole)[key].parent_remote_id if "season" in key else True
        assert item.change_token == tokens(whole)[key]
    assert unreadable(findings) == {
        "movie/77": "Kodi has no such movie",
        "movie/0": "Kodi has no ids that are 0 or so large",
    }
    assert [end.complete for end in ends(findings)] == [False, False]


async def test_single_items_that_cannot_be_read_are_reported():
    async with FakeKodi(make_catalogue(films=4, shows=1, seasons=1, episodes=1)) as server:

        def spoil(result):
            if result["moviedetails"]["movieid"] == 2:
                result["moviedetails"] = {"movieid": 3}

        server.faults = [rewriting("GetMovieDetails", spoil)]
        findings = await read(make_backend(server), only=["movie/1", "movie/2"])
        assert found_items(findings).keys() == {"movie/1"}
        assert unreadable(findings) == {"movie/2": "asked for, but left out of the answer"}
        server.faults = [Fault.status(500, at=calls("GetMovieDetails"), times=None)]
        findings = await read(make_backend(server), only=["movie/1", "episode/7"])
        assert "500" in unreadable(findings)["movie/1"]
        assert unreadable(findings)["episode/7"] == "Kodi has no such episode"


# Casts of episodes


@pytest.mark.parametrize(
    "own",
    [
        [],
        [("Guest", "G")],
        [("Guest", "G"), ("Other", "O")],
        [("Bryan", "Walter")],
        [("Bryan", "Walter"), ("Aaron", "Jesse")],
        [("Bryan", "Walter"), ("Aaron", "Jesse"), ("Anna", "Skyler")],
        [("Bryan", "Walter"), ("Aaron", "Jesse"), ("Anna", "Skyler"), ("Guest", "G")],
        [("Guest", "G"), ("Aaron", "Jesse")],
        [("Guest", "G"), ("Bryan", "Walter's twin")],
        [("Anna", "Skyler"), ("Aaron", "Jesse"), ("Bryan", "Walter")],
        [("Aaron", "Jesse"), ("Bryan", "Heisenberg"), ("Bryan", "Walter")],
    ],
)
@pytest.mark.parametrize("api", [13, 10])
async def test_an_episodes_own_cast_is_distinguished_from_its_shows(own, api):
    if api == 10:  # before Kodi 19 nobody has two roles in one item
        own = list(dict(own).items())
    async with FakeKodi(series(own, [("Guest", "G")]), api=api) as server:
        findings = await read(make_backend(server))
    item = found_items(findings)["episode/1"]
    assert people_of(item) == [("actor", name, role) for name, role in own]
    assert (item.completeness, problems(findings)) == (Completeness.FULL, {})


async def test_a_show_without_a_cast():
    async with FakeKodi(series([("Guest", "G")], [], show=())) as server:
        findings = await read(make_backend(server))
    assert people_of(found_items(findings)["episode/1"]) == [("actor", "Guest", "G")]
    assert found_items(findings)["episode/2"].credits == []
    assert problems(findings) == {}


async def test_a_cast_of_unknown_origin_is_a_preview_and_takes_nothing_from_a_stored_list(mirror):
    catalogue = series([("Guest", "G")], [("Guest", "G")])
    async with FakeKodi(catalogue) as server:
        await mirror.sync(make_backend(server))
        stored = await stored_casts(mirror, server.truth().items())
        catalogue.edit_cast("3", [actor("Bryan", "Heisenberg")])
        report = await mirror.sync(make_backend(server))
        [(item_id, problem)] = report.problems
        assert item_id == "home:episode/1"
        assert "cannot be separated from its show's" in problem
        assert await stored_casts(mirror, server.truth().items()) == stored
        findings = await read(make_backend(server))
        item = found_items(findings)["episode/1"]
        assert (item.completeness, item.change_token) == (Completeness.PREVIEW, None)
        catalogue.edit_cast("3", [actor("Guest", "G"), actor("Bryan", "Heisenberg")])
        report = await mirror.sync(make_backend(server))
        assert report.problems == ()
        await assert_stored(mirror, server.truth().items())


async def test_a_name_that_stands_for_others_in_kodis_database_proves_nothing():
    show = (("A_C", "Lead"), ("Anna", "Skyler"))
    async with FakeKodi(series([("A_C", "Lead")], [], show=show)) as server:
        findings = await read(make_backend(server))
    assert problems(findings).keys() == {"episode/1"}
    assert found_items(findings)["episode/1"].completeness is Completeness.PREVIEW
    assert found_items(findings)["episode/2"].credits == []


async def test_a_show_whose_cast_changes_while_it_is_read_is_read_again():
    """Between its listing and that of its episodes somebody joins it; else he would count as their guest."""
    catalogue = series([], [("Guest", "G")])
    async with FakeKodi(catalogue) as server:

        def join(_result):
            catalogue.edit_cast("1", [*catalogue.item("1").credits, actor("Dean", "Hank")])

        server.faults = [rewriting("GetTVShows", join)]
        findings = await read(make_backend(server))
        assert sum(map(calls("GetEpisodes"), server.requests)) >= 2
        assert found_items(findings)["episode/1"].credits == []
        assert people_of(found_items(findings)["episode/2"]) == [("actor", "Guest", "G")]
        assert problems(findings) == {}


async def test_a_show_whose_cast_never_stands_still_leaves_its_episodes_as_previews():
    catalogue = series([], [("Guest", "G")])
    async with FakeKodi(catalogue) as server:

        def join(_result):
            catalogue.edit_cast("1", [*catalogue.item("1").credits, actor(f"Guest {catalogue.now}")])

        server.faults = [rewriting("GetEpisodes", join, times=None)]
        findings = await read(make_backend(server))
    assert problems(findings).keys() == {"episode/1", "episode/2"}
    assert "changed while it was read" in problems(findings)["episode/1"][0]
    assert {found_items(findings)[key].completeness for key in problems(findings)} == {Completeness.PREVIEW}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda result: result.pop("tvshowdetails"), "does not give the cast"),
        (lambda result: result["tvshowdetails"].update(cast="Bryan"), "does not give the cast"),
        (lambda result: result["tvshowdetails"].update(cast=[]), "does not end with its show's"),
        (lambda result: result["tvshowdetails"].update(cast=[{"name": "X"}]), "does not end with its show's"),
    ],
)
async def test_a_cast_that_does_not_end_with_its_shows_is_kept_whole(spoil, told):
    def spoil_listing(result):
        for show in result["tvshows"]:
            details = {"tvshowdetails": show}
            spoil(details)
            show.update(details.get("tvshowdetails", {"cast": None}))

    async with FakeKodi(series([("Guest", "G"), ("Other", "O")])) as server:
        server.faults = [
            rewriting("GetTVShows", spoil_listing, times=None),
            rewriting("GetTVShowDetails", spoil, times=None),
        ]
        findings = await read(make_backend(server))
    item = found_items(findings)["episode/1"]
    if "does not end" in told and "X" not in str(spoil):
        # With nobody in the show everybody is the episode's own, were it not for the orders beginning again.
        assert len(item.credits) == 5
    assert told in problems(findings)["episode/1"][0]
    assert (item.completeness, item.change_token) == (Completeness.PREVIEW, None)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.status(500, at=lambda request: b'"filter"' in request.body, times=None),
        Fault.status(500, at=lambda request: b"GetTVShowDetails" in request.body, times=None),
        rewriting("GetEpisodes", lambda result: result.pop("limits"), times=None),
        rewriting("GetEpisodes", lambda result: result.update(episodes=7), times=None),
        rewriting("GetEpisodes", lambda result: result.update(episodes=[{}]), times=None),
    ],
    ids=["links fail", "shows fail", "no limits", "no list", "no ids"],
)
async def test_what_kodi_does_not_tell_leaves_a_preview(fault):
    met = fault.at

    def at(request):
        return met(request) and b'"limits"' not in request.body

    fault.at, fault.met = at, 0
    async with FakeKodi(series([], [("Guest", "G"), ("Other", "O")])) as server:
        server.faults = [fault]
        findings = await read(make_backend(server))
    item = found_items(findings)["episode/1"]
    assert (item.completeness, len(item.credits)) == (Completeness.PREVIEW, 3)
    assert problems(findings)["episode/1"]
    assert ends(findings)[1].complete


async def test_an_episode_of_a_season_that_was_not_listed_belongs_to_its_show():
    async with FakeKodi(series([("Guest", "G")])) as server:
        server.faults = [
            rewriting("GetSeasons", lambda result: result.update(seasons=[], limits={"total": 0}))
        ]
        findings = await read(make_backend(server))
    assert found_items(findings)["episode/1"].parent_remote_id == "show/1"


# How it is used


async def test_it_must_be_open():
    backend = KodiBackend("http://127.0.0.1:9", source=Source(id="home", kind="kodi"))
    library = Library(id="movies", source_id="home", kind="movies")
    with pytest.raises(LifecycleError, match="not open"):
        await backend.fetch_libraries()
    with pytest.raises(LifecycleError, match="not open"):
        await anext(backend.iter_items(library, NothingStored()))


async def test_a_library_that_kodi_has_not():
    async with FakeKodi(Catalogue()) as server:
        backend = make_backend(server)
        async with backend.open():
            library = Library(id="music", source_id="home", kind="mixed")
            with pytest.raises(UnknownLibrary, match="'music'"):
                await anext(backend.iter_items(library, NothingStored()))


async def test_leaving_early_leaves_nothing_behind():
    async with FakeKodi(make_catalogue(films=20, shows=2)) as server:
        backend = make_backend(server, page_size=2)
        async with backend.open():
            for library in await backend.fetch_libraries():
                async with aclosing(backend.iter_items(library, NothingStored())) as stream:
                    await anext(stream)


def test_what_it_cannot_be_made_with():
    source = Source(id="home", kind="kodi")
    with pytest.raises(ConfigurationError, match="'Europe/Nowhere'"):
        KodiBackend("http://kodi:8080", source=source, timezone="Europe/Nowhere")
    with pytest.raises(ConfigurationError, match="time zone"):
        KodiBackend("http://kodi:8080", source=source, timezone="../passwd")
    with pytest.raises(ValueError, match="page_size"):
        KodiBackend("http://kodi:8080", source=source, page_size=0)


def test_it_does_not_show_its_password():
    backend = KodiBackend("http://kodi:8080", source=Source(id="home", kind="kodi"), password=PASSWORD)
    assert repr(backend) == "KodiBackend('http://kodi:8080', source='home')"


async def test_a_base_path_is_kept():
    async with FakeKodi(make_catalogue(films=1, shows=0), base_path="/living-room") as server:
        assert ends(await read(make_backend(server))) == [Enumerated(1), Enumerated(0)]


class Endless(FakeServer):
    """A Kodi with any number of films, which it makes up as they are asked for."""

    password = timezone = None

    def __init__(self, count):
        super().__init__()
        self.count = count

    async def handle(self, request):
        asked = request.json()
        if isinstance(asked, list):
            results = [{"version": {"major": 13}}, {"name": "Kodi"}, {}]
            return Response.json([{"id": number, "result": one} for number, one in enumerate(results, 1)])
        start, end = (asked["params"]["limits"][name] for name in ("start", "end"))
        cast = [{"name": f"Person {place}", "role": "R", "order": place} for place in range(15)]
        films = [
            {"movieid": number + 1, "title": f"Film {number}", "cast": cast, "director": [], "writer": []}
            for number in range(start, min(end, self.count))
        ]
        limits = {"start": start, "end": start + len(films), "total": self.count}
        return Response.json({"id": asked["id"], "result": {"movies": films, "limits": limits}})


@pytest.mark.slow
async def test_memory_does_not_grow_with_the_library():
    async def peak(count):
        async with Endless(count) as server:
            backend = make_backend(server, page_size=50)
            async with backend.open():
                library = (await backend.fetch_libraries())[0]
                tracemalloc.reset_peak()
                before, seen = tracemalloc.get_traced_memory()[0], 0
                async for finding in backend.iter_items(library, NothingStored()):
                    seen += isinstance(finding, Found)
                assert seen == count
                server.requests.clear()
                return tracemalloc.get_traced_memory()[1] - before

    tracemalloc.start()
    try:
        await peak(100)
        small, large = await peak(200), await peak(2_000)
    finally:
        tracemalloc.stop()
    # What is kept of an item is its key: 1,800 more of them, and the requests that the server keeps.
    assert large - small < 700_000
