"""What changed between two credit lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mediasync.history import CreditChangeKind, CreditTriple, compare_credits

TRIPLES = st.lists(
    st.builds(
        CreditTriple,
        st.sampled_from("abcde"),
        st.sampled_from(["actor", "writer"]),
        st.sampled_from(["x", "y", None]),
    ),
    max_size=8,
    unique=True,
)


def kinds(old: list[CreditTriple], new: list[CreditTriple]) -> list[tuple[str, str]]:
    return [(str(one.what), one.person_id) for one in compare_credits(old, new, {})]


def actors(names: str) -> list[CreditTriple]:
    return [CreditTriple(name, "actor", None) for name in names]


def test_the_fewest_credits_count_as_moved() -> None:
    assert kinds(actors("abcde"), actors("eabcd")) == [("moved", "e")]
    assert kinds(actors("abcd"), actors("bacd")) in ([("moved", "a")], [("moved", "b")])
    assert kinds(actors("abc"), actors("ac")) == [("removed", "b")]
    assert kinds(actors("ac"), actors("abc")) == [("added", "b")]
    assert kinds([], []) == []


def test_the_name_stands_for_the_person() -> None:
    [one] = compare_credits([], actors("a"), {"a": "Ann"})
    assert (one.name, one.person_id) == ("Ann", "a")


@given(old=TRIPLES, new=TRIPLES)
def test_the_changes_make_the_new_list_of_the_old_one(
    old: list[CreditTriple], new: list[CreditTriple]
) -> None:
    """Without what was removed, and with the new roles, what did not move is in the new order."""
    changes = compare_credits(old, new, {})
    left = list(old)
    for one in changes:
        if one.what is CreditChangeKind.REMOVED:
            left.remove(CreditTriple(one.person_id, one.person_type, one.role))
        elif one.what is CreditChangeKind.ROLE:
            assert one.old_role != one.role
            place = left.index(CreditTriple(one.person_id, one.person_type, one.old_role))
            left[place] = CreditTriple(one.person_id, one.person_type, one.role)
    added = [
        CreditTriple(one.person_id, one.person_type, one.role)
        for one in changes
        if one.what is CreditChangeKind.ADDED
    ]
    assert sorted([*left, *added], key=repr) == sorted(new, key=repr)
    settled = {
        CreditTriple(one.person_id, one.person_type, one.role)
        for one in changes
        if one.what in (CreditChangeKind.MOVED, CreditChangeKind.ROLE)
    }
    assert [one for one in left if one not in settled] == [
        one for one in new if one in left and one not in settled
    ]


@given(given=TRIPLES)
def test_a_list_that_stays_has_no_changes(given: list[CreditTriple]) -> None:
    assert compare_credits(given, list(given), {}) == ()
