"""The texts of change tokens must not change: an upgrade would read every NFO file again."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync.backends.nfo.folders.files import FilmFiles, NfoFile
from mediasync.backends.nfo.tokens import FileToken, season_token
from mediasync.vocabulary import MediaType

STATE = os.stat_result((0o644, 0, 0, 1, 0, 0, 120, 0, 17, 0), {"st_mtime_ns": 17_000_000_005})
FILE = NfoFile("D/D S01E01.nfo", "D/D S01E01", MediaType.EPISODE, "D S01E01", "D/D S01E01.mkv")
FILMS = FilmFiles([NfoFile(f"A/{n}.nfo", f"A/{n}", MediaType.MOVIE, n, f"A/{n}.mkv") for n in "ab"], "A")

tokens = st.builds(
    FileToken,
    st.integers(0, 2**40),
    st.integers(0, 2**62),
    st.integers(0, 999_999),
    st.text("0123456789abcdef", min_size=1, max_size=16),
    st.sampled_from(MediaType),
    st.none() | st.integers(0, 2**12),
)


def test_the_texts_of_tokens_stay_as_they_are_stored():
    states = {file.path: STATE for file in FILMS.files}
    assert str(FileToken.of_file(FILE, STATE, 2)) == "120-17000000005-2-1396c325dea0d5e3-episode"
    assert (
        str(FileToken.of_film(FILMS, FILMS.files[1], states, 1, 1))
        == "120-17000000005-1.1-618c270d3df7a521-movie"
    )
    assert season_token(FILE, STATE, ["D/Season 1"]) == "made-7388d371fecfd679"


@given(tokens)
def test_a_token_is_read_back_from_its_text(token):
    assert FileToken.parse(str(token)) == token


@pytest.mark.parametrize(
    "text", ["", "made-0f3a", "1-2-3-0f", "1-2-x-0f-movie", "1-2-3-0f-film", "1-2-3.-0f-movie"]
)
def test_other_texts_are_none(text):
    assert FileToken.parse(text) is None
