"""The fake Kodi, held against the recorded answers of a real one."""

import copy
import json
import re
from urllib.parse import unquote

import httpx
import pytest
from kodi_syncing import recorded_answers

from mediasync import Credit, Movie, Person
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.kodi.kinds import EPISODES, MOVIES, SEASONS, SHOWS
from mediasync.backends.kodi.parse import parse_episode, parse_movie, parse_season, parse_show
from mediasync.backends.kodi.people import OwnCast, parse_cast
from mediasync.testing import Catalogue, MediaLibrary, make_catalogue
from mediasync.testing.kodi import FakeKodi

RECORDED = recorded_answers()
KINDS = {"movies": MOVIES, "tvshows": SHOWS, "seasons": SEASONS, "episodes": EPISODES}
ERRORS = [name for name, recorded in RECORDED.items() if "-err-" in name or "-id-" in name]


def source(reference):
    """Return what a reference to a picture is of."""
    wrapped = reference is not None and reference.startswith("image://")
    return unquote(reference.removeprefix("image://")[:-1]) if wrapped else reference


def recorded_catalogue():
    """Return a catalogue of what the real Kodi listed, in its order."""
    movies = [
        parse_movie(record, f"{1000 + record['movieid']}", "1", None).item
        for record in RECORDED["011-getmovies-sync-all"].records("movies")
    ]
    [with_picture] = RECORDED["045-getmoviedetails-every-property"].records("movies")
    movies[with_picture["movieid"] - 1].images = {"poster": with_picture["art"]["poster"]}
    shows = {
        record["tvshowid"]: parse_show(record, f"{2000 + record['tvshowid']}", "1", None).item
        for record in RECORDED["053-gettvshows-every-property"].records("tvshows")
    }
    items = list(shows.values())
    seasons = RECORDED["057-getseasons-all-shows"].records("seasons")
    items += [
        parse_season(record, f"{3000 + record['seasonid']}", "1", f"{2000 + record['tvshowid']}").item
        for record in seasons
    ]
    for record in RECORDED["062-getepisodes-all-shows"].records("episodes"):
        listed, _ = parse_cast(JsonRecord(record))
        own = listed[: len(listed) - len(shows[record["tvshowid"]].credits)]
        key, parent = f"{4000 + record['episodeid']}", f"{3000 + record['seasonid']}"
        items.append(parse_episode(record, key, "1", None, parent, OwnCast(own)).item)
    for item in [*movies, *items]:
        for credit in item.credits or ():
            credit.person.remote_id = "1"
            credit.person.image_path = source(credit.person.image_path)
        item.images = {kind: source(reference) for kind, reference in item.images.items()}
    return Catalogue(
        [MediaLibrary("1", "Movies", "movies", movies), MediaLibrary("2", "Shows", "shows", items)]
    )


@pytest.fixture
async def replaying():
    """A fake that serves what the real one served, and a client for it."""
    async with FakeKodi(recorded_catalogue()) as server, httpx.AsyncClient(base_url=server.url) as client:
        yield client


async def replay(client, recorded):
    return await client.request(
        recorded.method, recorded.path, headers=recorded.headers, content=recorded.sent or None
    )


UNKNOWN = ("dateadded", "set", "setid", "studio", "imdbnumber", "seasonid")


def without_what_differs(answer):
    """Leave out what a catalogue cannot hold: sets, studios, times without a zone, orders with gaps."""
    answer = copy.deepcopy(answer)
    result = answer["result"]
    for plural in KINDS:
        details = result.get(f"{plural[:-1]}details")
        for record in [*result.get(plural, ()), *([details] if details else ())]:
            record |= dict.fromkeys(record.keys() & set(UNKNOWN))
            for actor in record.get("cast", ()):
                del actor["order"]
    return answer


SEASON = "058-getseasondetails"
LISTINGS = [
    name
    for name, recorded in RECORDED.items()
    if isinstance(recorded.body, dict)
    and re.fullmatch(
        r"VideoLibrary\.Get(Movie|TVShow|Season|Episode)(s|Details)", recorded.body.get("method", "")
    )
    and "result" in recorded.answer
    and "dateadded" not in name  # the truth about the recorded library does not say when a film was added
    and name != SEASON
]


def test_there_is_something_to_replay():
    assert len(LISTINGS) == 43
    assert len(ERRORS) == 26


@pytest.mark.parametrize("name", LISTINGS)
async def test_listings_and_details_are_answered_as_recorded(replaying, name):
    recorded = RECORDED[name]
    answer = await replay(replaying, recorded)
    assert answer.status_code == recorded.status
    assert answer.headers["content-type"] == "application/json"
    assert without_what_differs(answer.json()) == without_what_differs(recorded.answer)


async def test_details_of_a_season_are_answered_as_recorded(replaying):
    """The ids of the real one's seasons have gaps."""
    call = {**RECORDED[SEASON].body, "params": {**RECORDED[SEASON].params, "seasonid": 1}}
    answer = await replaying.post("/jsonrpc", json=call)
    assert without_what_differs(answer.json()) == without_what_differs(RECORDED[SEASON].answer)


@pytest.mark.parametrize("name", ERRORS)
async def test_errors_are_answered_as_recorded(replaying, name):
    recorded = RECORDED[name]
    answer = await replay(replaying, recorded)
    assert answer.status_code == 200
    assert answer.json() == recorded.answer


@pytest.mark.parametrize(
    "name",
    [name for name in RECORDED if re.search("-(batch|http-post|http-404|client-notification)", name)],
)
async def test_http_is_answered_as_recorded(replaying, name):
    recorded = RECORDED[name]
    answer = await replay(replaying, recorded)
    assert answer.status_code == (recorded.status or 200)
    if recorded.answer is not None:
        assert answer.json() == recorded.answer
    elif recorded.status == 404:
        assert answer.text == recorded.text
    else:
        assert answer.content == b""


async def test_a_call_may_stand_in_the_url(replaying):
    recorded = RECORDED["115-http-get-request-param"]
    assert (await replay(replaying, recorded)).json() == recorded.answer


async def test_a_body_that_is_too_large_is_refused(replaying):
    call = b'{"jsonrpc":"2.0","id":1,"method":"JSONRPC.Ping"}'
    headers = {"Content-Type": "application/json"}
    for size, status in ((65_536, 200), (65_537, 413)):
        answer = await replaying.post("/jsonrpc", content=call.ljust(size), headers=headers)
        assert answer.status_code == status


async def test_a_password_is_asked_for_as_recorded():
    async with FakeKodi(Catalogue(), password="geheim") as server, httpx.AsyncClient() as client:
        call = {"jsonrpc": "2.0", "id": 1, "method": "JSONRPC.Ping"}
        for credentials in (None, ("kodi", "wrong"), ("KODI", "geheim")):
            answer = await client.post(f"{server.url}/jsonrpc", json=call, auth=credentials)
            assert (answer.status_code, answer.content) == (401, b"")
            assert answer.headers["www-authenticate"] == 'Basic realm="Kodi"'
        answer = await client.post(f"{server.url}/jsonrpc", json=call, auth=("kodi", "geheim"))
        assert answer.json()["result"] == "pong"


def ask(server, method, **params):
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return server.answer(json.dumps(call).encode())["result"]


def test_an_id_is_given_again_and_a_film_between_others_keeps_its_own():
    server = FakeKodi(make_catalogue(films=3, shows=0))

    def films():
        listed = ask(server, "VideoLibrary.GetMovies", properties=["title"])["movies"]
        return {record["movieid"]: record["title"] for record in listed}

    assert films() == {1: "Film 1", 2: "Film 2", 3: "Film 3"}
    server.catalogue.remove("3")
    server.catalogue.remove("1")
    server.catalogue.add("1", Movie(remote_id="9", title="New"))
    assert films() == {2: "Film 2", 3: "New"}


def test_one_name_is_one_person_whatever_its_case():
    people = [Person(remote_id="1", name="Robert De Niro"), Person(remote_id="2", name="robert de niro")]
    people[1].image_path = "https://image.tmdb.org/r.jpg"
    films = [
        Movie(remote_id=str(key), title="F", credits=[Credit(person=person, person_type="actor")])
        for key, person in enumerate(people, 1)
    ]
    server = FakeKodi(Catalogue([MediaLibrary("1", "Films", "movies", films)]))
    listed = ask(server, "VideoLibrary.GetMovies", properties=["cast"])["movies"]
    actor = {"name": "Robert De Niro", "order": 0, "role": ""}
    picture = "image://https%3a%2f%2fimage.tmdb.org%2fr.jpg/"
    assert [record["cast"] for record in listed] == [[{**actor, "thumbnail": picture}]] * 2


def test_an_episode_lists_of_its_show_who_is_not_in_its_own_cast():
    """As a real Kodi 20 was seen to do; the filter by actor looks at the episode's own cast alone."""
    catalogue = make_catalogue(films=0, shows=1, seasons=1, episodes=2, credits_each=5)
    show, _, first, _ = catalogue.libraries[1].items
    stars = [credit for credit in show.credits if credit.person_type == "actor"]
    guest = Credit(person=Person(remote_id="7", name="Guest"), person_type="guest_star")
    other = Credit(person=stars[1].person, person_type="actor", role="Another role")
    catalogue.edit_cast(first.remote_id, [guest, stars[0], other])
    catalogue.edit_cast("4", [])
    server = FakeKodi(catalogue)

    def cast(number):
        [record] = [
            record
            for record in ask(server, "VideoLibrary.GetEpisodes", properties=["cast"])["episodes"]
            if record["episodeid"] == number
        ]
        return [(actor["name"], actor["role"], actor["order"]) for actor in record["cast"]]

    names = [credit.person.name for credit in stars]
    roles = [credit.role for credit in stars]
    assert cast(1) == [
        *(("Guest", "", 0), (names[0], roles[0], 1), (names[1], "Another role", 2)),
        *((names[1], roles[1], 1), (names[2], roles[2], 2)),
    ]
    assert cast(2) == list(zip(names, roles, range(3), strict=True))

    def crediting(*people):
        rule = {"field": "actor", "operator": "is", "value": list(people)}
        listed = ask(server, "VideoLibrary.GetEpisodes", tvshowid=1, filter=rule)["episodes"]
        return [record["episodeid"] for record in listed]

    assert crediting(*names) == [1]
    assert crediting(names[2]) == []
    both = {"and": [{"field": "actor", "operator": "is", "value": name} for name in ("guest", names[0])]}
    assert ask(server, "VideoLibrary.GetEpisodes", filter=both)["limits"]["total"] == 1
    either = {"or": [{"actor": "guest"}, {"field": "title", "operator": "is", "value": "show 1, 1x2"}]}
    assert ask(server, "VideoLibrary.GetEpisodes", filter=either)["limits"]["total"] == 2


def test_before_kodi_19_an_actor_of_both_is_listed_once():
    catalogue = make_catalogue(films=0, shows=1, seasons=1, episodes=1, credits_each=4)
    show, _, episode = catalogue.libraries[1].items
    star = next(credit for credit in show.credits if credit.person_type == "actor")
    catalogue.edit_cast(episode.remote_id, [star.model_copy(update={"role": "Another role"})])
    for api, count in ((13, 1), (10, 0)):
        server = FakeKodi(catalogue, api=api)
        [record] = ask(server, "VideoLibrary.GetEpisodes", properties=["cast"])["episodes"]
        listed = [actor["role"] for actor in record["cast"] if actor["name"] == star.person.name]
        assert listed == ["Another role", *[star.role] * count]


def test_times_are_of_its_clock():
    catalogue = make_catalogue(films=1, shows=0)
    for zone, hour in (("UTC", 0), ("Asia/Tokyo", 9)):
        server = FakeKodi(catalogue, timezone=zone)
        [record] = ask(server, "VideoLibrary.GetMovies", properties=["dateadded"])["movies"]
        assert record["dateadded"][11:13] == f"{(catalogue.item('1').added_at.hour + hour) % 24:02}"
    catalogue.item("1").added_at = None
    [record] = ask(server, "VideoLibrary.GetMovies", properties=["dateadded"])["movies"]
    assert record["dateadded"] == ""


def test_what_it_is_asked_beside_the_library():
    server = FakeKodi(Catalogue(), name="Living room")
    labels = ["System.FriendlyName", "System.Time"]
    answer = ask(server, "XBMC.GetInfoLabels", labels=labels)
    assert answer == {"System.FriendlyName": "Living room", "System.Time": ""}
    assert ask(server, "XBMC.GetInfoBooleans", booleans=["Library.IsScanningVideo"]) == {
        "Library.IsScanningVideo": False
    }
    assert server.calls == ["XBMC.GetInfoLabels", "XBMC.GetInfoBooleans"]
