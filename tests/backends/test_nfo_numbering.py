"""The numbers of seasons and episodes in names as programs and people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync.backends.nfo.folders.numbering import (
    episode_name,
    episodes_in_season,
    name_of_episode,
    season_name,
)


@pytest.mark.parametrize(
    ("name", "season", "episodes"),
    [
        ("V S01E02", 1, (2,)),
        ("V S01.E02", 1, (2,)),
        ("V S01_E03", 1, (3,)),
        ("V.s1ep04.720p", 1, (4,)),
        ("V S2 EP 4", 2, (4,)),
        ("V S01xE05", 1, (5,)),
        ("V Season 1 Episode 5", 1, (5,)),
        ("V.Season.1.Episode.5", 1, (5,)),
        ("V 1x6", 1, (6,)),
        ("V [1x06]", 1, (6,)),
        ("Staffel 1 Folge 3", 1, (3,)),
        ("1. Staffel 3. Folge", 1, (3,)),
        ("Temporada 2 Capítulo 7", 2, (7,)),
        ("Saison 2 Épisode 7", 2, (7,)),
        ("1 сезон 5 серия", 1, (5,)),
        ("第1季第5集", 1, (5,)),
        ("시즌 2 3화", 2, (3,)),
        ("V S01E01-E03", 1, (1, 2, 3)),
        ("V S01E01E02E03", 1, (1, 2, 3)),
        ("V S01E01-02-03", 1, (1, 2, 3)),
        ("V S01E01-03", 1, (1, 2, 3)),
        ("V S01E01.S01E02", 1, (1, 2)),
        ("V S01E01 & E02", 1, (1, 2)),
        ("V 2x07-08", 2, (7, 8)),
        ("V 1x02-1x03", 1, (2, 3)),
        ("V S01E99-100", 1, (99, 100)),
        ("V S01E05-06 Title", 1, (5, 6)),
        ("V - S01E05 - 30 Days", 1, (5,)),
        ("V - S01E05-30 Days", 1, (5,)),
        ("V-S01E05-30-Days-SDTV", 1, (5,)),
        ("V - S01E06 - 1986", 1, (6,)),
        ("V-S01E06-1986", 1, (6,)),
        ("V-S01E08-12AM-SDTV", 1, (8,)),
        ("V.S01E07.10.People", 1, (7,)),
        ("V S01E10-720p", 1, (10,)),
        ("V S01E03v2", 1, (3,)),
        ("V S01E01 und E02", 1, (1, 2)),
        ("V S01E01 to E03", 1, (1, 2, 3)),
        ("V S01E01–E02", 1, (1, 2)),
        ("V S01E01~03", 1, (1, 2, 3)),
        ("V S01E01-2", 1, (1, 2)),
        ("V S01E02 E3 Expo", 1, (2,)),
        ("V S01E04-5.1", 1, (4,)),
        ("V 1x01x02", 1, (1, 2)),
        ("V 1x01_1x02", 1, (1, 2)),
        ("V 1x01.x264", 1, (1,)),
        ("V 1×06", 1, (6,)),
        ("V T01E02", 1, (2,)),
        ("V T1 Cap 2", 1, (2,)),
        ("V S01 Folge 02", 1, (2,)),
        ("V Season 1 E02", 1, (2,)),
        ("V - Temporada 1 [HDTV][Cap.102]", 1, (2,)),
        ("V Stagione 1 Puntata 2", 1, (2,)),
        ("Staffel Eins, Folge 2", 1, (2,)),
        ("V (1-й сезон, 2-я серия)", 1, (2,)),
        ("第一季第二集", 1, (2,)),
        ("シーズン1 第2話", 1, (2,)),
        ("시즌1 에피소드 2", 1, (2,)),
    ],
)
def test_numbers_of_episodes(name, season, episodes):
    found = episode_name(name)
    assert found is not None
    assert (found.season, found.episodes) == (season, episodes)


@pytest.mark.parametrize(
    "name", ["Heat (1995)", "film 1920x1080", "S21", "Apollo 13", "2001", "Se7en", "x264"]
)
def test_names_without_numbers_of_episodes(name):
    assert episode_name(name) is None
    assert name_of_episode(name, None) is None


@pytest.mark.parametrize(
    ("name", "episodes"),
    [
        ("E07 - Seven", (7,)),
        ("E07E08", (7, 8)),
        ("Episode 9", (9,)),
        ("Ep. 5 - Foo", (5,)),
        ("Folge 3", (3,)),
        ("3. Folge", (3,)),
        ("第3話", (3,)),
        ("3화", (3,)),
        ("08 - Eight", (8,)),
        ("08. Eight", (8,)),
        ("08 Eight", (8,)),
        ("08", (8,)),
        ("01-02 - Two", (1, 2)),
        ("07 & 08 - Both", (7, 8)),
        ("E07-08", (7, 8)),
        ("Episode 7 & 8", (7, 8)),
        ("Episode 7 - 8 Mile", (7,)),
        ("Episode Seven", (7,)),
        ("Cap. 07", (7,)),
        ("Puntata 7", (7,)),
        ("ตอนที่ 7", (7,)),
        ("第十二集", (12,)),
        ("(07) Seven", (7,)),
        ("[07] Seven", (7,)),
        ("[Group] Show - 07v2 [1080p]", (7,)),
        ("One Piece - 1001 - Title", (1001,)),
        ("1001", (1001,)),
        ("Show - 1984 - Title", ()),
        ("Show - 08 - Title", (8,)),
        ("[Group] Show - 08 [1080p]", (8,)),
        ("2017-07-08 Title", ()),
        ("Pilot", ()),
        ("1080p", ()),
        ("Ocean's 11", ()),
    ],
)
def test_numbers_of_episodes_in_the_folder_of_a_season(name, episodes):
    assert episodes_in_season(name) == episodes


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Season 2",
            "season02",
            "Season 2",
            "SEASON_2",
            "S2",
            "S02",
            "2nd Season",
            "Season Two",
            "Series 2",
        ),
        *("Staffel 2", "2. Staffel", "Saison 2", "2e saison", "2ème saison", "Temporada 2", "2ª Temporada"),
        *("Stagione 2", "Seizoen 2", "Sezon 2", "2. sezon", "Sezonul 2", "Sæson 2", "Säsong 2", "Sesong 2"),
        *("Kausi 2", "2. kausi", "Série 2", "Évad 2", "2. évad", "Řada 2", "Сезон 2", "2 сезон", "2-й сезон"),
        *(
            "Σεζόν 2",
            "עונה 2",
            "الموسم 2",
            "シーズン2",
            "第2季",
            "第二季",
            "第2期",
            "시즌 2",
            "Mùa 2",
            "Musim 2",
        ),
        *(
            "Season II",
            "Second Season",
            "The Second Season",
            "Saison deux",
            "Deuxieme saison",
            "Staffel Zwei",
        ),
        *("Zweite Staffel", "Segunda Temporada", "Seconda Stagione", "Tweede seizoen", "Toinen kausi"),
        *("Második évad", "İkinci Sezon", "Второй сезон", "Сезон второй", "الموسم الثاني", "עונה ב"),
        *(
            "2ère saison",
            "2° Stagione",
            "2de seizoen",
            "2ος Κύκλος",
            "Sezóna 2",
            "Řada2",
            "Сезон №2",
            "Season #2",
        ),
        *(
            "T02",
            "Temp. 2",
            "2期",
            "2기",
            "제2기",
            "시즌2",
            "第２季",
            "الموسم ٢",
            "ฤดูกาลที่ 2",
            "Phần 2",
            "Musim ke-2",
            "सीजन 2",
        ),
    ],
)
def test_names_of_a_season_in_many_languages(name):
    found = season_name(name)
    assert found is not None
    assert (found.number, found.plain) == (2, True)


@pytest.mark.parametrize("name", ["Open Season 2", "FunkyName.S02", "Dark.S02.1080p-GRP", "Season 2 (2008)"])
def test_names_that_may_be_a_seasons(name):
    found = season_name(name)
    assert found is not None
    assert (found.number, found.plain) == (2, False)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Specials",
            "Season 0",
            "S00",
            "Especiales",
            "特別篇",
            "Спецвыпуски",
            "Sonderfolgen",
            "Special Episodes",
        ),
        *("Épisodes spéciaux", "Episodi speciali", "Odcinki specjalne", "Specialafsnit", "Ειδικά επεισόδια"),
        *(
            "スペシャル",
            "番外篇",
            "00 - Specials",
            "Season 00 - Specials",
            "Specials (2005)",
            "Dark - Specials",
        ),
    ],
)
def test_names_of_the_specials(name):
    found = season_name(name)
    assert found is not None
    assert found.number == 0


@pytest.mark.parametrize(
    "name",
    ["Dark (2017)", "S01E02", "Season of the Witch", "Hunting Season (2015)", "X-Men 2", "T2 Trainspotting"],
)
def test_names_of_no_season(name):
    assert season_name(name) is None


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Dark 07", 7),
        ("dark.07.Seven", 7),
        ("Dark_07_Seven", 7),
        ("Dark 12", 12),
        ("Dark - 107", 7),
        ("Dark Ages 3", None),
        ("Dark 2010.05.03", None),
    ],
)
def test_a_number_behind_the_title_of_the_show(name, number):
    found = name_of_episode(name, 1, "Dark")
    assert (found and found.episodes) == (number and (number,))
    assert name_of_episode(name, None, "Dark") is None


def test_a_title_that_begins_with_a_number():
    found = name_of_episode("12 Monkeys 05", 1, "12 Monkeys")
    assert found is not None
    assert found.episodes == (5,)


@given(st.integers(0, 99), st.integers(1, 99), st.text(st.characters(categories=["L", "Zs"]), max_size=20))
def test_a_title_behind_the_number_changes_nothing(season, number, title):
    found = episode_name(f"Show - S{season:02}E{number:02} - {number + 3} {title}x")
    assert found is not None
    assert (found.season, found.episodes) == (season, (number,))


@given(st.text())
def test_any_name_can_be_read(name):
    season_name(name)
    episode_name(name)
    episodes_in_season(name)
