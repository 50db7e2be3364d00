"""Other people's client libraries speak to the fakes as they speak to real servers."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import aiohttp
import httpx
import jsonrpc_base
import pykodi
import pytest
from jellyfin_apiclient_python import JellyfinClient
from jellyfin_apiclient_python.exceptions import HTTPException
from kodipydent import Kodi as Kodipydent
from plexapi.exceptions import BadRequest, NotFound
from plexapi.server import PlexServer

from mediasync.testing import FakeJellyfin, FakeKodi, FakePlex, make_catalogue

TOKEN = "a-token-for-tests"


@pytest.fixture
def catalogue():
    return make_catalogue(films=6, shows=2, seasons=2, episodes=3)


def names(people):
    return [person.tag for person in people]


def credited(item, *types):
    return [credit.person.name for credit in item.credits if credit.person_type in types]


# python-plexapi, which reads XML


@pytest.fixture
async def plex(catalogue):
    async with FakePlex(catalogue, token=TOKEN) as server:

        async def with_client(work):
            return await asyncio.to_thread(lambda: work(PlexServer(server.url, TOKEN)))

        yield with_client


async def test_plexapi_finds_the_libraries(plex):
    def work(server):
        sections = server.library.sections()
        return server.friendlyName, [(section.title, section.type) for section in sections]

    expected = [("Films", "movie"), ("TV Shows", "show"), ("Music", "artist")]
    assert await plex(work) == ("Fake Plex", expected)


async def test_plexapi_lists_films_and_reads_their_whole_casts(plex, catalogue):
    def work(server):
        films = server.library.section("Films")
        [film] = films.search(title="Film 1")
        preview = names(film.roles)
        film.reload()
        guids = {guid.id for guid in film.guids}
        parts = [part.file for part in film.iterParts()]
        return films.totalSize, preview, names(film.roles), names(film.directors), guids, parts

    film = catalogue.titled("Film 1")
    total, preview, roles, directors, guids, parts = await plex(work)
    cast = credited(film, "actor", "guest_star")
    assert total == 6
    assert preview == cast[:3]
    assert roles == cast
    assert directors == credited(film, "director")
    assert guids == {f"{provider}://{value}" for provider, value in film.provider_ids.items()}
    assert parts == [film.path]


async def test_plexapi_filters_and_sorts(plex, catalogue):
    film = catalogue.titled("Film 2")

    def work(server):
        films = server.library.section("Films")
        actor = films.get("Film 2").reload().roles[0]
        found = {
            "title": films.search(title="film 2"),
            "year": films.search(year=film.year),
            "actor": films.search(actor=actor),
            "genre": films.search(genre=film.genres[0]),
            "exact": films.search(filters={"title==": "Film 2"}),
            "new": films.search(filters={"addedAt>>": "1999-01-01"}),
            "old": films.search(filters={"addedAt<<": "1999-01-01"}),
            "sorted": films.search(sort="titleSort:desc", maxresults=2),
            "all": server.library.search(title="Film 2"),
            "hubs": server.search("Film 2"),
        }
        return {name: [item.title for item in items] for name, items in found.items()}

    titles = [f"Film {number}" for number in range(1, 7)]
    found = await plex(work)
    alone = ["Film 2"]
    assert {name for name, items in found.items() if items == alone} == {
        *("title", "year", "exact", "all", "hubs"),
        *(["actor"] if found["actor"] == alone else []),
    }
    assert found["actor"] == [
        title for title in titles if credited(film, "actor")[0] in credited(catalogue.titled(title), "actor")
    ]
    assert found["genre"] == [title for title in titles if film.genres[0] in catalogue.titled(title).genres]
    assert (found["new"], found["old"], found["sorted"]) == (titles, [], ["Film 6", "Film 5"])


async def test_plexapi_walks_from_a_show_to_its_episodes_and_back(plex):
    def work(server):
        show = server.library.section("TV Shows").get("Show 1")
        episode = show.episode(season=2, episode=3)
        return (
            [season.title for season in show.seasons()],
            [part.title for part in show.season(1).episodes()],
            len(show.episodes()),
            (episode.title, episode.grandparentTitle, episode.parentTitle, episode.seasonEpisode),
            episode.show() == show,
            episode.season().index,
        )

    seasons, first, count, episode, same, number = await plex(work)
    assert seasons == ["Season 1", "Season 2"]
    assert first == ["Show 1, 1x1", "Show 1, 1x2", "Show 1, 1x3"]
    assert count == 6
    assert episode == ("Show 1, 2x3", "Show 1", "Season 2", "s02e03")
    assert same
    assert number == 2


async def test_plexapi_is_refused_what_the_fake_does_not_know(plex):
    def work(server):
        with pytest.raises(NotFound, match="/library/metadata/1/similar"):
            server.query("/library/metadata/1/similar")
        with pytest.raises(BadRequest, match="studio=Gaumont"):
            server.query("/library/sections/1/all?studio=Gaumont")
        for query in ("type=99", "type=films", "limit=many"):
            with pytest.raises(BadRequest, match=query):
                server.query(f"/library/sections/1/all?{query}")
        assert server.library.section("Films").collections() == []
        with pytest.raises(BadRequest, match="does not change anything by PUT"):
            server.query("/library/metadata/1?title.value=x", method=server._session.put)

    await plex(work)


# jellyfin-apiclient-python


@pytest.fixture(params=["12.0", "10.11"])
async def jellyfin(request, catalogue):
    async with FakeJellyfin(catalogue, version=request.param) as server:

        async def with_client(work):
            return await asyncio.to_thread(lambda: work(signed_in(server.url), server))

        yield with_client


def new_client():
    client = JellyfinClient()
    client.config.app("tests", "1", "a device", "a-device-id")
    client.config.data["auth.ssl"] = True
    return client


def signed_in(url):
    client = new_client()
    client.auth.connect_to_address(url)
    assert client.auth.login(url, "admin", "fixture-password")["User"]["Name"] == "admin"
    return client.jellyfin


async def test_the_jellyfin_client_finds_users_and_libraries(jellyfin):
    def work(client, _server):
        user = client.get_user()
        assert [one["Name"] for one in client.get_public_users()] == ["admin"]
        assert client.get_users() == [user]
        assert client.get_views() == client.media_folders()
        return [
            (folder["Name"], folder["CollectionType"]) for folder in client.virtual_folders()
        ], client.items("/Counts")

    folders, counts = await jellyfin(work)
    assert folders == [("Films", "movies"), ("TV Shows", "tvshows")]
    assert (counts["MovieCount"], counts["SeriesCount"], counts["EpisodeCount"]) == (6, 2, 12)


async def test_the_jellyfin_client_reads_items_with_their_people(jellyfin, catalogue):
    def work(client, server):
        listed = client.user_items(
            params={"Recursive": True, "IncludeItemTypes": "Movie,Series", "Fields": "People"}
        )["Items"]
        film = next(item for item in listed if item["Name"] == "Film 1")
        again = client.get_items([film["Id"]])["Items"]
        crediting = client.get_items_by_person(film["People"][0]["Id"])["Items"]
        found = client.search_media_items("film 2", media="Movie")["Items"]
        return (
            [item["Name"] for item in listed],
            client.get_item(film["Id"])["People"] == film["People"],
            [person["Name"] for person in film["People"]],
            [item["Id"] for item in again] == [film["Id"]],
            "Film 1" in {item["Name"] for item in crediting},
            [item["Name"] for item in found],
        )

    titles, same, people, again, crediting, found = await jellyfin(work)
    assert titles == [*(f"Film {number}" for number in range(1, 7)), "Show 1", "Show 2"]
    assert same
    assert people == [credit.person.name for credit in catalogue.titled("Film 1").credits]
    assert again
    assert crediting
    assert found == ["Film 2"]


async def test_the_jellyfin_client_reads_seasons_and_episodes(catalogue):
    async with FakeJellyfin(catalogue) as server:

        def work():
            client = signed_in(server.url)
            show = client.search_media_items("Show 1", media="Series")["Items"][0]["Id"]
            seasons = client.get_seasons(show)["Items"]
            of_second = client.get_season(show, seasons[1]["Id"])["Items"]
            return len(client.get_episodes(show)["Items"]), [episode["Name"] for episode in of_second]

        assert await asyncio.to_thread(work) == (6, ["Show 1, 2x1", "Show 1, 2x2", "Show 1, 2x3"])


async def test_the_jellyfin_client_signs_in_by_quick_connect(catalogue):
    async with FakeJellyfin(catalogue) as server:

        def work():
            api = new_client().jellyfin
            assert api.quick_connect_enabled(server.url)
            begun = api.quick_connect_initiate(server.url)
            assert api.login_with_quick_connect(server.url, begun["Secret"]) == {}
            assert not api.quick_connect_state(server.url, begun["Secret"])["Authenticated"]
            assert server.accounts.approve(begun["Code"], "admin")
            assert api.quick_connect_state(server.url, begun["Secret"])["Authenticated"]
            return api.login_with_quick_connect(server.url, begun["Secret"])

        answer = await asyncio.to_thread(work)
        assert answer["User"]["Name"] == "admin"
        assert server.tokens[answer["AccessToken"]] == "admin"


async def test_the_jellyfin_client_is_refused_what_the_fake_does_not_know(jellyfin):
    def work(client, _server):
        with pytest.raises(HTTPException):
            client.get_similar("0" * 32)
        with pytest.raises(HTTPException):
            client.user_items(params={"Recursive": True, "Studios": "Gaumont"})

    await jellyfin(work)


async def test_a_list_may_come_as_repeated_parameters(catalogue):
    """So sends them ``@jellyfin/sdk``, the client for JavaScript."""
    async with FakeJellyfin(catalogue, api_key=TOKEN) as server:
        headers = {"Authorization": f'MediaBrowser Client="Web", Token="{TOKEN}"'}
        async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:

            async def items(*pairs):
                answer = await client.get("/Items", params=[("recursive", "true"), *pairs])
                assert answer.status_code == 200
                return answer.json()["Items"]

            both = await items(("includeItemTypes", "Movie"), ("includeItemTypes", "Series"))
            assert {item["Type"] for item in both} == {"Movie", "Series"}
            fields = [("fields", "People"), ("fields", "Overview"), ("limit", "1")]
            assert {"People", "Overview"} <= (await items(*fields))[0].keys()
            ids = [item["Id"] for item in both[:2]]
            assert [item["Id"] for item in await items(*(("ids", key) for key in ids))] == ids
            years = [("includeItemTypes", "Movie"), ("years", "1951"), ("years", "1952")]
            assert [item["Name"] for item in await items(*years)] == ["Film 1", "Film 2"]
            backwards = [("sortBy", "SortName"), ("sortOrder", "Descending"), ("limit", "1")]
            assert [item["Name"] for item in await items(*backwards)] == ["Show 2"]
            people = [("personIds", person["Id"]) for person in (await items(*fields))[0]["People"][:2]]
            assert "Film 1" in {item["Name"] for item in await items(*people)}

            picture = await client.get(f"/Items/{ids[0]}/Images/Primary", headers={"Authorization": ""})
            assert (picture.headers["content-type"], picture.content[1:4]) == ("image/png", b"PNG")
            refused = await client.get("/Items", params={"studios": "Gaumont"})
            assert (refused.status_code, refused.text) == (
                501,
                "this fake does not know the filter studios=Gaumont",
            )


# Kodi: pykodi, which gives parameters by their places, and kodipydent, which asks what there is


@pytest.mark.filterwarnings("ignore::DeprecationWarning:aiohttp", "ignore::DeprecationWarning:pykodi")
async def test_pykodi_reads_the_library(catalogue):
    async with FakeKodi(catalogue, password="secret") as server, aiohttp.ClientSession() as session:
        port = urlsplit(server.url).port
        kodi = pykodi.Kodi(
            pykodi.get_kodi_connection("127.0.0.1", port, None, "kodi", "secret", session=session)
        )
        assert await kodi.ping()
        assert await kodi.get_application_properties(["name", "volume"]) == {"name": "Kodi", "volume": 100}
        assert await kodi.get_players() == []
        movies = (await kodi.get_movies(["title", "cast"]))["movies"]
        assert [movie["title"] for movie in movies] == [f"Film {number}" for number in range(1, 7)]
        details = (await kodi.get_movie_details(movies[0]["movieid"], ["cast"]))["moviedetails"]
        assert details["cast"] == movies[0]["cast"]
        shows = (await kodi.get_tv_shows(["title"]))["tvshows"]
        seasons = (await kodi.get_seasons(shows[0]["tvshowid"], ["season"]))["seasons"]
        assert [season["season"] for season in seasons] == [1, 2]
        episodes = (await kodi.get_episodes(shows[0]["tvshowid"], 2, ["title"]))["episodes"]
        assert [episode["title"] for episode in episodes] == ["Show 1, 2x1", "Show 1, 2x2", "Show 1, 2x3"]
        with pytest.raises(jsonrpc_base.jsonrpc.ProtocolError, match="Method not found"):
            await kodi.get_artists()


async def test_kodipydent_learns_the_methods_and_filters_and_sorts(catalogue):
    async with FakeKodi(catalogue, password="secret") as server:
        port = urlsplit(server.url).port

        def work():
            kodi = Kodipydent("127.0.0.1", port=port, username="kodi", password="secret")

            def titles(**params):
                answer = kodi.VideoLibrary.GetMovies(properties=["title"], **params)
                return [movie["title"] for movie in answer["result"]["movies"]]

            by_year = {"field": "year", "operator": "greaterthan", "value": "1953"}
            by_title = {"field": "title", "operator": "contains", "value": "film"}
            not_first = {"field": "title", "operator": "isnot", "value": "Film 1"}
            newest = {"method": "year", "order": "descending"}
            return (
                titles(sort=newest, limits={"start": 0, "end": 2}),
                titles(filter=by_year),
                titles(filter={"and": [by_title, not_first]}, sort={"method": "title"}),
                kodi.VideoLibrary.GetMovies(filter={"field": "studio", "operator": "is", "value": "x"}),
            )

        newest, later, others, refused = await asyncio.to_thread(work)
    assert newest == ["Film 6", "Film 5"]
    assert later == ["Film 4", "Film 5", "Film 6"]
    assert others == [f"Film {number}" for number in range(2, 7)]
    assert refused["error"]["code"] == -32602


async def test_one_method_of_kodi_is_described(catalogue):
    async with FakeKodi(catalogue) as server, httpx.AsyncClient(base_url=server.url) as client:

        async def introspect(**params):
            call = {"jsonrpc": "2.0", "id": 1, "method": "JSONRPC.Introspect", "params": params}
            return (await client.post("/jsonrpc", json=call)).json()

        name = "VideoLibrary.GetEpisodes"
        described = (await introspect(filter={"id": name, "type": "method"}))["result"]["methods"]
        params = [param["name"] for param in described.pop(name)["params"]]
        assert params == ["tvshowid", "season", "properties", "limits", "sort", "filter"]
        assert not described
        assert (await introspect(filter={"id": "Nothing", "type": "method"}))["error"]["code"] == -32602
