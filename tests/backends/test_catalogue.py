"""The catalogues that the fakes serve: the same at every run, hard where they should be, and changeable."""

from __future__ import annotations

import pytest

from mediasync import Completeness, Credit, Episode, Movie, Person, PersonType, Season, Show
from mediasync.saving.normal import normal_item
from mediasync.testing import Catalogue, hard_catalogue, make_catalogue


@pytest.fixture
def catalogue() -> Catalogue:
    """A small one."""
    return make_catalogue(films=10, shows=2, seasons=2, episodes=3, credits_each=6)


def test_it_has_what_was_asked_for(catalogue: Catalogue) -> None:
    films, shows = catalogue.libraries
    assert [(library.kind, len(library.items)) for library in catalogue.libraries] == [
        ("movies", 10),
        ("shows", 18),
    ]
    assert all(isinstance(item, Movie) and len(item.credits or ()) == 6 for item in films.items)
    assert [type(item) for item in shows.items[:9]] == [Show, Season, *[Episode] * 3, Season, *[Episode] * 3]
    assert len({item.remote_id for item in catalogue.items()}) == 28
    assert not {item.remote_id for item in catalogue.items()} & set(catalogue.people())


def test_it_is_the_same_at_every_run_and_another_with_another_seed() -> None:
    assert make_catalogue(seed=7, hard=True) == make_catalogue(seed=7, hard=True)
    assert make_catalogue(seed=7) != make_catalogue(seed=8)


def test_parents_come_before_their_children(catalogue: Catalogue) -> None:
    for library in (*catalogue.libraries, *hard_catalogue().libraries):
        seen: set[str] = set()
        for item in library.items:
            if isinstance(item, Season | Episode):
                assert item.parent_remote_id in seen
            seen.add(item.remote_id)


def test_some_people_have_many_credits_and_most_have_few() -> None:
    catalogue = make_catalogue(films=300, shows=0, credits_each=10, people=200)
    counts = sorted((len(catalogue.credited(key)) for key in catalogue.people()), reverse=True)
    assert counts[0] > 4 * counts[len(counts) // 2]
    assert sum(counts[:20]) > sum(counts[100:])


def test_no_more_people_than_there_are() -> None:
    catalogue = make_catalogue(films=2, shows=0, credits_each=10, people=3)
    assert len(catalogue.people()) == 3


def test_all_of_it_can_be_stored() -> None:
    for catalogue in (make_catalogue(), hard_catalogue()):
        for item in catalogue.items():
            stored = normal_item(item, "home", "home:1")
            assert stored.problems == []
            assert stored.repeats == 0
            assert len(stored.credits) == len(item.credits or ())


def test_what_is_hard() -> None:
    catalogue = hard_catalogue()

    def of(title: str) -> list[Credit]:
        found = catalogue.titled(title).credits
        assert found is not None
        assert [credit.sort_order for credit in found] == list(range(len(found)))
        return found

    two = of("Two roles of one person")
    assert two[0].person is two[1].person
    assert two[0].role != two[1].role
    both = of("An actor who also directs, writes and produces")
    assert len({credit.person.remote_id for credit in both}) == 1
    assert len({credit.person_type for credit in both}) == 4
    same = of("Two people of one name")
    assert len({credit.person.name for credit in same}) == 1
    assert len({credit.person.remote_id for credit in same}) == 2
    assert all(credit.role is None for credit in of("Nobody has a role"))
    assert of("Nobody is credited") == []
    assert catalogue.titled("Nobody is credited").completeness is Completeness.FULL
    assert len(of("Two hundred are credited")) == 200
    types = [credit.person_type for credit in of("Types that no vocabulary has")]
    assert types == ["Key Grip", "Gaffer", PersonType.COMPOSER]
    guests = of("Guest stars")
    assert [credit.person_type for credit in guests[:2]] == [PersonType.GUEST_STAR] * 2
    specials = [item for item in catalogue.items() if isinstance(item, Season) and item.season_number == 0]
    assert [len(catalogue.children(season.remote_id)) for season in specials] == [1]
    double = catalogue.titled("Two in one file")
    assert isinstance(double, Episode)
    assert (double.episode_number, double.episode_number_end) == (2, 3)
    assert catalogue.titled("An episode with nobody").credits == []


def test_renaming_a_person_changes_all_credits_and_no_item(catalogue: Catalogue) -> None:
    person = catalogue.item("1").credits[0].person  # type: ignore[index]
    assert person.remote_id is not None
    before, items = catalogue.now, catalogue.credited(person.remote_id)
    tokens = [(item.change_token, item.changed_at) for item in items]
    catalogue.rename_person(person.remote_id, "Another Name")
    catalogue.set_picture(person.remote_id, "new.jpg")
    assert catalogue.people()[person.remote_id].name == "Another Name"
    assert all(
        any(credit.person.name == "Another Name" for credit in item.credits or ())
        for item in catalogue.credited(person.remote_id)
    )
    assert person.image_path == "new.jpg"
    assert [(item.change_token, item.changed_at) for item in items] == tokens
    assert catalogue.now > before


def test_editing_adding_and_removing(catalogue: Catalogue) -> None:
    newcomer = catalogue.new_person("Newcomer")
    old = catalogue.item("1").credits or []
    edited = catalogue.edit_cast("1", [Credit(person=newcomer, person_type="actor"), *old[1:]])
    assert [credit.sort_order for credit in edited.credits or ()] == list(range(6))
    assert (edited.change_token, edited.changed_at) == ("2", catalogue.now)
    assert newcomer.remote_id in catalogue.people()
    assert catalogue.new_person("Next").remote_id not in catalogue.people()
    film = catalogue.add("1", Movie(remote_id=catalogue.new_key(), title="New"))
    assert (film.added_at, film.change_token) == (catalogue.now, "1")
    assert catalogue.library("1").items[-1] is film
    show = next(item for item in catalogue.items() if isinstance(item, Show))
    catalogue.remove(show.remote_id)
    assert len(catalogue.library("2").items) == 9
    with pytest.raises(StopIteration):
        catalogue.item(show.remote_id)


def test_other_keys_for_the_same_truth(catalogue: Catalogue) -> None:
    mapped = catalogue.mapped(
        lambda item: f"{item.media_type}/{item.remote_id}",
        lambda person: f"p{person.remote_id}",
    )
    first = catalogue.libraries[1].items[2]
    other = mapped.libraries[1].items[2]
    assert isinstance(first, Episode)
    assert isinstance(other, Episode)
    assert other.remote_id == f"episode/{first.remote_id}"
    assert other.parent_remote_id == f"season/{first.parent_remote_id}"
    assert [credit.person.remote_id for credit in other.credits or ()] == [
        f"p{credit.person.remote_id}" for credit in first.credits or ()
    ]
    assert all(key.isdigit() for key in catalogue.people()), "the original keeps its keys"
    assert catalogue.mapped() == catalogue
    nameless = catalogue.mapped(person_key=lambda _: None)
    assert all(credit.person.remote_id is None for item in nameless.items() for credit in item.credits or ())


def test_a_catalogue_made_by_hand() -> None:
    catalogue = Catalogue()
    assert catalogue.new_key() == "1"
    person: Person = catalogue.new_person("First")
    assert catalogue.people() == {}
    assert person.remote_id == "1000001"
