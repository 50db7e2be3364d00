"""JSON of any shape is read without an exception; what is wrong is noted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync.backends.json_record import JsonRecord, expect_record
from mediasync.errors import SourceUnreadable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(value=JSON)
def test_whatever_a_field_holds_each_reader_answers(value: Any) -> None:
    record = JsonRecord({"field": value})
    assert isinstance(record.text("field"), str | None)
    assert isinstance(record.key("field"), str | None)
    assert type(record.integer("field")) in {int, type(None)}
    assert type(record.number("field")) in {float, type(None)}
    assert type(record.flag("field")) in {bool, type(None)}
    assert all(isinstance(text, str) for text in record.texts("field"))
    assert all(isinstance(inner, JsonRecord) for inner in record.records("field"))
    assert all(isinstance(text, str) for text in record.mapping("field").values())
    if value is None:
        assert record.problems == []
    else:
        assert record.problems, "no value is of all types"
    assert all(problem.startswith("field") for problem in record.problems)


@pytest.mark.parametrize(
    ("reader", "value", "result"),
    [
        ("text", "Heat", "Heat"),
        ("text", "", ""),
        ("key", "12", "12"),
        ("key", 12, "12"),
        ("key", " ", None),
        ("integer", 7, 7),
        ("integer", "7", 7),
        ("integer", " -7 ", -7),
        ("integer", 7.0, 7),
        ("integer", "", None),
        ("integer", 2**63 - 1, 2**63 - 1),
        ("title", "Heat", "Heat"),
        ("number", 7, 7.0),
        ("number", 7.5, 7.5),
        ("number", "7.5", 7.5),
        ("number", "1e2", 100.0),
        ("number", " ", None),
        ("flag", True, True),
        ("flag", 0, False),
        ("flag", "1", True),
        ("flag", "false", False),
        ("texts", ["a", "b"], ["a", "b"]),
        ("mapping", {"Imdb": "tt1", "Tmdb": 2, "None": None, "Empty": ""}, {"Imdb": "tt1", "Tmdb": "2"}),
    ],
)
def test_what_is_right_or_meant_well_is_read(reader: str, value: Any, result: Any) -> None:
    record = JsonRecord({"field": value})
    assert getattr(record, reader)("field") == result
    assert record.problems == []
    assert getattr(record, reader)("absent") in (None, [], {})
    assert record.problems == []


@pytest.mark.parametrize(
    ("reader", "value", "result", "problem"),
    [
        ("text", 1917, "1917", "field is a number, not a text"),
        ("text", True, None, "field is true or false, not a text"),
        ("text", ["a"], None, "field is a list, not a text"),
        ("text", {"a": 1}, None, "field is an object, not a text"),
        ("key", 1.5, None, "field is a number, not an id"),
        ("key", False, None, "field is true or false, not an id"),
        ("integer", True, None, "field is true or false, not an integer"),
        ("integer", "seven", None, "field is a text, not an integer"),
        ("integer", 7.5, None, "field is a number, not an integer"),
        ("integer", "9" * 5000, None, "field is a text, not an integer"),
        ("integer", 10**400, None, "field is a number, not a 64-bit integer"),
        ("integer", 2**63, None, "field is a number, not a 64-bit integer"),
        ("integer", "9" * 20, None, "field is a text, not a 64-bit integer"),
        ("integer", 1e300, None, "field is a number, not a 64-bit integer"),
        ("key", "a\0", None, "field is a text, not an id"),
        ("key", "\ud800", None, "field is a text, not an id"),
        ("title", "\udfff", None, "field is a text, not one that can be stored"),
        ("title", "a\0b", None, "field is a text, not one that can be stored"),
        ("number", "7,5", None, "field is a text, not a usable number"),
        ("number", 10**400, None, "field is a number, not a usable number"),
        ("number", float("inf"), None, "field is a number, not a usable number"),
        ("number", "9" * 5000, None, "field is a text, not a usable number"),
        ("flag", "yes", None, "field is a text, not true or false"),
        ("flag", 2, None, "field is a number, not true or false"),
        ("texts", "a", [], "field is a text, not a list"),
        ("texts", ["a", 1, None], ["a"], "field[1] is a number, not a text"),
        ("records", {"a": 1}, [], "field is an object, not a list"),
        ("record", [], None, "field is a list, not an object"),
        ("mapping", {"Imdb": ["tt1"]}, {}, "field.Imdb is a list, not an id"),
    ],
)
def test_what_is_wrong_is_noted(reader: str, value: Any, result: Any, problem: str) -> None:
    record = JsonRecord({"field": value})
    assert getattr(record, reader)("field") == result
    assert problem in record.problems


def test_problems_of_inner_objects_say_where_and_reach_the_outer_one() -> None:
    item = JsonRecord(
        {"People": [{"Name": "Ada"}, {"Name": ["Ada"]}, "Ada", None], "Image": {"Width": "wide"}}
    )
    people = item.records("People")
    assert [person.text("Name") for person in people] == ["Ada", None]
    image = item.record("Image")
    assert image is not None
    assert image.integer("Width") is None
    people[0].note("is nobody")
    item.note("is odd")
    assert item.problems == [
        "People[2] is a text, not an object",
        "People[3] is null, not an object",
        "People[1].Name is a list, not a text",
        "Image.Width is a text, not an integer",
        "People[0]: is nobody",
        "is odd",
    ]


def test_an_answer_that_is_no_object_is_unreadable() -> None:
    assert expect_record({"a": "b"}, "home", "GET /Items").text("a") == "b"
    with pytest.raises(
        SourceUnreadable, match=r"source 'home': GET /Items was answered with a list where an"
    ):
        expect_record([], "home", "GET /Items")
