"""What two real servers answered: read by the backend's parsers, and held against the fake's answers."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from jellyfin_reading import KEY, VERSIONS, jellyfin, read, recorded
from nfo_reading import read as read_nfo

from mediasync.backends.base import Found
from mediasync.backends.jellyfin.parse import KINDS, parse_item, parse_library
from mediasync.backends.jellyfin.people import parse_person
from mediasync.backends.json_record import JsonRecord
from mediasync.testing import Catalogue
from mediasync.testing.jellyfin import FakeJellyfin
from mediasync.testing.jellyfin_rows import row_of_record
from mediasync.vocabulary import Completeness

NFO = Path(__file__).parent.parent / "data" / "nfo"
LIBRARIES = {
    "f137a2dd21bbc1b99aa5c0f6bf02a805": ("095-movies-all",),
    "a656b907eb3a73532e40e44b968d0225": ("096-series-all", "053-seasons", "097-episodes-all"),
}
LONGEST_NAME = 255


def items_of(answer):
    return [JsonRecord(record) for record in answer["Items"] if record.get("Type") in KINDS]


def found(record):
    finding = parse_item(record, trusted=True, people_ids={})
    assert isinstance(finding, Found)
    return finding


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_item_and_person_is_understood(version):
    kinds = {}
    for name, call in recorded(version).items():
        answer = call["answer"]
        if not (isinstance(answer, dict) and isinstance(answer.get("Items"), list)):
            continue
        for record in items_of(answer):
            kinds[record.data["Type"]] = kinds.get(record.data["Type"], 0) + 1
            finding = found(record)
            with_people = isinstance(record.data.get("People"), list)
            assert bool(finding.problems) is not with_people, (name, finding.problems)
            assert (finding.item.completeness is Completeness.FULL) is with_people
            assert finding.item.credits is None or with_people
        for record in answer["Items"]:
            if record.get("Type") == "Person":
                assert parse_person(JsonRecord(record)).name == record["Name"]
    assert set(kinds) == set(KINDS)


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_libraries(version):
    calls = recorded(version)
    for name, kinds in (
        ("016-media-folders", ["movies", "shows"]),
        ("206-libraries-after-delete", ["movies"]),
    ):
        folders = (parse_library(JsonRecord(folder), "jf") for folder in calls[name]["answer"]["Items"])
        assert [library.kind for library in folders if library] == kinds


# Against the NFO files that the server read


def people_of(item):
    return [(str(credit.person_type), credit.person.name, credit.role) for credit in item.credits or ()]


def told_of(people, *, all_roles):
    """Return what the server makes of an NFO file's people, as its recordings showed."""
    told, seen = [], set()
    for kind, name, role in people:
        key = (kind, name) if all_roles is False else (kind, name, role)
        if name and len(name) <= LONGEST_NAME and key not in seen:
            seen.add(key)
            told.append((kind, name, role))
    return told


# The last order of somebody who stands in the file twice counts, and a negative one comes first.
OTHER_ORDER = {"Cloud Atlas", "Good Will Hunting"}
# Names that differ in case only are one person; which spelling is told depends on the order of reading.
OTHER_CASE = {"Goodfellas"}
NO_NFO = {"Broken Nfo", "No Nfo At All (2001)"}


@pytest.mark.parametrize("version", VERSIONS)
async def test_listings_are_what_the_nfo_files_say(version):
    truth = {item.path: item for item in (await read_nfo(NFO / "kodi")).items.values() if item.path}
    calls = recorded(version)
    compared = 0
    for name in ("095-movies-all", "096-series-all", "097-episodes-all"):
        for record in items_of(calls[name]["answer"]):
            item = found(record).item
            expected = truth.get(item.path.removeprefix("/media/library/"))
            if expected is None:
                continue  # one of the hard films below, or one without an NFO file
            if item.title in NO_NFO:
                assert people_of(item) == []
                continue
            compared += 1
            same = ("title", "year", "provider_ids", "premiere_date", "media_type")
            assert [getattr(item, field) for field in same] == [getattr(expected, field) for field in same]
            for field in ("season_number", "episode_number"):
                assert getattr(item, field, None) == getattr(expected, field, None)
            people = people_of(item)
            expected_people = told_of(people_of(expected), all_roles=version == "12.0")
            if item.title in OTHER_CASE:
                people = [(kind, person.casefold(), role) for kind, person, role in people]
                expected_people = [(kind, person.casefold(), role) for kind, person, role in expected_people]
            if item.title in OTHER_ORDER:
                people, expected_people = (
                    sorted({person[:2] for person in people}),
                    sorted({person[:2] for person in expected_people}),
                )
            assert people == expected_people, item.title
    assert compared == 87


@pytest.mark.parametrize("version", VERSIONS)
async def test_hard_films_are_what_the_nfo_files_say(version):
    truth = (await read_nfo(NFO / "jellyfin-hard")).items
    films = {
        item.path.split("/")[-2]: people_of(item)
        for record in items_of(recorded(version)["095-movies-all"]["answer"])
        for item in [found(record).item]
    }
    for key in ("Big Cast (2024)", "Out of Order (2025)", "Same Name B (2022)"):
        assert films[key] == people_of(truth[key])
    # The role in this file was changed after the recording.
    assert films["Same Name A (2022)"] == [("actor", "John Homonym", "Young Man")]
    roles = films["Two Roles One Person (2021)"]
    expected = told_of(people_of(truth["Two Roles One Person (2021)"]), all_roles=version == "12.0")
    assert sorted(roles, key=str) == sorted(expected, key=str), (
        "what stands in <actor> comes first, crew or not"
    )
    spelt = {name.casefold() for _, name, _ in films["Hard Names (2023)"]}
    assert spelt == {
        name.casefold()
        for _, name, _ in people_of(truth["Hard Names (2023)"])
        if 0 < len(name) <= LONGEST_NAME
    }
    every = people_of(truth["Every Kind of Credit (2020)"])
    told = films["Every Kind of Credit (2020)"]
    assert ("unknown", "Odd Person", "Key Grip") in told
    assert ("writer", "Writer One / Writer Two", None) in told
    assert {person for person in every if " / " not in person[1]} - set(told) == {
        ("Grip", "Odd Person", "Key Grip"),
        ("writer", "Writer One", None),
        ("writer", "Writer Two", None),
    }


def test_a_film_that_a_person_was_renamed_in_lacks_the_credit():
    for version in VERSIONS:
        calls = recorded(version)
        (renamed,) = items_of(calls["113-film-after-person-rename"]["answer"])
        assert "Lead Player" not in {name for _, name, _ in people_of(found(renamed).item)}
        (person,) = (
            parse_person(JsonRecord(entry))
            for entry in calls["115-person-renamed-as-item"]["answer"]["Items"]
        )
        assert (person.name, person.provider_ids) == ("Lead Performer", {"imdb": "nm0000501", "tmdb": "501"})
        assert person.image_path.startswith(f"Items/{person.key}/Images/Primary?tag=")


@pytest.mark.parametrize("version", VERSIONS)
def test_odd_files(version):
    calls = recorded(version)
    for name in ("301-odd-two-versions", "303-odd-part-one"):
        assert len(items_of(calls[name]["answer"])) == 1
    episodes = {
        item.title: item for item in (found(r).item for r in items_of(calls["311-odd-episodes"]["answer"]))
    }
    double = episodes["Double One / Double Two"]
    assert (double.season_number, double.episode_number, double.episode_number_end) == (1, 1, 2)
    assert people_of(double) == [("guest_star", "First Half", "A")]
    assert episodes["Special"].season_number == 0
    seasons = {
        item.remote_id: item for item in (found(r).item for r in items_of(calls["312-odd-seasons"]["answer"]))
    }
    virtual = seasons[episodes["Flat"].parent_remote_id]
    assert (virtual.path, virtual.season_number) == (None, 1)
    assert [people_of(item) for item in seasons.values() if item.title == "The First"] == [
        [("actor", "Season Player", "SP")]
    ]


# The recorded library, served by the fake


class RecordedJellyfin(FakeJellyfin):
    """A fake whose items, people and folders are the recorded ones."""

    def __init__(self, version):
        super().__init__(Catalogue(), version=version)
        self.calls = recorded(version)
        self.server_id = self.calls["001-info-public"]["answer"]["Id"]
        self.tokens["fixture-user-token"] = "admin"

    def folders(self):
        return self.calls["016-media-folders"]["answer"]["Items"]

    def rows(self):
        return [
            row_of_record(record, library)
            for library, names in LIBRARIES.items()
            for name in names
            for record in self.calls[name]["answer"]["Items"]
        ]

    def persons(self):
        return [
            row_of_record(record, "") for record in self.calls["094-persons-as-items-all"]["answer"]["Items"]
        ]


REPLAYED = [
    *("001-info-public", "003-info-no-token", "004-info-bad-token", "005-info-x-emby-token"),
    *("006-info-api-key-query", "007-info-apikey-query", "008-info-x-mediabrowser-token", "009-ping"),
    *("010-users-me-key", "013-userviews-key", "016-media-folders", "019-movies-page-1", "020-movies-page-2"),
    *("021-movies-page-3", "022-movies-past-end", "023-movies-no-total", "024-movies-etags"),
    *("025-movies-people-only", "027-movies-no-fields", "028-movies-limit-0", "030-movies-lastsaved-future"),
    *("031-ids-three", "032-ids-reversed", "033-ids-unknown", "034-ids-known-and-unknown"),
    *("035-ids-malformed", "036-ids-empty", "043-item-key", "044-item-unknown", "045-item-malformed"),
    *("046-two-roles", "047-homonyms", "048-hard-names", "049-big-cast", "050-order", "051-series"),
    *("052-episodes", "053-seasons", "072-bad-field", "073-bad-limit", "074-negative-start", "075-bad-date"),
    *("076-bad-parent", "077-bad-path", "078-bad-method", "081-ids-unknown-random"),
    *("082-ids-known-and-unknown-random", "083-item-unknown-random", "084-parent-unknown-random"),
    *("087-episodes-of-series", "088-persons-as-items-page-2", "089-persons-as-items-past-end"),
    *("065-persons-as-items", "091-films-of-person", "094-persons-as-items-all", "095-movies-all"),
    *("096-series-all", "097-episodes-all", "316-login-wrong", "317-login-no-client"),
]
"""Calls of the library as it was when the listings were recorded that the fake is made of."""

ROOT_FOLDERS = {"035-ids-malformed", "036-ids-empty"}


@pytest.mark.parametrize("version", VERSIONS)
async def test_recorded_requests_are_answered_by_the_fake_as_they_were(version):
    async with RecordedJellyfin(version) as server, httpx.AsyncClient(base_url=server.url) as client:
        for name in REPLAYED:
            call = server.calls[name]
            response = await client.request(
                call["method"], call["target"], headers=call["headers"], content=call["body"]
            )
            assert response.status_code == call["status"], name
            if call["status"] != 200 or not isinstance(call["answer"], dict) or "Items" not in call["answer"]:
                continue
            answer, expected = response.json(), call["answer"]
            assert answer["TotalRecordCount"] == expected["TotalRecordCount"], name
            assert answer["StartIndex"] == expected["StartIndex"], name
            if name in ROOT_FOLDERS:
                assert [item["Type"] for item in answer["Items"]] == [
                    item["Type"] for item in expected["Items"]
                ]
                continue
            assert [item["Id"] for item in answer["Items"]] == [item["Id"] for item in expected["Items"]], (
                name
            )
            for told, real in zip(answer["Items"], expected["Items"], strict=True):
                shared = {key for key in real if key in told}
                assert {key for key in real if key not in told} <= {"DateCreated", "ParentId"}, name
                assert {key: told[key] for key in shared} == {key: real[key] for key in shared}, name


@pytest.mark.parametrize("version", VERSIONS)
async def test_too_long_a_request_line_is_refused_by_the_fake_as_by_the_server(version):
    async with RecordedJellyfin(version) as server, httpx.AsyncClient(base_url=server.url) as client:
        ids = [row.id for row in server.rows()]
        headers = {"Authorization": f'MediaBrowser Token="{KEY}"'}
        for count, name in ((200, "037-ids-200"), (230, "039-ids-230"), (300, "040-ids-300")):
            many = ",".join((ids * 10)[:count])
            response = await client.get("/Items", params={"ids": many}, headers=headers)
            assert response.status_code == server.calls[name]["status"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_backend_reads_the_recorded_library(version):
    async with RecordedJellyfin(version) as server:
        reading = await read(jellyfin(server.url))
        listed = [
            record
            for names in LIBRARIES.values()
            for name in names
            for record in items_of(server.calls[name]["answer"])
        ]
        assert {key: people_of(item) for key, item in reading.items.items()} == {
            record.data["Id"]: people_of(found(record).item) for record in listed
        }
        assert [end.complete for end in reading.ends] == [True, True]
        assert reading.remarks == []
        first = json.dumps(sorted(reading.items))
    async with RecordedJellyfin({"12.0": "10.11", "10.11": "12.0"}[version]) as other:
        assert json.dumps(sorted((await read(jellyfin(other.url))).items)) == first, "ids are made of paths"
