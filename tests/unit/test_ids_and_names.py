"""Ids, derived keys and the words of names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mediasync.errors import InvalidId
from mediasync.ids import check_source_id, derive_person_key, make_id, split_id
from mediasync.rows import keeps_name
from mediasync.text import words_of_name

SOURCE_IDS = st.from_regex(r"[a-z0-9][a-z0-9_-]*", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)


@given(SOURCE_IDS, TEXTS)
def test_the_first_colon_splits(source_id: str, key: str) -> None:
    assert check_source_id(source_id) == source_id
    assert split_id(make_id(source_id, key)) == (source_id, key)


@pytest.mark.parametrize("bad", ["", "A", "-a", "_a", "a:b", "a b", "ä", "a\n", "a/b", "٣"])
def test_what_names_no_source(bad: str) -> None:
    with pytest.raises(InvalidId):
        check_source_id(bad)
    with pytest.raises(InvalidId):
        split_id(f"{bad}:1".removeprefix("a:b:") or "x")


@pytest.mark.parametrize("bad", ["", "home", "home:", ":1", "Home:1"])
def test_what_is_no_id(bad: str) -> None:
    with pytest.raises(InvalidId):
        split_id(bad)


@pytest.mark.parametrize(
    ("name", "ids", "key"),
    [
        ("  Keanu \t Reeves\u00a0", {}, "name:keanu reeves"),
        ("STRASSE", {}, "name:strasse"),
        ("Straße", {}, "name:strasse"),
        ("Ame\u0301lie", {}, "name:amélie"),
        ("A", {"tvdb": "3", "imdb": "2", "tmdb": "1"}, "tmdb:1"),
        ("A", {"tvdb": "3", "imdb": "2"}, "imdb:2"),
        ("A", {"z": "9", "b": "8"}, "b:8"),
        ("A", {"tmdb": "", "z": "9"}, "z:9"),
    ],
)
def test_derived_keys(name: str, ids: dict[str, str], key: str) -> None:
    assert derive_person_key(name, ids) == key


@given(TEXTS)
@example("ß" * 200)
@example("x" * 195)
@example("x" * 196)
@example("𐍈" * 60)
def test_derived_keys_are_bounded_and_fold_white_space_case_and_form(name: str) -> None:
    key = derive_person_key(name, {})
    assert len(key.encode()) <= 200
    assert key.startswith("name:")
    assert keeps_name(make_id("home", key))
    for other in (f" {name}\t", unicodedata.normalize("NFD", name), unicodedata.normalize("NFC", name)):
        assert derive_person_key(other, {}) == key


@given(st.text(st.characters(codec="utf-8", categories=["L"]), min_size=150, max_size=300), TEXTS)
def test_long_keys_differ_when_their_names_do(name: str, more: str) -> None:
    assume(more.split())
    assert derive_person_key(f"{name} x{more}", {}) != derive_person_key(name, {})


def test_a_long_key_is_a_prefix_and_a_hash() -> None:
    key = derive_person_key("a" * 300, {})
    prefix, hashed = key.split("#")
    assert ("name:" + "a" * 300).startswith(prefix)
    assert len(hashed) == 64
    assert not keeps_name("home:imdb:1")


@given(TEXTS)
def test_words_are_sorted_different_and_plain(name: str) -> None:
    words = words_of_name(name)
    assert words == sorted(set(words))
    assert all(word and not word.isspace() for word in words)
    assert not any(unicodedata.combining(char) for word in words for char in word)


@given(TEXTS)
def test_words_do_not_depend_on_case_or_form(name: str) -> None:
    words = words_of_name(name)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert words_of_name(unicodedata.normalize(form, name)) == words
    assert words_of_name(" ".join(words)) == words
    assert words_of_name(name.casefold()) == words


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=10), min_size=1
    )
)
def test_the_beginning_of_a_word_finds_it(parts: list[str]) -> None:
    words = words_of_name(" ".join(parts))
    for part in parts:
        for searched in words_of_name(part[: max(1, len(part) // 2)]):
            assert any(word.startswith(searched) for word in words)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", []),
        ("!!! (…)", []),
        ("Renée O'Connor-Zellweger", ["connor", "o", "renee", "zellweger"]),
        ("Anna_Maria", ["anna", "maria"]),
        ("ﬁn Ⅷ ①", ["1", "fin", "viii"]),
        ("İstanbul ISTANBUL", ["istanbul"]),
        ("अमिताभ", ["अमिताभ"]),
        ("辻\U000e0100本", ["辻本"]),
        ("Nguyễn Văn A", ["a", "nguyen", "van"]),
    ],
)
def test_words(name: str, words: list[str]) -> None:
    assert words_of_name(name) == [unicodedata.normalize("NFKD", word) for word in words]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Łukasz Simlat", ["lukasz", "simlat"]),
        ("Øystein Martinsen", ["martinsen", "oystein"]),
        ("Kıvanç Tatlıtuğ", ["kivanc", "tatlitug"]),
        ("Burghart Klaußner", ["burghart", "klaussner"]),
        ("Đorđe Æsir", ["aesir", "dorde"]),
        ("Þór Guðmundur", ["gudmundur", "thor"]),
        ("Ħamrun ƁŒ", ["boe", "hamrun"]),
        ("Saʿīd Hawaiʻi", ["hawaii", "said"]),
        ("Қазақ", ["казак"]),
    ],
)
def test_letters_that_do_not_decompose_are_folded(name: str, words: list[str]) -> None:
    assert words_of_name(name) == words_of_name(name.upper()) == words


def test_no_letter_is_folded_in_two_steps() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x20000)):
        words = words_of_name(chr(code))
        assert words_of_name(" ".join(words)) == words_of_name(chr(code).casefold()) == words, hex(code)
