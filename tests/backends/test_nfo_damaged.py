"""Files that are damaged, state a wrong encoding, or hold lists in place of one value."""

import contextlib
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nfo_reading import actor, movie, people, read, write

from mediasync import MediaSync
from mediasync.formats.nfo.cleaning import NfoError
from mediasync.formats.nfo.parse import parse_nfo
from mediasync.vocabulary import Completeness, MediaType

MOVIE = MediaType.MOVIE


def parse(text, expected=MOVIE):
    [record] = parse_nfo(text if isinstance(text, bytes) else text.encode(), expected)
    return record


def parse_inside(inside):
    return parse(f"<movie><title>T</title><plot>P</plot>{inside}</movie>")


def names(record):
    return [credit.name for credit in record.credits or []]


def cast_and_crew(record):
    return [(str(credit.person_type), credit.name, credit.role) for credit in record.credits or []]


# Encodings


@pytest.mark.parametrize(
    ("data", "title", "problem"),
    [
        (
            "<t>éèü</t>".encode() + b"<title>B\xc3\xa4r\x92s</title>",
            "Bär’s",
            "line 1: bytes that are not UTF-8",
        ),
        (
            "<t>éèü</t>".encode() + b"<title>B\xc3\xa4r \xe2\x82</title>",
            "Bär \ufffd",
            "line 1: bytes that are",
        ),
        (b"<title>CAF\xc9\x85 \xe9\xe8</title>", "CAFÉ… éè", "read as cp1252"),
        (b"<title>\xed\xa0\xbd\xed\xb8\x80</title>", "😀", ""),
    ],
)
def test_the_smallest_unit_that_fails_is_replaced(data, title, problem):
    record = parse(b"<movie>" + data + b"<year>2000</year></movie>")
    assert record.title == title
    assert problem in " ".join(record.problems)


def test_a_mark_of_utf_16_before_utf_8_is_not_believed():
    assert parse(b"\xff\xfe<movie><title>B\xc3\xa4r</title></movie>").title == "Bär"


@pytest.mark.parametrize(
    ("declared", "encoding", "title"),
    [
        ("utf-16", "utf-8", "Bär"),
        ("windows-1252", "utf-16", "Bär"),
        ("windows-1251", "cp1251", "Тёплый дом"),
        ("shift_jis", "cp932", "深夜食堂①"),
        ("gb2312", "gb18030", "深夜食堂镕"),
        ("iso-8859-1", "cp1252", "It’s"),
    ],
)
def test_what_a_file_declares_is_not_believed_blindly(declared, encoding, title):
    text = (
        f'<?xml version="1.0" encoding="{declared}"?><movie><title>{title}</title><year>2000</year></movie>'
    )
    assert parse(text.encode(encoding)).title == title


def test_one_bad_byte_in_a_declared_encoding_costs_one_character():
    text = '<?xml version="1.0" encoding="shift_jis"?>\n<movie><title>深夜食堂</title>\n'
    text += "<plot>深夜</plot></movie>"
    record = parse(text.encode("shift_jis").replace(b"</plot>", b"\x88</plot>"))
    assert (record.title, record.overview) == ("深夜食堂", "深夜\ufffd")
    assert record.problems == ["line 3: bytes that are not shift_jis were replaced"]


# Text


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("D&amp;apos;Ono", "D'Ono"),
        ("D&amp;amp;#39;Ono", "D'Ono"),
        ("<![CDATA[D&apos;Ono]]>", "D'Ono"),
        ("O&#146;Neil &#x96; B", "O’Neil – B"),
        ("O\x92Neil", "O’Neil"),
        ("Smile &#55357;&#56832;", "Smile 😀"),
        ("Paul\n      Brizz", "Paul Brizz"),
        ("Paul\r\n\tThomas  Brizz", "Paul Thomas  Brizz"),
    ],
)
def test_names_and_roles_mean_what_their_writer_meant(source, name):
    record = parse_inside(f"<actor><name>{source}</name><role>{source}</role></actor>")
    assert cast_and_crew(record) == [("actor", name, name)]
    assert record.completeness is Completeness.FULL


def test_an_overview_keeps_its_paragraphs():
    assert parse("<movie><title>A\n  B</title><plot>One\n\nTwo</plot></movie>").overview == "One\n\nTwo"


# Lists of names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada One, Bob Two, Cy Three", ["Ada One", "Bob Two", "Cy Three"]),
        ("Ada One; Bob Two", ["Ada One", "Bob Two"]),
        ("Ada One|Bob Two", ["Ada One", "Bob Two"]),
        ("Ada One/Bob Two", ["Ada One", "Bob Two"]),
        ("Ada One\n   Bob Two", ["Ada One", "Bob Two"]),
        ("Ada One&lt;br /&gt;Bob Two", ["Ada One", "Bob Two"]),
        ("Ada One<br/>Bob Two", ["Ada One", "Bob Two"]),
        ("Ada One, Pamela\n  Two, Cy Three", ["Ada One", "Pamela Two", "Cy Three"]),
        ("宮崎駿、高畑勲", ["宮崎駿", "高畑勲"]),
        ("Robert Downey, Jr.", ["Robert Downey, Jr."]),
        ("Ada One, Robert Downey, Jr., Hank Six, III", ["Ada One", "Robert Downey, Jr.", "Hank Six, III"]),
        ("Lucas, George", ["Lucas, George"]),
        ("Van Damme, Jean-Claude", ["Van Damme, Jean-Claude"]),
        ("Crosby, Stills, Nash &amp; Young", ["Crosby, Stills, Nash & Young"]),
        ("Big Pictures, Inc.", ["Big Pictures, Inc."]),
        ("AC/DC", ["AC/DC"]),
        ("Tyler, The Creator", ["Tyler, The Creator"]),
        ("Ada One, Tyler, The Creator", ["Ada One", "Tyler, The Creator"]),
        ("Ada One &amp; Bob Two", ["Ada One", "Bob Two"]),
        ("Ada One and Bob Two", ["Ada One", "Bob Two"]),
        ("Ada One und Bob Two", ["Ada One", "Bob Two"]),
        ("Ada One et Bob Two", ["Ada One", "Bob Two"]),
        ("Иван Один и Пётр Два", ["Иван Один", "Пётр Два"]),
        ("Ada One • Bob Two", ["Ada One", "Bob Two"]),
        ("Ada One + Bob Two", ["Ada One", "Bob Two"]),
        ("Joel &amp; Ethan Coen", ["Joel & Ethan Coen"]),
        ("Simon and Garfunkel", ["Simon and Garfunkel"]),
        ("Nick Cave &amp; The Bad Seeds", ["Nick Cave & The Bad Seeds"]),
        ("Ann Lee and Sons", ["Ann Lee and Sons"]),
        ("José Ortega y Gasset", ["José Ortega y Gasset"]),
        ("Sam Roe, 2nd", ["Sam Roe, 2nd"]),
        ("Sam Roe, jun.", ["Sam Roe, jun."]),
    ],
)
def test_names_in_one_element_are_told_apart(text, expected):
    record = parse_inside(f"{actor('Tyler, The Creator')}<director>{text}</director>")
    assert names(record)[1:] == expected


def test_a_name_with_a_comma_that_stands_alone_elsewhere_is_one():
    record = parse_inside(
        "<director>Tyler, The Creator</director><credits>Bo Two, Tyler, The Creator, Cy Three</credits>"
    )
    assert names(record) == ["Tyler, The Creator", "Bo Two", "Tyler, The Creator", "Cy Three"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada One, Bob Two and Cy Three", ["Ada One", "Bob Two", "Cy Three"]),
        ("Ada One, Bob Two, and Cy Three", ["Ada One", "Bob Two", "Cy Three"]),
        ("Ada One, Bob Two &amp; Cy Three", ["Ada One", "Bob Two", "Cy Three"]),
        ("Robert Downey, Jr. and Sam Roe", ["Robert Downey, Jr.", "Sam Roe"]),
        ("Ann Lee, PhD, Hank Six, III &amp; Bo Two", ["Ann Lee, PhD", "Hank Six, III", "Bo Two"]),
        ("Ada One, Bob Two, ...", ["Ada One", "Bob Two"]),
        ("Ada One, Bob Two, et al.", ["Ada One", "Bob Two"]),
        ("Ada One, Ann Lee &amp; Sons", ["Ada One", "Ann Lee & Sons"]),
    ],
)
def test_words_between_the_names_of_a_list(text, expected):
    assert names(parse_inside(f"<director>{text}</director>")) == expected


def test_an_element_with_an_id_is_one_person():
    record = parse_inside('<director tmdbid="7">Ada One, Bob Two</director>')
    assert [(credit.name, credit.provider_ids) for credit in record.credits] == [
        ("Ada One, Bob Two", {"tmdb": "7"})
    ]


def test_functions_in_brackets_are_functions():
    record = parse_inside(
        "<credits>Ada One (Writer/Director) / Bo Two (Executive Producer) / Cy (II) / Di (Guest Star)"
        "</credits>"
    )
    assert cast_and_crew(record) == [
        ("guest_star", "Di", None),
        ("director", "Ada One", None),
        ("writer", "Ada One", None),
        ("writer", "Cy (II)", None),
        ("producer", "Bo Two", "Executive Producer"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Ada One [Writer] / Bo Two [Guest Star]",
            [("guest_star", "Bo Two", None), ("writer", "Ada One", None)],
        ),
        ("Ada One - Director / Bo Two - Writer", [("director", "Ada One", None), ("writer", "Bo Two", None)]),
        ("Director: Ada One / Writer: Bo Two", [("director", "Ada One", None), ("writer", "Bo Two", None)]),
        (
            "Ada One (Writer) &amp; Bo Two (Director)",
            [("director", "Bo Two", None), ("writer", "Ada One", None)],
        ),
        ("Ada One (Writer and Director)", [("director", "Ada One", None), ("writer", "Ada One", None)]),
        ("Ada One (Drehbuch)", [("writer", "Ada One", "Drehbuch")]),
        ("Ada One (Regie)", [("director", "Ada One", "Regie")]),
        ("Ada One (Created by)", [("creator", "Ada One", None)]),
        (
            "Ada One (Produzent), Bo Two (Musik)",
            [("producer", "Ada One", "Produzent"), ("composer", "Bo Two", "Musik")],
        ),
        ("Ada One - The Elder", [("writer", "Ada One - The Elder", None)]),
    ],
)
def test_functions_in_other_forms_and_languages(text, expected):
    assert cast_and_crew(parse_inside(f"<credits>{text}</credits>")) == expected


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<name>A</name><name>B</name><role>x</role><role>y</role>", [("A", "x"), ("B", "y")]),
        ("<name>A</name><role>x</role><name>B</name><role>y</role>", [("A", "x"), ("B", "y")]),
        ("<role>x</role><name>A</name><role>y</role><name>B</name>", [("A", "x"), ("B", "y")]),
        ("<name>A</name><name>B</name><role>x</role><tmdbid>1</tmdbid>", [("A", "x"), ("B", "x")]),
    ],
)
def test_several_names_in_one_actor_are_several_people(inside, expected):
    record = parse_inside(f"<actor>{inside}</actor>")
    assert [(credit.name, credit.role) for credit in record.credits] == expected
    assert all(not credit.provider_ids for credit in record.credits)


# Wrappers, and what is not understood


def test_people_in_wrappers_are_read():
    record = parse_inside(
        "<cast><actor><name>A</name></actor><member><name>B</name><character>x</character></member></cast>"
        "<directors>Ada One, Bob Two</directors><writers><writer>W</writer></writers>"
        "<crew><member><name>C</name><job>Producer</job></member>"
        "<member><name>D</name><job>Key Grip</job></member></crew>"
        "<credits><composer>E</composer></credits><producers><name>F</name></producers>"
    )
    assert cast_and_crew(record) == [
        ("actor", "A", None),
        ("actor", "B", "x"),
        ("director", "Ada One", None),
        ("director", "Bob Two", None),
        ("writer", "W", None),
        ("producer", "C", None),
        ("producer", "F", None),
        ("Key Grip", "D", None),
        ("composer", "E", None),
    ]
    assert record.completeness is Completeness.FULL


@pytest.mark.parametrize(
    "inside",
    [
        "<castlist>Ada One</castlist>",
        "<schauspieler>Ada One</schauspieler>",
        "<regie>Ada One</regie>",
        "<réalisateur>Ada One</réalisateur>",
        "<acteurs><acteur>Ada One</acteur></acteurs>",
        "<reparto><actor1>Ada One</actor1></reparto>",
        "<directedby>Ada One</directedby>",
        "<folk><human><name>Ada One</name></human></folk>",
        "<cast><unit>Ada One</unit></cast>",
        "<actor><fullname>Ada One</fullname></actor>",
    ],
)
def test_what_may_hold_people_and_is_not_known_proves_nothing(inside):
    record = parse_inside(inside)
    assert (record.credits, record.completeness) == (None, None)
    assert any("may hold people and is not understood" in problem for problem in record.problems)
    record = parse_inside(f"<director>D</director>{inside}")
    assert (names(record), record.completeness) == (["D"], Completeness.PREVIEW)


def test_people_in_wrappers_of_other_names_are_read():
    record = parse_inside(
        "<stars><star>A</star></stars><castmembers><castmember><name>B</name></castmember></castmembers>"
        "<crewmembers><crewmember><name>C</name><job>Director</job></crewmember></crewmembers>"
        "<role><actor>D</actor></role>"
    )
    assert cast_and_crew(record) == [
        ("actor", "A", None),
        ("actor", "B", None),
        ("actor", "D", None),
        ("director", "C", None),
    ]


@pytest.mark.parametrize("inside", ["<mitwirkende>Ada One</mitwirkende>", "<x><y>Ada One</y></x>"])
def test_an_empty_list_beside_elements_that_nobody_knows_proves_nothing(inside):
    record = parse_inside(inside)
    assert (record.credits, record.completeness) == (None, None)
    record = parse_inside(f"<director>D</director>{inside}")
    assert (names(record), record.completeness) == (["D"], Completeness.FULL)


@pytest.mark.parametrize(
    "inside",
    [
        "<set><name>S</name></set>",
        "<studio><name>S</name></studio>",
        "<lockedfields>Cast</lockedfields>",
        "<x>5</x><y>true</y>",
    ],
)
def test_names_of_other_things_raise_no_doubt(inside):
    assert parse_inside(inside).completeness is Completeness.FULL


# One person with ids and without


def test_a_bare_name_joins_the_one_person_of_that_name_who_has_ids():
    record = parse_inside(
        '<director tmdbid="1">Ada</director><credits>ADA</credits>'
        "<actor><name>Bo</name><tmdbid>2</tmdbid></actor><actor><name>Bo</name><tmdbid>3</tmdbid></actor>"
        "<producer>Bo</producer>"
    )
    ids = [(credit.name, credit.provider_ids.get("tmdb")) for credit in record.credits]
    assert ids == [("Bo", "2"), ("Bo", "3"), ("Ada", "1"), ("ADA", "1"), ("Bo", None)]


# Ids, dates, numbers


@pytest.mark.parametrize(
    "inside",
    [
        "<imdb>tt0183869</imdb><tmdb>2332</tmdb>",
        "<imdbid>0183869</imdbid><tmdbid>2332</tmdbid>",
        '<uniqueid type="imdb">https://www.imdb.com/title/tt0183869/</uniqueid>'
        '<uniqueid Type="TMDB_ID">2332</uniqueid>',
        '<id moviedb="imdb">tt0183869</id><id TMDB="2332"/>',
        '<id type="imdb">TT0183869</id><id type="tmdb">2332</id>',
        "<imdburl>https://www.imdb.com/title/tt0183869/</imdburl><tmdbnumber>2332</tmdbnumber>",
        "<imdbcode>tt0183869</imdbcode><tmdb>https://www.themoviedb.org/movie/2332-heat</tmdb>",
        "<ids><entry><key>imdb</key><value>tt0183869</value></entry><tmdb>2332</tmdb></ids>",
        "<uniqueid>tt0183869</uniqueid><uniqueid type='themoviedb'>2332</uniqueid>",
    ],
)
def test_ids_in_all_their_spellings(inside):
    assert parse_inside(inside).provider_ids == {"imdb": "tt0183869", "tmdb": "2332"}


def test_a_rating_called_imdb_is_no_id():
    assert parse_inside("<imdb>7.5</imdb>").provider_ids == {}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("7/8/2017 4:00:00 PM", date(2017, 7, 8)),
        ("7/18/2017 12:00 a.m.", date(2017, 7, 18)),
        ("18/7/2017 4:00:00 PM", date(2017, 7, 18)),
        ("7/8/2017 16:00", date(2017, 8, 7)),
        ("Sat, 08 Jul 2017 00:00:00 GMT", date(2017, 7, 8)),
        ("July 8th, 2017", date(2017, 7, 8)),
        ("08-Jul-2017", date(2017, 7, 8)),
        ("2017年7月8日", date(2017, 7, 8)),
        ("2017년 7월 8일", date(2017, 7, 8)),
        ("7/8/2017 4:00:00 \u202fPM", date(2017, 7, 8)),
        ("7/8/2017 4:00 p. m.", date(2017, 7, 8)),
        ("8. Juli 2017", date(2017, 7, 8)),
        ("Samstag, 8. Juli 2017", date(2017, 7, 8)),
        ("8. Okt. 2017", date(2017, 10, 8)),
        ("8. März 2017", date(2017, 3, 8)),
        ("1er mai 2017", date(2017, 5, 1)),
        ("8 juillet 2017", date(2017, 7, 8)),
        ("8 de julio de 2017", date(2017, 7, 8)),
        ("8 luglio 2017", date(2017, 7, 8)),
        ("8 июля 2017", date(2017, 7, 8)),
        ("8 lipca 2017", date(2017, 7, 8)),
        ("8. července 2017", date(2017, 7, 8)),
        ("8. marraskuuta 2017", date(2017, 11, 8)),
        ("2017. július 8.", date(2017, 7, 8)),
        ("Sat Jul 08 00:00:00 CEST 2017", date(2017, 7, 8)),
        ("8 jui 2017", None),
    ],
)
def test_dates_as_people_write_them(text, day):
    assert parse_inside(f"<premiered>{text}</premiered>").premiere_date == day


def test_a_month_gives_a_year():
    record = parse_inside("<premiered>1999-05</premiered>")
    assert (record.year, record.premiere_date, record.problems) == (1999, None, [])


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<runtime>PT1H30M</runtime>", 5400),
        ("<runtime>1,5 h</runtime>", 5400),
        ("<runtime>1 Std. 30 Min.</runtime>", 5400),
        ("<runtime>90 min / 95 min</runtime>", 5400),
        ("<runtime>90'</runtime>", 5400),
        ("<runtime>90 мин</runtime>", 5400),
        ("<runtime>1 ч 30 мин</runtime>", 5400),
        ("<runtime>1 godz. 30 min</runtime>", 5400),
        ("<runtime>90 dk</runtime>", 5400),
        ("<runtime>90 perc</runtime>", 5400),
        ("<runtime>USA: 90 min</runtime>", 5400),
    ],
)
def test_lengths_as_people_write_them(inside, expected):
    assert parse_inside(inside).runtime_seconds == expected


@pytest.mark.parametrize(
    "inside",
    [
        "<rating>7,5/10 (1,234 votes)</rating>",
        "<rating>75%</rating><votes>1.234</votes>",
        "<rating>7.5</rating><votes>1 234 votes</votes>",
        "<rating>7.5 / 10</rating><votes>(1234)</votes>",
    ],
)
def test_ratings_as_people_write_them(inside):
    assert [(rating.value, rating.votes) for rating in parse_inside(inside).ratings] == [(7.5, 1234)]


@pytest.mark.parametrize(
    "inside",
    [
        "<genre>Drama / Crime</genre>",
        "<genre>Drama, Crime</genre>",
        "<genre>|Drama|Crime|</genre>",
        "<genre>Drama; Crime</genre>",
        "<genre>Drama\nCrime</genre>",
        "<genres><genre>Drama</genre><genre>Crime</genre></genres>",
        "<genres>Drama, Crime</genres>",
    ],
)
def test_lists_of_genres(inside):
    assert parse_inside(inside).genres == ["Drama", "Crime"]


def test_a_genre_with_a_comma():
    assert parse_inside("<genre>Food, Drink &amp; Travel</genre>").genres == ["Food, Drink & Travel"]


# Release notes


@pytest.mark.parametrize(
    "address", ["http://www.imdb.com/title/tt0837106/", "imdb.com/Title?0837106", "tt0837106"]
)
def test_an_address_in_a_release_note_names_the_film(address):
    record = parse(f"\xae <<< MOA >>> \xae\n iMDB....: {address} & more <b\n".encode("cp437", "replace"))
    assert (record.title, record.credits, record.provider_ids) == ("", None, {"imdb": "tt0837106"})


def test_the_address_beside_an_episode_is_the_shows():
    assert parse("see imdb.com/title/tt0903747", MediaType.EPISODE).provider_ids == {}


# Damage

PEOPLE = actor("Zoë", "A") + actor("Bo", "B") + "<director>D</director>"


@pytest.mark.parametrize(
    "text",
    [
        f"<movie><title>T</titel><plot>P</plot>{PEOPLE}</movie>",
        f"<movie><title>T</movie><plot>P</plot>{PEOPLE}</movie>",
        f"<movie><title>T<plot>P</plot>{PEOPLE}</movie>",
        f"<movie><title>T<title><plot>P</plot>{PEOPLE}</movie>",
        f"<movie><tytle>T</title><plot>P</plot>{PEOPLE}</movie>",
        f"<movie><title>T</title><plot>P{PEOPLE}</movie>",
        f"<movie><title>T</title><plot>P</plot>{PEOPLE}",
        f"<moive><title>T</title><plot>P</plot>{PEOPLE}</movie>",
        f"<title>T</title><plot>P</plot>{PEOPLE}",
        f"<movie><title>T</title><plot>P</plot>{PEOPLE.replace('</actor>', '', 1)}</movie>",
        f"<movie><title>T</title><plot>P</plot>{PEOPLE.replace('<actor>', '', 1)}</movie>",
        f"<movie><title>T</title><plot>P</plot>{PEOPLE.replace('</name>', '</nam>', 1)}</movie>",
        f"<movie><title>T</title><plot>P</plot>{PEOPLE.replace('</actor>', '</actor', 1)}</movie>",
        f"<movie><title>T</title><plot>P</plot>{PEOPLE}</movie>movie>",
        f"<movie><title>T</title><plot>P</plot>{PEOPLE}</movie><actor><name>X</name></actor>",
        f"<movie><!-- never closed\n<title>T</title><plot>P</plot>{PEOPLE}</movie>",
        f"<movie><title>T</title><plot><![CDATA[P</plot>{PEOPLE}</movie>",
    ],
)
def test_one_wrong_tag_costs_no_title_and_no_people(text):
    record = parse(text)
    assert (record.title, record.overview) == ("T", "P")
    assert cast_and_crew(record) == [("actor", "Zoë", "A"), ("actor", "Bo", "B"), ("director", "D", None)]
    if "</movie>movie>" not in text:
        assert record.damage
        assert record.completeness is Completeness.PREVIEW


@pytest.mark.parametrize(
    "inside",
    [
        "<x:y z:a='1'>q</x:y>",
        "<Genre>D</genre>",
        "<rating max=10>7</rating>",
        "<tagline>A & B <3</tagline>",
        "<tagline>one<br>two <p>three <or two></tagline>",
    ],
)
def test_what_is_no_xml_but_loses_nothing_is_read_whole(inside):
    record = parse_inside(inside + PEOPLE)
    assert (names(record), record.completeness, record.damage) == (["Zoë", "Bo", "D"], Completeness.FULL, "")


@pytest.mark.parametrize(
    "text",
    [
        "<episode>{}</episode>",
        "{}",
        "<episodedetail>{}</episodedetail>",
    ],
)
def test_an_episode_without_its_root_element(text):
    fields = "<title>T</title><season>2</season><episode>3</episode><plot>P</plot>"
    record = parse(text.format(fields + actor("A", "x")), MediaType.EPISODE)
    assert (record.kind, record.title, record.season, record.episode) == (MediaType.EPISODE, "T", 2, 3)
    assert names(record) == ["A"]


def test_ids_behind_a_person_who_is_not_closed_are_not_the_persons():
    record = parse("<movie><title>T</title><actor><name>A</name><tmdbid>603</tmdbid><plot>P</plot></movie>")
    assert [(credit.name, credit.provider_ids) for credit in record.credits] == [("A", {})]


def test_a_damaged_file_names_its_line():
    record = parse("<movie>\n<title>T</title>\n<director>D</directr>\n</movie>")
    assert record.damage == "line 3: </directr> is where </director> should be"


async def test_a_damaged_file_never_shrinks_what_is_stored(tmp_path, file_url):
    whole = movie("T", "<plot>P</plot>" + PEOPLE)
    async with MediaSync(file_url) as ms:

        async def sync(text):
            write(tmp_path, {"movies/A/movie.nfo": text})
            report = await ms.sync(f"s=nfo:{tmp_path}")
            return report, await ms.media.get_media_item("s:movies/A")

        _, stored = await sync(whole)
        assert len(stored.credits) == 3
        for damaged in (whole[:-20], whole.replace("</title>", "</titel>"), whole[: whole.index("<plot>")]):
            report, item = await sync(damaged)
            told = [*report.problems, *report.failed]
            assert any("movies/A/movie.nfo: line 1: " in text for _, text in told)
            assert (item.title, item.overview, item.completeness) == ("T", "P", Completeness.FULL)
            assert people(item) == people(stored)
            await sync(whole)


async def test_a_damaged_file_is_read_again_until_it_is_mended(tmp_path):
    write(tmp_path, {"movies/A/movie.nfo": f"<movie><title>T</titel>{PEOPLE}</movie>"})
    reading = await read(tmp_path)
    assert reading.tokens == {}
    assert reading.items["movies/A"].completeness is Completeness.PREVIEW


async def test_episodes_that_a_damaged_file_no_longer_shows_stay(tmp_path):
    def episode(number):
        inside = f"<title>{number}</title><season>1</season><episode>{number}</episode>"
        return f"<episodedetails>{inside}</episodedetails>"

    path = "tv/D/Season 1/D S01E01-E02.nfo"
    write(tmp_path, {"tv/D/tvshow.nfo": "<tvshow><title>D</title></tvshow>", path: episode(1) + episode(2)})
    first = await read(tmp_path)
    write(tmp_path, {path: episode(1) + "<episodedetails><title>2"})
    second = await read(tmp_path, first.tokens)
    assert set(second.unreadable) == {key for key in first.tokens if "#s01e" in key}


# Laws

WHOLE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- made -->\n<movie>\n<title>Bär</title><plot>Sätze ß</plot>\n'
    '<ratings><rating name="imdb"><value>7</value></rating></ratings><uniqueid type="tmdb">603</uniqueid>\n'
    "<actor>\n<name>Jürgen One</name>\n<role>Käpt’n</role>\n<tmdbid>21</tmdbid>\n</actor>\n"
    "<actor><name>Zoë Two</name><role>Second</role></actor>\n"
    "<director>Dirk Four</director>\n<credits>Wanda Five</credits>\n</movie>\n"
).encode()
CREDITS = [("Jürgen One", "Käpt’n"), ("Zoë Two", "Second"), ("Dirk Four", None), ("Wanda Five", None)]


def named(record):
    return [(credit.name, credit.role) for credit in record.credits or []]


@settings(max_examples=400)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
@example(WHOLE.rindex(b"/"), ord("<"))  # what was the end tag looks like a second film
def test_one_wrong_byte_changes_only_the_value_that_holds_it(place, byte):
    data = WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :]
    record = parse(data)
    assert len(set(CREDITS) - set(named(record))) <= 1
    assert (
        sum((record.title != "Bär", record.overview != "Sätze ß", record.provider_ids != {"tmdb": "603"}))
        <= 1
    )
    if record.completeness is Completeness.FULL:
        assert len(record.credits) == len(CREDITS)
    ids = [credit.provider_ids for credit in record.credits if credit.name == "Jürgen One"]
    assert all(one.get("tmdb") != "603" for one in ids)


@settings(max_examples=200)
@given(st.integers(0, len(WHOLE)), st.integers(0, 40))
def test_a_missing_piece_never_leaves_a_shorter_whole_list(place, length):
    data = WHOLE[:place] + WHOLE[place + length :]
    with contextlib.suppress(NfoError):
        for record in parse_nfo(data, MOVIE):
            if record.completeness is Completeness.FULL:
                missing = len(CREDITS) - len(record.credits)
                piece = WHOLE[place : place + length]
                assert missing <= piece.count(b"<") + sum(name.encode() in piece for name, _ in CREDITS)


@settings(max_examples=200)
@given(st.integers(0, len(WHOLE)), st.binary(max_size=40))
def test_garbage_inside_gives_records_or_the_parsers_own_error(place, garbage):
    with contextlib.suppress(NfoError):
        assert parse_nfo(WHOLE[:place] + garbage + WHOLE[place:], MOVIE)
