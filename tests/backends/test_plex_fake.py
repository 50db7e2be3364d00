"""The fake Plex answers as the real one is documented to."""

import httpx
import pytest
from plex_syncing import TOKEN

from mediasync.testing import make_catalogue
from mediasync.testing.plex import FakePlex

JSON = {"Accept": "application/json", "X-Plex-Token": TOKEN}


@pytest.fixture
async def server():
    async with FakePlex(make_catalogue(films=6, shows=1), token=TOKEN) as fake:
        yield fake


@pytest.fixture
async def ask(server):
    async with httpx.AsyncClient(base_url=server.url, headers=JSON) as client:

        async def ask(path, **headers):
            return await client.get(
                path, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )

        yield ask


async def container(answer):
    assert answer.status_code == 200
    return answer.json()["MediaContainer"]


async def test_anyone_may_ask_who_it_is(server):
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{server.url}/identity", headers={"Accept": "application/json"})
        assert (await container(answer))["machineIdentifier"]
        refused = await client.get(f"{server.url}/library/sections")
        assert refused.status_code == 401
        assert refused.headers["content-type"].startswith("text/html")


async def test_it_speaks_xml_unless_json_is_asked_for(ask):
    answer = await ask("/library/sections", Accept="*/*")
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.text.startswith("<?xml")


async def test_a_listing_is_whole_unless_a_page_is_asked_for(ask):
    listing = await container(await ask("/library/sections/1/all"))
    assert (listing["size"], "totalSize" in listing) == (6, False)
    assert {entry["type"] for entry in listing["Metadata"]} == {"movie"}


@pytest.mark.parametrize("where", ["headers", "query"])
async def test_a_page(ask, where):
    if where == "headers":
        answer = await ask(
            "/library/sections/1/all?sort=id", X_Plex_Container_Start="4", X_Plex_Container_Size="3"
        )
    else:
        answer = await ask("/library/sections/1/all?sort=id&X-Plex-Container-Start=4&X-Plex-Container-Size=3")
    page = await container(answer)
    assert (page["offset"], page["size"], page["totalSize"]) == (4, 2, 6)
    assert [entry["ratingKey"] for entry in page["Metadata"]] == ["5", "6"]
    assert answer.headers["x-plex-container-total-size"] == "6"


async def test_a_page_behind_the_end(ask):
    page = await container(
        await ask("/library/sections/1/all?X-Plex-Container-Start=9&X-Plex-Container-Size=3")
    )
    assert "Metadata" not in page
    assert page["size"] == 0


async def test_a_listing_names_three_roles_without_ids_and_details_everybody(ask):
    listing = await container(await ask("/library/sections/1/all?sort=id"))
    assert [list(role) for role in listing["Metadata"][0]["Role"]] == [["tag"]] * 3
    assert "Guid" not in listing["Metadata"][0]
    [details] = (
        await container(await ask("/library/metadata/1?includeGuids=1&excludeElements=Media,Country"))
    )["Metadata"]
    assert len(details["Role"]) == 4
    assert set(details["Role"][0]) >= {"id", "filter", "tag", "tagKey", "role"}
    assert details["Guid"] == [{"id": "tmdb://10001"}, {"id": "imdb://tt1000001"}]
    assert "Media" not in details
    assert "Country" not in details


async def test_unknown_ids_are_left_out_and_refused_only_alone(ask):
    found = await container(await ask("/library/metadata/1,77777,2"))
    assert [entry["ratingKey"] for entry in found["Metadata"]] == ["1", "2"]
    assert (await ask("/library/metadata/77777")).status_code == 404


@pytest.mark.parametrize("path", ["/music", "/library/sections/77/all", "/library/metadata/1/similar"])
async def test_what_is_not_there(ask, path):
    assert (await ask(path)).status_code == 404


async def test_an_address_that_is_too_long(ask):
    assert (await ask("/library/metadata/" + ",".join(["1234567"] * 600))).status_code == 414


async def test_who_is_of_a_type_that_plex_has_no_list_for_is_not_in_the_truth():
    async with FakePlex(make_catalogue(films=0, shows=0, hard=True), token=TOKEN) as server:
        assert server.truth().titled("Types that no vocabulary has").credits == []
