"""What an assistant is answered: asked by the client of the package ``mcp``, on every engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mcp import ClientSession
from mcp.shared.memory import create_connected_server_and_client_session
from mcp.types import CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest
from support.items import MOVIES, SHOWS, credit, episode, movie, season, show

from mediasync import Library, MediaItem, MediaSync, Rating, Source
from mediasync.backends.base import Enumerated
from mediasync.integrations.mcp import make_server
from mediasync.testing import FakeBackend, FakeClock

AL = credit("al", "Al Pacino", role="Vincent")
BOB = credit("bob", "Robert De Niro", role="Neil")
MANN = credit("mann", "Michael Mann", kind="director")
TOOLS = [
    "search", "get_item", "get_cast", "get_children", "get_person", "get_filmography", "find_titles",
    "get_costars", "top_people", "top_pairs", "list_items", "count_items", "list_changes", "list_removed",
    "get_status",
]  # fmt: skip


class Assistant:
    """A client that calls tools."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session
        self.compared: set[str] = set()

    async def call(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        """Call a tool, and return what it returns."""
        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=arguments))
        return await self.session.send_request(ClientRequest(request), CallToolResult)

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return a structured answer. The client compares the first of each tool with its schema."""
        if tool in self.compared:
            result = await self.call(tool, arguments)
        else:
            result = await self.session.call_tool(tool, arguments)  # slow: it examines the schema first
            self.compared.add(tool)
        assert not result.isError, result.content
        [text] = result.content
        assert text.type == "text"
        assert text.text
        assert result.structuredContent is not None
        return result.structuredContent

    async def text(self, tool: str, **arguments: Any) -> str:
        """Return the text of an answer or of an error."""
        [text] = (await self.call(tool, arguments)).content
        assert text.type == "text"
        return text.text

    async def error(self, tool: str, **arguments: Any) -> str:
        """Return what is said of a call that cannot be answered."""
        result = await self.call(tool, arguments)
        assert result.isError
        assert result.structuredContent is None
        [text] = result.content
        assert text.type == "text"
        return text.text


@asynccontextmanager
async def asking(ms: MediaSync) -> AsyncIterator[Assistant]:
    """Connect the package's own client with the server."""
    async with create_connected_server_and_client_session(make_server(ms)) as session:
        yield Assistant(session)


async def stored(ms: MediaSync, *items: MediaItem) -> None:
    """Save items in the source ``home``."""
    for item in items:
        await ms.media.save_media_item(item, **(MOVIES if item.media_type == "movie" else SHOWS))


async def filled(ms: MediaSync) -> None:
    """Save three films and a show."""
    await stored(
        ms,
        movie("1", title="Heat", year=1995, credits=[AL, BOB, MANN], genres=["Crime"], runtime_seconds=10_200,
              ratings=[Rating(name="imdb", value=8.3)], provider_ids={"imdb": "tt0113277"},
              overview="A thief."),
        movie("2", title="Ronin", year=1998, credits=[BOB], genres=["Action"]),
        movie("3", title="Insomnia", year=2002, credits=[AL, credit("al", "Al Pacino", kind="producer")]),
        show("s", title="Vice", year=2006, credits=[BOB]),
        season("s-1", "s", 1),
        *(episode(f"e{n}", "s-1", n, season_number=1, credits=[AL, MANN]) for n in (1, 2, 3)),
    )  # fmt: skip


def titles(answer: dict[str, Any], rows: str = "items") -> list[str]:
    return [one["title"] for one in answer[rows]]


async def test_the_tools_describe_themselves(ms: MediaSync) -> None:
    async with asking(ms) as assistant:
        listed = (await assistant.session.list_tools()).tools
        assert [tool.name for tool in listed] == TOOLS
        for tool in listed:
            assert tool.description
            assert tool.annotations is not None
            assert tool.annotations.readOnlyHint is True
            assert tool.outputSchema is not None
            assert tool.inputSchema["additionalProperties"] is False
            for name, argument in tool.inputSchema["properties"].items():
                assert argument.get("description"), (tool.name, name)
            if "limit" in tool.inputSchema["properties"]:
                assert tool.inputSchema["properties"]["limit"]["maximum"] <= 200
        of_model = [[tool.name, tool.description, tool.inputSchema] for tool in listed]
        assert len(json.dumps(of_model)) < 16_000, "it is part of each conversation"


async def test_what_do_i_own_with_these_two(ms: MediaSync) -> None:
    await filled(ms)
    async with asking(ms) as assistant:
        answer = await assistant.ask("find_titles", with_people=["al pacino", "Robert De Nero"])
        assert titles(answer) == ["Heat", "Vice"]
        al, bob = answer["understood"]
        assert [one["id"] for one in al["people"]] == ["home:al"]
        assert (al["similar"], bob["similar"], bob["people"][0]["name"]) == (False, True, "Robert De Niro")
        text = await assistant.text("find_titles", with_people=["home:al", "home:bob"])
        assert "- Heat (1995), movie, 8.3/10 | id: home:1" in text.splitlines()

        async def found(**arguments: Any) -> list[str]:
            return titles(await assistant.ask("find_titles", **arguments))

        assert await found(with_people="al pacino", without_people=["de niro"]) == ["Insomnia"]
        assert await found(with_people=["director=michael mann"]) == ["Heat", "Vice"]
        assert await found(with_people=["producer=home:al"]) == ["Insomnia"]
        assert await found(with_people=["director=al pacino"]) == []
        assert await found(with_people=["de niro"], first_year=1996, types="movie") == ["Ronin"]
        assert await found(with_people=["de niro"], genres=["Crime"], last_year=None) == ["Heat"]
        assert len(await found(with_people=["mann"], episodes=True)) == 4
        assert len(await found(with_people=["mann"], types=["episode"])) == 3


async def test_pages(ms: MediaSync) -> None:
    await filled(ms)
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("find_titles", "items", {"with_people": ["al pacino"], "episodes": True}),
        ("list_items", "items", {"sort": "year", "descending": True}),
        ("get_filmography", "works", {"person": "al pacino"}),
        ("get_cast", "credits", {"item": "home:1"}),
        ("get_cast", "credits", {"item": "home:s"}),
        ("get_children", "children", {"item": "home:s-1"}),
    ]
    async with asking(ms) as assistant:
        for tool, rows, arguments in asked:
            whole = (await assistant.ask(tool, **arguments))[rows]
            parts, cursor = [], None
            while True:
                page = await assistant.ask(tool, **arguments, limit=1, cursor=cursor)
                parts += page[rows]
                cursor = page.get("next")
                if cursor is None:
                    break
                assert len(page[rows]) == 1
                assert f"cursor: {cursor}" in await assistant.text(
                    tool, **arguments, limit=1, cursor=None
                ) or (len(parts) > 1)
            assert parts == whole, tool
            assert len(whole) > 1
            for wrong in ("x", "-1", "½"):
                assert "cursor" in await assistant.error(tool, **arguments, cursor=wrong)


async def test_a_title(ms: MediaSync) -> None:
    await filled(ms)
    async with asking(ms) as assistant:
        for asked in ("home:1", "heat", "Heat (1995)", "imdb:tt0113277", "haet"):
            item = (await assistant.ask("get_item", item=asked))["item"]
            assert item["id"] == "home:1"
        assert (item["overview"], item["runtime_minutes"], item["ratings"]) == (
            "A thief.",
            170,
            {"imdb": 8.3},
        )
        assert [(one["name"], one["roles"]) for one in item["cast"]] == [
            ("Al Pacino", ["Vincent"]), ("Robert De Niro", ["Neil"])
        ]  # fmt: skip
        assert [(one["person_id"], one["functions"]) for one in item["crew"]] == [("home:mann", ["director"])]
        vice = (await assistant.ask("get_item", item="vice", cast_limit=1))["item"]
        assert [(one["name"], one["episodes"]) for one in vice["cast"]] == [("Robert De Niro", 0)]
        assert (vice["cast_total"], vice["crew_total"]) == (2, 1)
        part = await assistant.ask("get_children", item="home:s-1", limit=1)
        assert (part["item"]["show"], part["children"][0]["episode"]) == ("Vice", 1)
        functions = await assistant.ask("get_cast", item="home:1", function="director")
        assert [one["name"] for one in functions["credits"]] == ["Michael Mann"]
        of_show = await assistant.ask("get_cast", item="home:s", function="director")
        assert [(one["name"], one["episodes"]) for one in of_show["credits"]] == [("Michael Mann", 3)]


async def test_titles_to_choose_from_and_the_same_title_in_two_sources(ms: MediaSync) -> None:
    await stored(ms, movie("1", title="Alien", year=1979), movie("2", title="Alien", year=2003))
    await ms.media.save_source(Source(id="nas", kind="nfo"))
    await ms.media.save_library(Library(id="films", source_id="nas", title="Films", kind="movies"))
    await ms.media.save_media_item(
        movie("9", title="Brazil", year=1985, credits=[AL]), library_id="films", source_id="nas"
    )
    await ms.media.save_media_item(movie("3", title="Brazil", year=1985, credits=[AL]), **MOVIES)
    async with asking(ms) as assistant:
        for tool in ("get_item", "get_cast", "get_children"):
            answer = await assistant.ask(tool, item="alien")
            assert "item" not in answer
            assert [(one["id"], one["year"]) for one in answer["choose"]] == [
                ("home:1", 1979),
                ("home:2", 2003),
            ]
            assert "| id: home:2" in await assistant.text(tool, item="alien")
        item = (await assistant.ask("get_item", item="brazil"))["item"]
        assert {item["id"], *item["same_ids"]} == {"home:3", "nas:9"}
        both = await assistant.ask("find_titles", with_people=["al pacino"])
        assert {one["id"] for one in both["items"]} == {"home:3", "nas:9"}
        assert {one["source"] for one in both["understood"][0]["people"]} == {"home", "nas"}
        only = await assistant.ask("find_titles", with_people=["al pacino"], source="nas")
        assert [one["id"] for one in only["items"]] == ["nas:9"]
        films = await assistant.ask("get_filmography", person="al pacino")
        assert films["totals"] == {"works": 2, "as_self": 0, "talk_shows": 0}
        assert (await assistant.ask("list_items", library="films"))["total"] == 1
        assert "there are: home:movies (Movies)" in await assistant.error("list_items", library="music")
        assert "there are: home, nas" in await assistant.error("list_items", source="attic")


async def test_two_people_of_one_name_are_told_apart(ms: MediaSync) -> None:
    first, second = credit("m1", "Steve McQueen"), credit("m2", "Steve McQueen", kind="director")
    await stored(
        ms,
        movie("1", title="Bullitt", year=1968, credits=[first]),
        movie("2", title="Hunger", year=2008, credits=[second, AL]),
        movie("3", title="Shame", year=2011, credits=[second]),
    )
    async with asking(ms) as assistant:
        for tool, arguments in (
            ("get_person", {"person": "steve mcqueen"}),
            ("get_filmography", {"person": "steve mcqueen"}),
            ("get_costars", {"person": "steve mcqueen"}),
            ("find_titles", {"with_people": ["al pacino", "steve mcqueen"]}),
        ):
            answer = await assistant.ask(tool, **arguments)
            [choice] = answer["choose"]
            assert choice["asked"] == "steve mcqueen"
            assert [(one["id"], one["known_for"], one["works"]) for one in choice["people"]] == [
                ("home:m2", "Hunger (2008)", 2),
                ("home:m1", "Bullitt (1968)", 1),
            ]
            assert not any(answer.get(rows) for rows in ("people", "works", "costars", "items"))
            text = await assistant.text(tool, **arguments)
            assert "Steve McQueen, 1 work 1968, known for Bullitt (1968) | id: home:m1" in text
        found = await assistant.ask("find_titles", with_people=["home:m1"])
        assert titles(found) == ["Bullitt"]
        [person] = (await assistant.ask("get_person", person="home:m2"))["people"]
        assert person["functions"] == {"director": 2}


async def test_people(ms: MediaSync) -> None:
    await filled(ms)
    async with asking(ms) as assistant:
        found = await assistant.ask("search", text="al pacno")
        assert (found["people"][0]["id"], found["people"][0]["match"]) == ("home:al", "similar")
        assert (await assistant.ask("search", text="heat", kinds="movie"))["titles"][0]["match"] == "exact"
        [al] = (await assistant.ask("get_person", person="pacino"))["people"]
        assert (al["works"], al["functions"]) == (3, {"actor": 3, "producer": 1})
        works = (await assistant.ask("get_filmography", person="pacino", types="show"))["works"]
        assert [(one["title"], one["episodes"], one["roles"]) for one in works] == [("Vice", 3, ["Vincent"])]
        crew = await assistant.ask("get_filmography", person="pacino", functions=["producer"])
        assert titles(crew, "works") == ["Insomnia"]
        costars = (await assistant.ask("get_costars", person="pacino"))["costars"]
        assert [(one["person"]["id"], one["together"], one["titles"]) for one in costars] == [
            ("home:bob", 2, ["Vice (2006)", "Heat (1995)"])
        ]
        directors = (await assistant.ask("get_costars", person="pacino", functions="director"))["costars"]
        assert [one["person"]["id"] for one in directors] == ["home:mann"]
        top = (await assistant.ask("top_people", function="actor", limit=1, decade=1990))["people"]
        assert [(one["person"]["id"], one["count"]) for one in top] == [("home:bob", 2)]
        pairs = await assistant.ask("top_pairs", first_function="director", second_function="actor", limit=1)
        assert [(one["first"]["id"], one["together"]) for one in pairs["pairs"]] == [("home:mann", 2)]


async def test_lists_and_counts(ms: MediaSync) -> None:
    await filled(ms)
    async with asking(ms) as assistant:
        best = await assistant.ask("list_items", types="movie", sort="rating", descending=True, limit=1)
        assert (titles(best), best["total"]) == (["Heat"], 3)
        assert titles(await assistant.ask("list_items", min_rating=8)) == ["Heat"]
        counts = await assistant.ask("count_items", by="decade", types=["movie"], library="movies")
        assert {one["value"]: one["items"] for one in counts["counts"]} == {"1990": 2, "2000": 1}
        assert (counts["total"], counts["left_out"]) == (3, 0)
        for tool, arguments in (
            ("list_items", {"genre": "polka"}),
            ("count_items", {"genre": "polka"}),
            ("top_people", {"function": "actor", "genre": "polka"}),
            ("top_pairs", {"first_function": "actor", "second_function": "actor", "genre": "polka"}),
            ("find_titles", {"with_people": ["home:al"], "genres": ["polka"]}),
        ):
            assert await assistant.error(tool, **arguments) == (
                "no stored title has the genre 'polka'; there are: Action, Crime"
            )
        status = await assistant.ask("get_status")
        assert [(one["id"], one["items"]) for one in status["sources"]] == [("home", 8)]
        assert {one["id"]: one["items"] for one in status["libraries"]} == {
            "home:movies": {"movie": 3},
            "home:shows": {"show": 1, "season": 1, "episode": 3},
        }


async def test_changes(ms: MediaSync, clock: FakeClock) -> None:
    await filled(ms)
    async with asking(ms) as assistant:
        before = (await assistant.ask("get_status"))["newest_change"]
        assert (await assistant.ask("list_changes", after=before))["changes"] == []
        clock.tick(timedelta(days=2) // timedelta(milliseconds=1))
        await ms.media.save_media_item(movie("2", title="Ronin!", year=1998, credits=[BOB]), **MOVIES)
        await ms.media.save_media_item(movie("4", title="Collateral", year=2004), **MOVIES)
        answer = await assistant.ask("list_changes", after=before)
        rows = [(one["what"], one["id"], one["name"]) for one in answer["changes"]]
        assert ("changed", "home:2", "Ronin! (1998)") in rows
        assert ("added", "home:4", "Collateral (2004)") in rows
        [changed] = [one for one in answer["changes"] if one["what"] == "changed"]
        assert "title" in changed["fields"]
        assert answer["next_after"] == answer["newest"] == (await ms.newest_change())
        day_before = datetime.fromtimestamp(clock.now / 1000, UTC) - timedelta(days=1)
        since = await assistant.ask("list_changes", since=day_before.isoformat())
        assert since["changes"] == answer["changes"]
        later = (day_before + timedelta(days=9)).isoformat()
        assert (await assistant.ask("list_changes", since=later))["changes"] == []
        assert (await assistant.ask("list_changes", source="home", after=before)) == answer
        one = await assistant.ask("list_changes", after=before, limit=1)
        two = await assistant.ask("list_changes", after=one["next_after"])
        assert one["changes"] + two["changes"] == answer["changes"]
        assert "; there are more" in await assistant.text("list_changes", after=before, limit=1)
        newest = await assistant.ask("list_changes", limit=1)
        assert newest["changes"] == answer["changes"][-1:]
        assert f"the newest one is {answer['newest']}" in await assistant.error("list_changes", after=10_000)
        both = await assistant.error("list_changes", after=1, since="2026-01-01T00:00:00Z")
        assert "exclude each other" in both
        assert "zone" in await assistant.error("list_changes", since="2026-01-01T00:00:00")
        await ms.prune_changes(1)
        assert (await assistant.ask("list_changes"))["changes"] == answer["changes"]
        assert "no longer kept" in await assistant.error("list_changes", after=1)


async def test_what_is_not_stored_and_what_is_wrong(ms: MediaSync) -> None:
    await filled(ms)
    async with asking(ms) as assistant:
        for tool, arguments, part in (
            ("get_item", {"item": "xyzzy plugh"}, "nothing that is stored is called 'xyzzy plugh'"),
            ("get_person", {"person": "xyzzy plugh"}, "nobody who is stored is called 'xyzzy plugh'"),
            ("find_titles", {"with_people": ["xyzzy plugh"]}, "no stored title credits them"),
            ("find_titles", {"with_people": ["pacino"], "source": "attic"}, "there is no source 'attic'"),
            ("find_titles", {"with_people": []}, "with_people"),
            ("find_titles", {}, "with_people: Field required"),
            ("find_titles", {"with_people": ["home:al"] * 21}, "with_people"),
            ("find_titles", {"with_people": ["home:al"], "first_year": 10**30}, "first_year"),
            ("search", {"text": ""}, "text"),
            ("search", {"text": "x" * 2_001}, "text"),
            ("search", {"text": "heat", "limit": 51}, "limit"),
            ("search", {"query": "heat"}, "Its arguments are: text, kinds, limit"),
            ("get_item", {"item": "~"}, "nothing that is stored"),
            ("get_item", {"item": "~!"}, "is not an id"),
            ("get_item", {"item": "~_w"}, "is not an id"),
            ("get_person", {"person": "\x00"}, ""),
            ("top_people", {"function": "actor", "decade": 1995}, "a decade is named by its first year"),
            ("fly", {}, "there is no tool 'fly'; there are: search, "),
        ):
            told = await assistant.error(tool, **arguments)
            assert part in told, (tool, arguments, told)
            assert "Traceback" not in told
            assert "pydantic" not in told
            assert len(told) < 2_000


async def test_a_fault_is_logged_and_not_shown(ms: MediaSync, caplog: pytest.LogCaptureFixture) -> None:

    class Faulty:
        """A mirror that fails in a way that nobody foresaw."""

        def __getattr__(self, name: str) -> Any:
            raise ZeroDivisionError("a secret of the inside")

    async with asking(ms) as assistant:
        assert titles(await assistant.ask("search", text="x"), "titles") == []
    async with create_connected_server_and_client_session(make_server(Faulty())) as session:  # type: ignore[arg-type]
        told = await Assistant(session).error("get_status")
    assert told == (
        "get_status failed because of a fault in mediasync; its log says more. Other tools may work"
    )
    assert "a secret of the inside" in caplog.text


async def test_a_closed_mirror_is_said(ms: MediaSync) -> None:
    async with asking(ms) as assistant:
        await ms.close()
        assert "the database is closed" in await assistant.error("get_status")


EVIL = "\u202eEvil\x1b[31m\n\U000e0049gnore\u2066"


async def test_texts_of_servers_are_harmless_and_bounded(ms: MediaSync) -> None:
    huge = "y" * 1_000_000
    person = credit("p\u202e\x07", EVIL, role=EVIL)
    await stored(
        ms,
        movie("1\u2066", title=EVIL, year=1999, original_title=EVIL, tagline=EVIL, overview=EVIL * 9_000,
              genres=[EVIL], provider_ids={"imdb": EVIL}, credits=[person, AL]),
        movie("2", title=huge, overview=huge, tagline=huge, credits=[
            credit(str(n), f"Namesake {'z' * 700}", role=huge if n == 1 else None) for n in range(30)]),
    )  # fmt: skip
    async with asking(ms) as assistant:
        texts = []
        for tool, arguments in (
            ("search", {"text": "evil"}),
            ("list_items", {}),
            ("list_changes", {}),
            ("get_item", {"item": "home:2", "cast_limit": 100}),
            ("get_cast", {"item": "home:2"}),
            ("get_person", {"person": "namesake"}),
            ("top_people", {"function": "actor", "limit": 100}),
            ("count_items", {"by": "genre"}),
        ):
            result = await assistant.call(tool, arguments)
            assert not result.isError, (tool, result.content)
            assert len(result.model_dump_json()) < 100_000, tool
            texts.append(result.model_dump_json())
        item_id = (await assistant.ask("search", text="evil"))["titles"][0]["id"]
        item = (await assistant.ask("get_item", item=item_id))["item"]
        assert item["id"] == item_id != "home:1\u2066"
        assert item["title"] == "Evil[31m gnore"
        [evil, _] = item["cast"]
        again = await assistant.ask("get_person", person=evil["person_id"])
        assert [one["id"] for one in again["people"]] == [evil["person_id"]]
        found = await assistant.ask("find_titles", with_people=[f"actor={evil['person_id']}"])
        assert [one["id"] for one in found["items"]] == [item_id]
        texts.append(json.dumps(item, ensure_ascii=False))
    for text in texts:
        assert not {"\u202e", "\u2066", "\x1b", "\x07", "\U000e0049"} & set(text)


async def test_removed_items(ms: MediaSync) -> None:
    kept = movie("1", title="Heat")
    await ms.sync(FakeBackend({"m": [kept, movie("2", title="Ronin", year=1998), Enumerated(2)]}))
    await ms.sync(FakeBackend({"m": [kept, Enumerated(1)]}))
    async with asking(ms) as assistant:
        answer = await assistant.ask("list_removed", limit=1)
        assert [(one["id"], one["title"]) for one in answer["items"]] == [("fake:2", "Ronin")]
        assert "next" not in answer
        assert "Ronin (1998), movie, source fake, missing since 20" in await assistant.text("list_removed")
        [source, _] = (await assistant.ask("get_status"))["sources"]
        assert (source["removed"], source["last_status"]) == (1, "succeeded")
