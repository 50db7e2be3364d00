"""The memory of people who are stored: it may forget, but never says what is not so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mediasync.rows import PersonRow
from mediasync.saving.people_cache import RecentPeople

ROWS = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["Ann", "Bob"]), st.just(""), st.just(""))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), st.lists(ROWS, max_size=6, unique_by=lambda row: row[0])),
        st.tuples(st.just("delete"), st.sampled_from("abcdefgh")),
        st.tuples(st.just("forget"), st.none()),
    ),
    max_size=40,
)


@given(STEPS, st.integers(0, 5))
def test_the_cache_never_returns_an_older_row_or_another_key(steps: list, generation: int) -> None:
    known = RecentPeople(generation)
    stored: dict[str, tuple[PersonRow, int]] = {}
    for number, (step, subject) in enumerate(steps):
        if step == "save":
            keys, others = known.split(subject)
            assert [row[0] for row in subject if row[0] not in keys] == [row[0] for row in others]
            for row in subject:
                if row[0] in keys:
                    assert stored[row[0]] == (row, keys[row[0]])
                else:
                    stored[row[0]] = (row, stored.get(row[0], (row, number))[1])
            known.add(others, {row[0]: stored[row[0]][1] for row in others})
        elif step == "delete":
            known.discard(subject)
            stored.pop(subject, None)
        else:
            known.clear()


def test_it_keeps_whom_it_is_asked_for_and_is_bounded() -> None:
    known = RecentPeople(10)
    star: PersonRow = ("star", "Star", "", "")
    known.add([star], {"star": 0})
    for number in range(1, 500):
        keys, _ = known.split([star])
        assert keys == {"star": 0}
        extra: PersonRow = (f"extra {number}", "Extra", "", "")
        known.add([extra], {extra[0]: number})
    assert len(known._young) + len(known._old) <= 22
