"""What the parser reads from the bytes of good and bad files."""

import contextlib
import re
import time
from datetime import date
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nfo_reading import actor, movie

from mediasync.formats.nfo.cleaning import ForeignNfoError, NfoError, decode, plain_text
from mediasync.formats.nfo.dates import parse_date
from mediasync.formats.nfo.document import read_document
from mediasync.formats.nfo.parse import parse_nfo
from mediasync.vocabulary import MediaType

MOVIE = MediaType.MOVIE


def parse(text, expected=MOVIE):
    [record] = parse_nfo(text if isinstance(text, bytes) else text.encode(), expected)
    return record


def parse_inside(inside, root="movie"):
    return parse(f"<{root}><title>T</title>{inside}</{root}>")


def people(record):
    return [(str(credit.person_type), credit.name, credit.role) for credit in record.credits]


# People

xml_text = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=40
)


def test_a_name_without_ids_may_be_twice_beside_somebody_who_has_ids():
    record = parse_inside(
        "<actor><name>Ada One</name><tmdbid>1</tmdbid></actor>"
        "<director>Bo Two</director><credits>Bo Two</credits>"
    )
    assert people(record) == [
        ("actor", "Ada One", None),
        ("director", "Bo Two", None),
        ("writer", "Bo Two", None),
    ]
    assert [credit.provider_ids for credit in record.credits] == [{"tmdb": "1"}, {}, {}]


# An actor who has nothing but the usual fields is read in a shorter way. An attribute that means nothing
# makes the element an unusual one.

field_texts = st.one_of(
    st.sampled_from(
        ["", " ", "0", "7", "-1", " 12 ", "1234567890", "\u0663", "Ada One", "Ada\n   One", "A & B", "Writer"]
    ),
    st.sampled_from(
        ["Actor", "GuestStar", "II", "Executive Producer", "http://a/b.jpg", "/local.jpg", " http://a"]
    ),
    xml_text,
)
numbers = st.sampled_from(["0", "1", "2", "-1", " 3 ", "1234567890", "\u0663", ""])
names = st.sampled_from(["Ada One", "Ada\n   One", "Bo", "A & B", "0"]) | field_texts
usual_fields = ("name", "role", "type", "order", "sortorder", "thumb")
plain_actor = st.fixed_dictionaries(
    {"name": names},
    optional={
        "role": names,
        "type": field_texts,
        "order": numbers,
        "sortorder": numbers,
        "thumb": field_texts,
    },
).flatmap(lambda inside: st.permutations(list(inside.items())))
any_fields = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *usual_fields * 4,
                "NAME",
                "character",
                "job",
                "profile",
                "tmdbid",
                "uniqueid",
                "id",
                "i",
                "actor",
            ]
        ),
        field_texts,
    ),
    max_size=6,
)
actors = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["actor", "gueststar"]), plain_actor, st.just("")),
        st.tuples(
            st.sampled_from(["actor", "gueststar", "writer", "director"]),
            plain_actor | any_fields,
            field_texts,
        ),
    ),
    max_size=4,
)


@settings(max_examples=400)
@given(actors, st.sampled_from(["{}", "<cast>{}</cast>", "<crew>{}</crew>"]))
def test_an_attribute_without_meaning_changes_nothing_about_a_person(given_actors, around):
    def read_with(attribute):
        people = "".join(
            f"<{element}{attribute}>{escape(text)}"
            + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in inside)
            + f"</{element}>"
            for element, inside, text in given_actors
        )
        return parse_inside(around.format(people))

    assert read_with("") == read_with(' clear="true"')


words = xml_text.map(str.strip).filter(bool)
#: Names that are not split, however strange they are.
crew_name = words.map(
    lambda name: re.sub(r"[,;/|()，；／｜、，،&<\u2028\u2029\x85]", "-", name).strip()
).filter(bool)
cast_entries = st.lists(
    st.tuples(
        words, st.none() | words, st.sampled_from(["actor", "GuestStar"]), st.none() | st.integers(-2, 30)
    ),
    max_size=20,
)


def in_order(entries):
    def key(entry):
        order = entry[3]
        last = order is None or order < 0
        return last, 0 if last else order

    return sorted(entries, key=key)


@given(cast_entries, st.lists(crew_name, max_size=5), st.lists(crew_name, max_size=5, unique_by=str.casefold))
def test_generated_credits_come_back_in_order(cast, directors, writers):
    inside = "".join(f"<director>{escape(name)}</director>" for name in directors)
    inside += "".join(f"<writer>{escape(name)}</writer>" for name in writers)
    for name, role, kind, order in cast:
        inside += f"<actor><name>{escape(name)}</name><type>{kind}</type>"
        inside += "" if role is None else f"<role>{escape(role)}</role>"
        inside += "" if order is None else f"<order>{order}</order>"
        inside += "</actor>"
    inside += "".join(f"<credits>{escape(name)}</credits>" for name in writers)
    record = parse_inside("<plot>P</plot>" + inside)
    kinds = {"actor": "actor", "GuestStar": "guest_star"}
    assert people(record) == [
        *((kinds[kind], name, role) for name, role, kind, _ in in_order(cast)),
        *(("director", name, None) for name in directors),
        *(("writer", name, None) for name in writers),
    ]


def test_crew_elements_may_hold_several_names():
    record = parse_inside(
        "<director>Zack Snyder,</director><director>|Dan Trachtenberg|</director><director>|A|B|</director>"
        "<credits>Robert Downey, Jr. / AC/DC</credits><producer>P  /\n Q</producer><director/>"
        "<credits> , </credits>"
    )
    assert people(record) == [
        ("director", "Zack Snyder", None),
        ("director", "Dan Trachtenberg", None),
        ("director", "A", None),
        ("director", "B", None),
        ("writer", "Robert Downey, Jr.", None),
        ("writer", "AC/DC", None),
        ("producer", "P", None),
        ("producer", "Q", None),
    ]


def test_a_slash_in_a_cast_name_or_role_splits_nothing():
    record = parse_inside(actor("A / B", "Genie / Peddler (voice)"))
    assert people(record) == [("actor", "A / B", "Genie / Peddler (voice)")]


def test_the_type_of_an_actor_element_decides():
    record = parse_inside(
        actor("One", type="Producer", order=0)
        + actor("Two", type="Key Grip")
        + actor("Three", type="Director", order=1)
        + actor("Four", type="")
        + actor("Five", "Lead", sortorder=0)
    )
    assert people(record) == [
        ("actor", "Five", "Lead"),
        ("actor", "Four", None),
        ("director", "Three", None),
        ("producer", "One", None),
        ("Key Grip", "Two", None),
    ]


def test_empty_people_are_skipped_but_a_role_without_a_name_is_not():
    record = parse_inside(
        "<actor/><actor><name/><role> </role></actor>" + actor("", "Nobody") + "<actor>Bare</actor>"
    )
    assert people(record) == [("actor", "", "Nobody"), ("actor", "Bare", None)]


def test_several_roles_in_one_element_are_several_credits():
    record = parse_inside("<actor><name>A</name><role>One</role><role>Two</role></actor>")
    assert people(record) == [("actor", "A", "One"), ("actor", "A", "Two")]


def test_exact_repeats_stay():
    record = parse_inside(actor("A", "x") * 2 + "<director>D</director>" * 2 + "<writer>W</writer>" * 2)
    assert len(record.credits) == 6


def test_a_writer_in_both_elements_is_one_and_keeps_all_ids():
    record = parse_inside(
        '<writer>Ann  Lee</writer><credits tmdbid="5">ann lee</credits><credits>Bo</credits>'
    )
    assert [(credit.name, credit.provider_ids) for credit in record.credits] == [
        ("Ann  Lee", {"tmdb": "5"}),
        ("Bo", {}),
    ]


def test_two_writers_of_one_name_are_told_apart_by_their_ids():
    record = parse_inside(
        '<writer tmdbid="1">Lee</writer><credits tmdbid="2">Lee</credits><credits>Lee</credits>'
    )
    assert [credit.provider_ids for credit in record.credits] == [{"tmdb": "1"}, {"tmdb": "2"}]


def test_ids_of_people_from_everywhere():
    record = parse_inside(
        "<actor><name>A</name><tmdbid>1</tmdbid><imdbid>nm0000001</imdbid><tvdbid>0</tvdbid></actor>"
        "<actor><name>B</name><profile>https://www.themoviedb.org/person/287-brad</profile></actor>"
        '<actor><name>C</name><uniqueid type="tvdb"> 9 </uniqueid></actor>'
        '<director tmdb_id="7">D</director><director tmdbid="8">E / F</director>'
        '<producer tmdbid="11"><name>G</name><role>Line Producer</role><thumb>https://x.org/g.jpg</thumb></producer>'
    )
    assert [credit.provider_ids for credit in record.credits] == [
        {"tmdb": "1", "imdb": "nm0000001"},
        {"tmdb": "287"},
        {"tvdb": "9"},
        {"tmdb": "7"},
        {},
        {},
        {"tmdb": "11"},
    ]
    last = record.credits[-1]
    assert (last.role, last.image_path) == ("Line Producer", "https://x.org/g.jpg")


def test_pictures_of_people():
    record = parse_inside(
        actor("A", thumb="image://https%3a%2f%2fx.org%2fa%20b.jpg/")
        + actor("B", thumb="image://https%3a%2f%2fx.org%2fb.jpg/")
        + actor("C", thumb="/config/metadata/People/C/poster.jpg")
        + actor("D", thumb="")
    )
    assert [credit.image_path for credit in record.credits] == [
        None,
        "https://x.org/b.jpg",
        None,
        None,
    ]


# What an empty list of people proves


@pytest.mark.parametrize(
    ("inside", "proven"),
    [
        ("<plot>P</plot>", True),
        ("<tmdbid>5</tmdbid>", True),
        ("<plot/>", False),
        ("<lockdata>false</lockdata><dateadded>2020-01-01</dateadded>", False),
        ("", False),
    ],
)
def test_only_a_document_that_says_something_proves_that_there_are_no_people(inside, proven):
    assert parse_inside(inside).credits == ([] if proven else None)


def test_an_address_alone_names_a_film():
    record = parse("https://www.themoviedb.org/movie/603-the-matrix?language=en\n")
    assert (record.kind, record.title, record.provider_ids, record.credits) == (
        MOVIE,
        "",
        {"tmdb": "603"},
        None,
    )


def test_an_address_after_the_document_adds_its_id():
    record = parse(movie("Heat") + "\nhttps://www.imdb.com/title/tt0113277/?a=1&b=2\n")
    assert (record.title, record.provider_ids) == ("Heat", {"imdb": "tt0113277"})
    assert parse(movie("T", "<imdbid>tt1</imdbid>") + " and more ").problems == [
        "text outside the XML was left out"
    ]


@pytest.mark.parametrize(
    ("url", "kind", "ids"),
    [
        ("http://thetvdb.com/?tab=series&id=81189&lid=7", MediaType.SHOW, {"tvdb": "81189"}),
        ("https://thetvdb.com/dereferrer/series/81189", MediaType.SHOW, {"tvdb": "81189"}),
        ("https://www.themoviedb.org/tv/1396-breaking-bad", MediaType.SHOW, {"tmdb": "1396"}),
        ("https://www.tvmaze.com/shows/169", MediaType.SHOW, {"tvmaze": "169"}),
        ("scene text\nimdb.com/title/tt0903747\n", MediaType.SHOW, {"imdb": "tt0903747"}),
    ],
)
def test_addresses_of_shows(url, kind, ids):
    assert parse(url, kind).provider_ids == ids


# Fields


def test_fields_of_a_whole_film():
    record = parse_inside(
        "<originaltitle>O</originaltitle><sorttitle>S</sorttitle><outline>Short</outline>"
        "<plot>Long &lt;b&gt;plot&lt;/b&gt;</plot>"
        "<tagline>L</tagline><runtime>95 min</runtime><mpaa>PG</mpaa><premiered>1995-12-15</premiered>"
        "<genre>Crime / Drama</genre><genre>Crime</genre><dateadded>2020-01-02 03:04:05</dateadded>"
        '<ratings><rating name="tmdb" max="10"><value>7,9</value><votes>6,543</votes></rating>'
        '<rating name="critic" max="100" default="true"><value>88</value></rating></ratings>'
        '<uniqueid type="imdb">tt0113277</uniqueid><uniqueid type="TheMovieDB"> 949 </uniqueid>'
        "<imdbid>tt9999999</imdbid>"
        '<id tvdb="4" other="x">tt8888888</id><uniqueid type="tvmaze"/>'
    )
    assert (record.original_title, record.sort_title, record.tagline) == ("O", "S", "L")
    assert record.overview == "Long plot"
    assert (record.year, record.premiere_date, record.runtime_seconds) == (1995, date(1995, 12, 15), 5700)
    assert (record.content_rating, record.genres, record.added_at) == (
        "PG",
        ["Crime", "Drama"],
        "2020-01-02 03:04:05",
    )
    assert [(rating.name, rating.value, rating.votes) for rating in record.ratings] == [
        ("critic", 8.8, None),
        ("tmdb", 7.9, 6543),
    ]
    assert record.provider_ids == {"imdb": "tt0113277", "tmdb": "949", "tvdb": "4"}
    assert record.problems == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("100", 6000),
        ("100 min", 6000),
        ("1h 40m", 6000),
        ("1 hr 40", 6000),
        ("2h", 7200),
        ("01:40:05", 6005),
        ("1:40", 6000),
        ("102,5", 6120),
        ("0", 90),
        ("", 90),
        ("long", 90),
        ("99999999999999999", 90),
    ],
)
def test_runtimes(text, seconds):
    stream = "<video><durationinseconds>90</durationinseconds></video>"
    stream = f"<fileinfo><streamdetails>{stream}</streamdetails></fileinfo>"
    found = parse_inside(f"<runtime>{text}</runtime>{stream if seconds == 90 else ''}").runtime_seconds
    assert found == seconds


def test_a_stub_of_a_length_is_none():
    assert parse_inside("<runtime>0</runtime>").runtime_seconds is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2001-02-03", date(2001, 2, 3)),
        ("2001-2-3 10:00:00", date(2001, 2, 3)),
        ("2001.02.03", date(2001, 2, 3)),
        ("20010203", date(2001, 2, 3)),
        ("03.02.2001", date(2001, 2, 3)),
        ("12/31/2001", date(2001, 12, 31)),
        ("3 February 2001", date(2001, 2, 3)),
        ("Feb 3, 2001", date(2001, 2, 3)),
        ("Foo 3, 2001", None),
        ("February 2001", None),
        ("2001-02-30", None),
        ("0001-01-01", None),
        ("soon", None),
    ],
)
def test_dates(text, day):
    assert parse_date(text) == day


def test_an_impossible_date_is_named_and_an_empty_one_is_not():
    record = parse_inside(
        "<premiered>2001-02-30</premiered><aired>0000-00-00</aired><releasedate>2001</releasedate>"
    )
    assert record.premiere_date is None
    assert record.problems == ["<premiered>: '2001-02-30' is not a date"]


@pytest.mark.parametrize(
    ("inside", "expected", "problems"),
    [
        ("<rating>7,5</rating><votes>1.234</votes>", [("default", 7.5, 1234)], 0),
        (
            "<rating>8</rating><rating>9</rating><criticrating>83</criticrating>",
            [("default", 8, None), ("critics", 8.3, None)],
            0,
        ),
        ('<rating max="100">83</rating>', [("default", 8.3, None)], 0),
        ("<rating>0</rating>", [], 0),
        ("<rating/>", [], 0),
        ("<rating>good</rating>", [], 1),
        ("<rating>nan</rating>", [], 1),
        ("<rating>11</rating>", [], 1),
        (
            '<ratings><rating name=""><value>5</value><votes>-1</votes></rating></ratings>',
            [("default", 5, None)],
            0,
        ),
        ('<ratings><rating max="0"><value>5</value></rating></ratings>', [("default", 5, None)], 0),
    ],
)
def test_ratings(inside, expected, problems):
    record = parse_inside(inside)
    assert [(rating.name, rating.value, rating.votes) for rating in record.ratings] == expected
    assert len(record.problems) == problems


def test_images():
    record = parse_inside(
        '<thumb aspect="poster">https://x.org/p1.jpg</thumb><thumb aspect="poster">https://x.org/p2.jpg</thumb>'
        '<thumb aspect="set.poster">https://x.org/set.jpg</thumb>'
        '<thumb aspect="poster" season="1">https://x.org/s.jpg</thumb>'
        '<thumb aspect="clearlogo">https://x.org/l.png</thumb>'
        '<fanart url="https://x.org/"><thumb>f.jpg</thumb></fanart>'
        "<art><poster>/media/poster.jpg</poster><banner>https://x.org/b.jpg</banner><odd>https://x.org/o.jpg</odd></art>"
    )
    assert record.images == {
        "poster": "https://x.org/p1.jpg",
        "clearlogo": "https://x.org/l.png",
        "fanart": "https://x.org/f.jpg",
        "banner": "https://x.org/b.jpg",
    }
    assert parse_inside("<thumb>https://x.org/p</thumb><fanart>https://x.org/f</fanart>").images == {
        "poster": "https://x.org/p",
        "fanart": "https://x.org/f",
    }
    assert parse_inside("<thumb>https://x.org/p</thumb>", "episodedetails").images == {
        "thumb": "https://x.org/p"
    }


def test_numbers_of_episodes_and_what_is_no_number():
    record = parse_inside(
        "<season>-1</season><episode>12</episode><episodenumberend>13</episodenumberend>", "episodedetails"
    )
    assert (record.season, record.episode, record.episode_end) == (None, 12, 13)
    show = parse_inside("<season>-1</season><episode>-1</episode>", "tvshow")
    assert (show.kind, show.season, show.episode) == (MediaType.SHOW, None, None)
    assert parse_inside("<dateadded>0001-01-01</dateadded>").added_at is None
    assert parse_inside("<dateadded>yesterday</dateadded>").added_at is None


# Wild files

HEAT = "<movie><title>Amélie “x” 深夜</title><plot>P</plot><actor><name>Zoë</name></actor></movie>"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marked_encodings(encoding):
    record = parse(HEAT.encode(encoding))
    assert (record.title, record.credits[0].name, record.problems) == ("Amélie “x” 深夜", "Zoë", [])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_unmarked_utf_16(encoding):
    assert parse(HEAT.encode(encoding)).title == "Amélie “x” 深夜"


@pytest.mark.parametrize(
    ("declared", "real", "text", "problem"),
    [
        ("windows-1252", "cp1252", "Amélie “x”", None),
        ("ISO-8859-2", "iso-8859-2", "Łódź", None),
        ("shift_jis", "shift_jis", "深夜食堂", None),
        ("windows-31j", "cp932", "深夜食堂", None),
        ("GB2312", "gb2312", "深夜食堂", None),
        ("windows-1252", "utf-8", "Amélie", "declared as windows-1252, but it is UTF-8"),
        ("utf-8", "cp1252", "Amélie", "declared as utf-8, but it is not: read as cp1252"),
        ("us-ascii", "cp1252", "Amélie", "declared as us-ascii, but it is not: read as cp1252"),
        ("utf-8", "latin-1", "\u00e9\u00ff", "declared as utf-8, but it is not: read as cp1252"),
        ("shift_jis", "utf-8", "Amélie", "declared as shift_jis, but it is UTF-8"),
        ("iso-2022-jp", "iso-2022-jp", "深夜食堂", None),
        ("windows-1252", "ascii", "Heat", None),
        ("big5-nonsense", "utf-8", "Amélie", "declared as big5-nonsense, but it is UTF-8"),
        ("cp0", "cp1252", "Amélie", "declared as cp0, but it is not: read as cp1252"),
        ("unicode_escape", "utf-8", "Am\\x41", None),
    ],
)
def test_declared_encodings(declared, real, text, problem):
    document = (
        f'<?xml version="1.0" encoding="{declared}"?><movie><title>{text}</title><year>2000</year></movie>'
    )
    record = parse(document.encode(real))
    assert (record.title, record.problems) == (text, [problem] if problem else [])


def test_bytes_that_are_nothing_are_replaced_alone():
    text, problems = decode(b"<movie>\x81\xe9</movie>")
    assert (text, problems) == (
        "<movie>\ufffdé</movie>",
        ["not UTF-8 and no other encoding declared: read as cp1252"],
    )
    text, problems = decode("<a>é</a>".encode("utf-16") + b"\x00")
    assert problems == ["line 1: bytes that are not utf-16-le were replaced"]


@pytest.mark.parametrize(
    ("inside", "title"),
    [
        ("Tom & Jerry", "Tom & Jerry"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("Am&eacute;lie&nbsp;2", "Amélie\u00a02"),
        ("A&foo;B &#233; &#xE9;", "A&foo;B é é"),
        ("a&#0;b&#x110000;c&#55296;d\x01", "abcd"),
        ("I <3 you", "I <3 you"),
        ("<![CDATA[R&D <b>]]>", "R&D <b>"),
        ("a<!-- no -->b<?php x ?>", "ab"),
        ("&lt;b&gt;Bold&lt;/b&gt;", "<b>Bold</b>"),
    ],
)
def test_text_that_is_no_xml(inside, title):
    assert parse(f"<movie><title>{inside}</title></movie>").title == title


def test_repairs_are_named():
    assert parse("<movie><title>A & B\x02</title></movie>").problems == [
        "line 1: an unescaped & was read as text",
        "line 1: control characters were left out",
    ]
    assert parse("<movie><title>T</title><plot>a<br>b <i>c</plot></movie>").problems == [
        "line 1: tags of HTML were left out"
    ]


def test_html_in_a_plot_is_text():
    assert parse_inside("<plot>One<br/>two <b>three</b> &amp;eacute;</plot>").overview == "One\ntwo three é"
    assert plain_text("<p>One</p><p>Two</p> 3 &lt; 4") == "One\nTwo\n 3 < 4"


def test_roots_in_wrappers_misspelt_and_in_other_cases():
    for text in (
        "<xml><movie><title>T</title></movie></xml>",
        "<a><b><movie><title>T</title></movie></b></a>",
        "<Movie><Title>T</Title></Movie>",
        '<movie xmlns="urn:x" xmlns:xsi="urn:y" xsi:z="1"><title>T</title></movie>',
        '<!DOCTYPE movie SYSTEM "file:///etc/passwd"><movie><title>T</title></movie>',
        "before <movie><title>T</title></movie> after",
    ):
        if text.startswith("<a><b>"):
            with pytest.raises(NfoError, match="no description"):
                parse(text)
        else:
            assert parse(text).title == "T", text
    record = parse("<moive><title>T</title></moive>")
    assert (record.kind, record.title, record.problems) == (MOVIE, "T", ["unknown root element <moive>"])


def test_several_roots_are_several_records():
    text = "<?xml version='1.0'?>" + "".join(
        f"<episodedetails><title>{n}</title><season>1</season><episode>{n}</episode></episodedetails>\n"
        for n in (1, 2)
    )
    for whole in (text, f"<episodes>{text.partition('?>')[2]}</episodes>", text + text):
        records = parse_nfo(whole.encode(), MediaType.EPISODE)
        assert [record.episode for record in records][:2] == [1, 2]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf \n", "the file is empty"),
        (b"hello", "no description"),
        (b"<unknown><x/></unknown>", "no description"),
        (b"<html><body>404</body></html>", "a web page"),
        (b"<movie>\n<title></title>\n", "line 3: the file ends inside <movie>"),
        (b"<movie>\n<!-- never closed", "line 2: a comment has no end"),
        (b"<movie><![CDATA[", "line 1: a CDATA section has no end"),
        (b"<?xml version='1.0'", "no description"),
        (b"\n<!DOCTYPE movie", "no description"),
        (b'<!DOCTYPE m [<!ENTITY a "b">]><movie/>', "declarations of its own"),
        (b'<movie><!ENTITY a "b"></movie>', "line 1: it holds a declaration"),
        (b"<movie>\n<name></title></movie>", "line 2: <name> is outside a person"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(data, reason):
    with pytest.raises(NfoError, match=reason):
        parse_nfo(data, MOVIE)


def test_music_is_foreign():
    with pytest.raises(ForeignNfoError, match="<album> is about neither a film nor a show"):
        parse_nfo(b"<album><title>T</title></album>", MOVIE)


# Hostile files

BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol1 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
<movie><title>&lol1;</title></movie>"""
EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE movie [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<movie><title>&x;</title></movie>"""


@pytest.mark.parametrize("data", [BILLION_LAUGHS, EXTERNAL])
def test_entity_declarations_are_refused(data):
    with pytest.raises(NfoError, match="declarations"):
        parse_nfo(data, MOVIE)


def test_an_undeclared_entity_is_text():
    assert parse("<movie><title>&xxe; x</title></movie>").title == "&xxe; x"


@pytest.mark.parametrize("depth", [1_000, pytest.param(45_000, marks=pytest.mark.slow)])
def test_deep_nesting_is_no_harm(depth):
    deep = "<a>" * depth + "x" + "</a>" * depth
    assert parse(f"<movie><title>T</title><plot>{deep}</plot></movie>").title == "T"
    for name in ("a", "actor", "cast"):
        with pytest.raises(NfoError):
            parse_nfo((f"<{name}>" * depth).encode(), MOVIE)


def test_a_file_of_tags_alone_is_refused():
    with pytest.raises(NfoError, match="more than 100000 tags"):
        parse_nfo(b"<movie>" + b"<a/>" * 200_000 + b"</movie>", MOVIE)


@pytest.mark.parametrize(
    "inside",
    [
        "<director>A" + " " * 1_000_000 + "B</director>",
        "<genre>A" + "\n" * 1_000_000 + "B</genre>",
        "<credits>Same</credits>" * 40_000 + "<writer>Same</writer>" * 40_000,
        "<plot>" + "<b " * 60_000 + "</plot>",
        "<plot>" + "&" * 1_000_000 + "</plot>",
        "<![CDATA[" * 150_000,
        "<!--" * 150_000 + "-->",
        "<title>" * 150_000,
        "<runtime>" + "9" * 1_000_000 + "</runtime><year>" + "1" * 1_000_000 + "</year>",
        "<premiered>Feb" + " " * 1_000_000 + "</premiered>",
        "</movie>" + "thetvdb.com/?" * 100_000 + "themoviedb.org/tv/1" * 100_000 + "<movie>",
    ],
    ids=range(11),
)
def test_hostile_text_takes_no_long_time(inside):
    started = time.process_time()
    with contextlib.suppress(NfoError):
        parse_nfo(f"<movie><title>T</title>{inside}</movie>".encode(), MediaType.SHOW)
    assert time.process_time() - started < 10


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_any_bytes_give_records_or_the_parsers_own_error(data):
    with contextlib.suppress(NfoError):
        assert parse_nfo(data, MOVIE)


MARKUP = (
    *(
        "<movie>",
        "</movie>",
        "<title>",
        "</title>",
        "<actor><name>A</name></actor>",
        "<actor>",
        "</actor>",
        "&",
    ),
    *(
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?xml ?>",
        "<!DOCTYPE x>",
        "&amp;",
        "&#1;",
        "é",
        "\x00",
        "<br>",
        "<",
    ),
    *("<rating>x", "<season>1</season>", "<runtime>9999999999</runtime>", "<year>12345</year>", ">", "/"),
)
fragments = st.lists(st.sampled_from(MARKUP), max_size=25).map("".join)


@settings(max_examples=300)
@given(fragments, st.sampled_from(list(MediaType)))
def test_any_markup_gives_records_or_the_parsers_own_error(text, kind):
    with contextlib.suppress(NfoError):
        assert parse_nfo(text.encode(), kind)


@given(st.text(max_size=60))
def test_any_attribute_and_text_is_kept_or_refused(text):
    text_ = f"<movie><title>T</title><uniqueid type={quoteattr(text)}>{escape(text)}</uniqueid></movie>"
    try:
        ids = parse_nfo(text_.encode("utf-8", "surrogatepass"), MOVIE)[0].provider_ids
    except NfoError:
        return
    assert len(ids) <= 1


def test_a_file_cut_off_anywhere_never_gives_a_shorter_list():
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n<!-- made --><movie><title>Heat &amp; Düst</title>'
        "<plot><![CDATA[P]]></plot>\n"
        + actor("Zoë", "A")
        + actor("Bo", "B", order=1)
        + "<director>D</director><writer>W</writer><credits>W</credits></movie>\n<!-- end -->\n"
    )
    data = text.encode()
    whole = parse_nfo(data, MOVIE)[0].credits
    assert len(whole) == 4
    closed = data.index(b"</movie>") + len(b"</movie>")
    for end in range(len(data)):
        try:
            [record] = parse_nfo(data[:end], MOVIE)
        except NfoError:
            continue
        if end >= closed:
            assert record.credits == whole
            assert not record.cut
        else:
            assert record.completeness in {None, "preview"}
            assert record.cut == (end < closed - 1)
            assert record.damage


def test_a_file_cut_off_at_its_beginning_never_gives_a_whole_list():
    data = b"<movie><title>T</title><plot>P</plot><actor><name>A</name></actor><director>D</director></movie>"
    for start in range(1, len(data)):
        with contextlib.suppress(NfoError):
            assert parse_nfo(data[start:], MOVIE)[0].completeness in {None, "preview"}


def test_the_line_of_damage_is_that_of_the_file():
    text = "<?xml version='1.0'?>\n<movie>\n<!-- one\ntwo --x -->\n<plot><![CDATA[\n]]></plot>"
    text += "<title>T</titel></movie>"
    assert read_document(text.encode()).damage == "line 6: </titel> is where </title> should be"


def test_a_film_without_a_title_but_with_people_is_reported_in_full():
    record = parse("<movie><actor><name>A</name></actor></movie>")
    assert (record.title, len(record.credits)) == ("", 1)


def test_an_address_after_several_episodes_belongs_to_none_of_them():
    text = "<episodedetails><title>1</title></episodedetails>" * 2 + "https://www.imdb.com/title/tt0113277/"
    assert [record.provider_ids for record in parse_nfo(text.encode(), MediaType.EPISODE)] == [{}, {}]
