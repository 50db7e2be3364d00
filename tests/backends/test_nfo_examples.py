"""The example library is read as the README promises."""

from pathlib import Path

from nfo_reading import people, read

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "library"


async def test_the_example_library_is_read_without_a_remark():
    reading = await read(EXAMPLES)
    assert [(library.id, library.kind) for library in reading.libraries] == [
        ("movies", "movies"),
        ("tvshows", "shows"),
    ]
    assert (reading.unreadable, reading.remarks, reading.problems) == ({}, {}, {})
    kinds = [str(item.media_type) for item in reading.items.values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {"movie": 15, "show": 2, "season": 4, "episode": 13}
    for item in reading.items.values():
        if item.credits is not None:
            assert len(set(people(item))) == len(people(item)), item.title


async def test_the_example_library_holds_the_hard_cases():
    items = {item.title: item for item in (await read(EXAMPLES)).items.values()}
    sellers = [
        role
        for _, name, role in people(
            items["Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb"]
        )
        if name == "Peter Sellers"
    ]
    assert len(sellers) == 3
    welles = [kind for kind, name, _ in people(items["Citizen Kane"]) if name == "Orson Welles"]
    assert welles == ["actor", "director", "writer"]
    ids = {
        credit.person.provider_ids["imdb"]
        for title in ("Bullitt", "Hunger", "12 Years a Slave")
        for credit in items[title].credits
        if credit.person.name == "Steve McQueen"
    }
    assert len(ids) == 2
    assert items["Koyaanisqatsi"].cast == []
    assert len(items["Around the World in 80 Days"].cast) == 200
    assert {str(credit.person_type) for credit in items["Heat"].crew} == {
        "director",
        "writer",
        "producer",
        "composer",
        "Cinematographer",
    }
    assert [str(credit.person_type) for credit in items["Grilled"].cast] == ["guest_star", "guest_star"]
