"""How things are called, and that nothing of it disturbs a terminal."""

from __future__ import annotations

import doctest
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync import Episode, Movie, Season
from mediasync import wording as text


def test_the_examples_in_the_docs_are_true() -> None:
    results = doctest.testmod(text)
    assert results.attempted
    assert not results.failed


@given(st.text())
def test_a_safe_text_is_one_harmless_line(given: str) -> None:
    safe = text.safe(given)
    assert not [
        character for character in safe if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
    ]
    assert safe.split() == safe.split(" ") or safe == ""
    assert text.safe(safe) == safe


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("Amélie", "Amélie"),
        ("千と千尋の神隠し", "千と千尋の神隠し"),
        ("[red]Heat[/red]", "[red]Heat[/red]"),
        ("\x1b]0;owned\x07Heat", "]0;ownedHeat"),
        ("\x9b31mHeat", "31mHeat"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("\u05d0\u200f\u05d1", "\u05d0\u200f\u05d1"),
        ("two\r\nlines\u2028more", "two lines more"),
        ("half\ud800", "half\ufffd"),
    ],
)
def test_what_is_kept_and_what_is_not(given: str, safe: str) -> None:
    assert text.safe(given) == safe


def test_sizes() -> None:
    assert [text.size(number) for number in (0, 999, 1000, 12_345_678, 5 * 10**9, 3 * 10**15)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "12.3 MB",
        "5.0 GB",
        "3000.0 TB",
    ]


def test_items_have_codes() -> None:
    assert text.item_code(Movie(remote_id="1", title="x")) == ""
    assert text.item_code(Season(remote_id="1", title="x", season_number=0)) == "S00"
    episode = Episode(remote_id="1", title="x", season_number=1, episode_number=2, episode_number_end=2)
    assert text.item_code(episode) == "S01E02"


def test_times() -> None:
    assert text.moment(None) == "-"
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert text.moment(noon) == noon.astimezone().strftime("%Y-%m-%d %H:%M")
    assert text.duration(timedelta(seconds=-3)) == "0.0 s"
