"""Models made without validation: the quick ways to make them agree with each other and with validation."""

from hypothesis import given
from hypothesis import strategies as st

from mediasync.construction import make_credit, make_credits, make_person
from mediasync.models import Credit
from mediasync.vocabulary import PersonType

texts = st.text(min_size=1, max_size=20)
rows = st.tuples(
    texts,
    st.none() | texts,
    st.none() | texts,
    st.dictionaries(texts, texts, max_size=2),
    st.sampled_from([*PersonType, "Key Grip"]),
    st.none() | texts,
)


@given(st.lists(rows, max_size=6))
def test_credits_made_together_are_those_made_one_by_one(given_rows):
    together = make_credits(given_rows)
    one_by_one = [
        make_credit(make_person(name, remote_id, picture, ids), kind, role, place)
        for place, (name, remote_id, picture, ids, kind, role) in enumerate(given_rows)
    ]
    assert together == one_by_one
    assert [credit.model_dump() for credit in together] == [credit.model_dump() for credit in one_by_one]
    for credit, other in zip(together, one_by_one, strict=True):
        assert credit.model_fields_set == other.model_fields_set
        assert credit.person.model_fields_set == other.person.model_fields_set
        assert Credit.model_validate(credit.model_dump()).model_dump() == credit.model_dump()
