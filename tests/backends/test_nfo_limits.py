"""Files that are made to cost time and memory stay within the stated limits."""

import time
from inspect import signature

import pytest

from mediasync.backends.nfo import NfoBackend
from mediasync.backends.nfo.loading import read_file
from mediasync.formats.nfo.cleaning import NfoError
from mediasync.formats.nfo.parse import parse_nfo
from mediasync.formats.nfo.people import MOST_CREDITS, MOST_FIELDS, MOST_IDS
from mediasync.vocabulary import Completeness, MediaType

pytestmark = pytest.mark.slow


def parse(text):
    return parse_nfo(text.encode(), MediaType.MOVIE)


def parse_inside(inside):
    [record] = parse(f"<movie><title>T</title><plot>P</plot>{inside}</movie>")
    return record


def problem(record):
    return " ".join(record.problems)


@pytest.mark.parametrize(
    "inside",
    [
        "<director>" + "Ada One, " * (MOST_CREDITS + 5) + "</director>",
        "<director>" + "Ada One\n" * (MOST_CREDITS + 5) + "</director>",
        "<credits>" + "a|" * (MOST_CREDITS + 5) + "</credits>",
        "<director>Ada One</director>" * (MOST_CREDITS + 5),
        "<cast>" + "<member>Ada One</member>" * (MOST_CREDITS + 5) + "</cast>",
    ],
)
def test_credits_beyond_the_limit_are_reported_and_the_list_is_a_preview(inside):
    record = parse_inside(inside)
    assert len(record.credits) <= MOST_CREDITS
    assert record.completeness is Completeness.PREVIEW
    assert f"the file holds more than {MOST_CREDITS} credits: the others were left out" in record.problems


def test_the_limit_of_credits_is_that_of_the_file():
    names = "a|" * (MOST_CREDITS - 1)
    first, second = parse(f"<movie><title>T</title><director>{names}</director></movie>" * 2)
    assert (len(first.credits), first.completeness) == (MOST_CREDITS - 1, Completeness.FULL)
    assert (len(second.credits), second.completeness) == (1, Completeness.PREVIEW)


@pytest.mark.parametrize(
    "fields",
    [
        "<role>r</role>" * 20_000,
        "<name>A</name>" * 10_000 + "<role>r</role>" * 10_001,
        "<role>r</role>" * 10_000 + "<name>A</name><order>1</order>" * 5_000,
        "<name>A</name>" * 5_000 + "".join(f"<f{place}/>" for place in range(10_000)),
    ],
)
def test_elements_of_one_person_beyond_the_limit_are_reported(fields):
    record = parse_inside(f"<actor>{fields}</actor>")
    assert record.completeness is not Completeness.FULL
    assert f"<actor> holds more than {MOST_FIELDS} elements: the others were left out" in record.problems


def test_ids_of_one_person_beyond_the_limit_are_reported():
    ids = "".join(f'<uniqueid type="p{place}">x</uniqueid>' for place in range(MOST_IDS + 1))
    record = parse_inside(f"<actor><name>A</name>{ids}</actor>")
    assert len(record.credits[0].provider_ids) == MOST_IDS
    assert record.completeness is Completeness.PREVIEW
    assert f"<actor> holds more than {MOST_IDS} ids: the others were left out" in record.problems


def test_many_problems_are_counted():
    record = parse_inside("".join(f"<x{place}><name>A</name></x{place}>" for place in range(1000)))
    assert len(record.problems) == 51
    assert record.problems[-1] == "and 950 more problems"
    assert record.credits is None


def test_a_file_of_too_many_tags_names_the_limit():
    with pytest.raises(NfoError, match="more than 100000 tags"):
        parse_inside("<" * 100_001)


def test_a_file_that_is_too_large_names_the_limit(tmp_path):
    limit = signature(NfoBackend).parameters["size_limit"].default
    assert limit <= 4 * 1024 * 1024
    (tmp_path / "a.nfo").write_bytes(b" " * (limit + 1))
    with pytest.raises(NfoError, match=f"the limit is {limit}"):
        read_file(str(tmp_path), "a.nfo", limit)


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda n: "<director>Ada One" + ", Jr." * n + "</director>", 10_000),
        (
            lambda n: (
                "".join(f"<actor><name>A</name><tmdbid>{i}</tmdbid></actor>" for i in range(n))
                + "<director>A</director>"
            ),
            500,
        ),
        (lambda n: "".join(f"<x{i}><name>A</name></x{i}>" for i in range(n)), 1_500),
        (lambda n: "<actor " + ":" * n + ">x</actor>", 1_000),
        (lambda n: "".join(f'<rating name="r{i}">5</rating>' for i in range(n)), 1_500),
        (lambda n: "<credits>" + "a|" * n + "</credits>", 10_000),
        (lambda n: "<credits>" + "a, " * n + "</credits>", 10_000),
        (lambda n: "<director>" + "Ada One and " * n + "</director>", 10_000),
        (
            lambda n: "".join(
                f"<actor><name>A {i}, B</name></actor><credits>C {i}, D</credits>" for i in range(n)
            ),
            300,
        ),
    ],
    ids=[
        *("suffixes", "ids of one name", "elements that raise doubts", "a word in a tag"),
        *("ratings", "bars", "commas", "words between names", "lists beside a cast"),
    ],
)
def test_the_work_grows_with_the_size_and_no_faster(make, size):
    def cost(text):
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            parse_inside(text)
            best = min(best, time.process_time() - start)
        return best

    # Quadratic work would take 256 times as long; the rest is room for a busy machine.
    assert cost(make(16 * size)) < 16 * 8 * cost(make(size))


@pytest.mark.parametrize(
    ("end", "left_out", "names"),
    [
        ("<actor><name>C", "actor", ["A B"]),
        ("<actor><role>x</role><name>C", "actor", ["A B"]),
        ("<actor><name>Cy Doe</name><role>x", "role", ["A B", "Cy Doe"]),
        ("<director>C", "director", ["A B"]),
        ("<directors>Ada One, B", "directors", ["A B"]),
        ("<cast><actor><name>C", "actor", ["A B"]),
    ],
)
def test_the_element_that_a_file_ends_in_is_left_out_and_reported(end, left_out, names):
    [record] = parse(f"<movie><title>T</title><plot>P</plot><actor><name>A B</name></actor>{end}")
    assert [(credit.name, credit.role) for credit in record.credits] == [(name, None) for name in names]
    assert f"<{left_out}>, in which the file ends, was left out" in problem(record)
    assert record.cut
    assert record.completeness is Completeness.PREVIEW
