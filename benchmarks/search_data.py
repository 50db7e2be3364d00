"""A generated library for searching: what real queries look for, among many others.

The others have the same first and last names, and titles of the same words. The known people have more
credits than most, as in real libraries. The same size always gives the same library.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from mediasync.models import Credit, Movie, Person, Rating

QUERIES = Path(__file__).resolve().parent.parent / "tests" / "data" / "search"

_FIRST_TEXT = """
Aaron Abel Ada Adam Adela Adele Adrian Agnes Aidan Alan Albert Alejandro Alex Alexander Alfred Ali Alice
Alicia Alma Amanda Amelia Amir Amy Ana Anders Andre Andrea Andrei Andrew Angela Anita Ann Anna Anne Anthony
Antonio Arlene Arthur Astrid Audrey Barbara Beatrice Ben Benjamin Bernard Beth Bill Bo Bob Boris Brad Brenda
Brian Bruce Bruno Calvin Carl Carla Carlos Carmen Carol Caroline Cate Catherine Cecilia Charles Charlotte
Chloe Chris Christian Christina Christoph Christopher Claire Clara Claude Colin Connor Craig Daisy Dan
Daniel David Dean Deborah Denis Denise Denzel Diana Diego Dmitri Donald Doris Dorothy Eddie Edgar Edith
Edward Elena Eli Elisa Elizabeth Ella Ellen Emil Emily Emma Enrico Eric Erika Ernest Esther Eugene Eva Ewan
Felix Fiona Florence Frances Francis Frank Fred Gabriel Gary George Georgia Gerald Gina Giovanni Gloria
Gordon Grace Greg Guillermo Gustav Hanna Hannah Harold Harry Hector Heidi Helen Helena Henry Hugh Hugo Ian
Ida Igor Ines Ingrid Irene Isaac Isabel Ivan Jack Jackie Jacob Jake James Jan Jane Janet Javier Jean Jeff
Jennifer Jenny Jeremy Jerry Jessica Jim Joan Joe Joel Johan John Jonas Jordan Jose Joseph Joshua Juan Judith
Judy Julia Julian Julie Karen Karl Kate Katherine Kathleen Keith Keira Kelly Ken Kevin Kim Konstantin Kurt
Kyle Larry Lars Laura Lauren Laurence Lawrence Leo Leon Leonardo Lewis Liam Lily Linda Lisa Liz Louis Louise
Lucas Lucy Luis Luke Lynn Madeleine Mads Manuel Marc Marco Margaret Maria Marie Marina Mario Marion Mark
Marta Martha Martin Mary Mathilde Matt Matthew Max Megan Melissa Meryl Michael Michelle Miguel Mike Milan
Mohamed Molly Monica Nadia Nancy Naomi Natalie Nathan Neil Nicholas Nick Nicole Nikita Nina Noah Nora Norman
Oliver Olivia Omar Oscar Pamela Patricia Patrick Paul Paula Pedro Peggy Penelope Pete Peter Phil Philip
Phyllis Pierre Quentin Rachel Ralph Ramon Raymond Rebecca Renee Ricardo Richard Rick Rita Rob Robert Roberta
Robin Roger Roland Roman Ron Rosa Rose Ruby Rupert Russell Ruth Ryan Sally Sam Samantha Samuel Sandra Sara
Sarah Scott Sean Sergei Sharon Shirley Silvia Simon Sofia Song Sophie Stanley Stefan Stella Stephen Steve
Steven Stuart Susan Sven Sylvia Tara Ted Teresa Terry Theo Thomas Tilda Tim Tina Tom Tony Tracy Valerie
Vanessa Vera Veronica Victor Victoria Viktor Vincent Viola Virginia Walter Wanda Wayne Wendy Will William
Winona Yuri Yvonne Zoe Kang Min Jun Wei Ling Hiroshi Takashi Kenji Yuki Haruki Ahmed Adel Fatima Leila Samir
Priya Raj Anil
"""
_FIRST = _FIRST_TEXT.split()
_LAST_TEXT = """
Adams Allen Alvarez Andersen Anderson Andrews Armstrong Arnold Atkins Austin Bailey Baker Baldwin Banks
Barker Barnes Bauer Becker Bell Bennett Berger Bergman Bernal Berry Bishop Black Blanc Blake Bond Bowman
Boyd Boyle Bradley Braun Brennan Brooks Brown Bruce Bryant Burke Burns Burton Bush Butler Byrne Caine
Campbell Capra Carey Carlson Carpenter Carr Carroll Carter Castro Chan Chang Chapman Chen Cheng Christensen
Clark Clarke Cohen Cole Coleman Collins Conner Connor Conti Cook Cooper Cox Craig Crawford Cruise Cruz
Cunningham Curtis Dahl Dalton Daniels Davidson Davies Davis Dawson Dean Delgado Diaz Dixon Dominguez Douglas
Downey Doyle Driver Dubois Duncan Dunn Dupont Edwards Elliott Ellis Emerson Evans Farrell Fernandez Ferrara
Ferrer Fischer Fisher Fleming Fletcher Ford Foster Fox Frank Franklin Fraser Freeman Fuchs Fuller Garcia
Gardner Garrison George Gibson Gilbert Gomez Gonzalez Goodman Gordon Graham Grant Gray Green Greene Griffin
Gross Gruber Guerrero Hall Hamilton Hanks Hansen Hanson Hardy Harper Harris Harrison Hart Harvey Hayes
Henderson Henry Hernandez Hill Hoffman Holmes Holt Hopkins Horn Howard Hudson Hughes Hunt Hunter Imam
Ionescu Ivanov Jackson Jacobs James Jansen Jenkins Jensen Johansen Johansson Johnson Jones Jordan Kaufman
Keller Kelly Kennedy Khan Kim King Klein Knight Koch Kowalski Kramer Kruger Lang Larsen Larson Lawrence
Lawson Lee Lewis Levitt Lindberg Lindgren Little Lopez Lucas Lynch Mack Malone Marino Marshall Martin
Martinez Mason Matthews Mayer McCarthy McDonald McKenzie Medina Mendoza Meyer Miller Mills Mitchell Moore
Morales Moreno Morgan Morris Morrison Muller Murphy Murray Myers Nash Nelson Newman Newton Nguyen Nielsen
Nolan Norris Novak OBrien Oliver Olsen Olson Ortiz Owens Pacheco Palmer Parker Parsons Patel Pearson Perez
Perkins Perry Peters Petersen Peterson Petrov Phillips Pierce Pitt Porter Powell Price Quinn Ramirez Ramos
Ray Reed Reese Reeves Reid Reyes Reynolds Rice Richards Richardson Richter Riley Rivera Roberts Robinson
Rogers Romano Romero Ronan Rose Ross Rossi Rousseau Russell Russo Ryan Ryder Sanchez Sanders Santos Saunders
Schmidt Schneider Schulz Schwartz Scott Serrano Sharp Shaw Shepherd Sherman Silva Simmons Simon Simpson
Singh Smith Snyder Sorensen Spencer Stanley Stein Stephens Stevens Stewart Stone Sullivan Sutton Suzuki
Svensson Tanaka Taylor Thomas Thompson Thomson Torres Tucker Turner Vargas Vaughn Vega Wagner Walker Wallace
Walsh Walters Wang Ward Warren Washington Watanabe Watkins Watson Watts Weaver Webb Weber Weiss Welch Wells
West White Williams Williamson Willis Wilson Winter Wolf Wong Wood Woods Wright Wu Yamada Yang Young Zhang
Zimmerman Mikkelsson Johannson Tarantini Rohnan Kubrik Hankson Lawrance Streeper Scarlatti
"""
_LAST = _LAST_TEXT.split()
_SYLLABLE_TEXT = "la ren do mi ka so ve ri na tor bel gu fe li sha du mar ken ot ia"
_SYLLABLES = _SYLLABLE_TEXT.split()
_ENDS = (
    "",
    "",
    "",
    "",
    "son",
    "man",
    "ov",
    "ova",
    "s",
    "er",
    "i",
    "berg",
    "stein",
    "ton",
    "ez",
    "ic",
    "sen",
    "elli",
)
_MIDDLE = ("", "", "", "", "", " A.", " J.", " L.", " de", " van", " Lee", " Anne", " Maria")
_NOUNS_TEXT = """
night day king queen house river storm shadow road fire water moon sun star dream heart blood stone city
island garden train letter ghost winter summer secret promise game bridge mirror silence thief killer
stranger soldier doctor lawyer teacher sister brother mother father daughter son wife husband lover friend
enemy dragon wolf tiger lion eagle ring sword crown castle tower door window key box murder death life love
war peace honor justice truth lie time hour year seven ocean potter spider man rings lord thing heat boat
numbers monkeys face list wonderland weeks mountain road desert valley forest market school hospital prison
harbor station machine weapon shadow mask feather candle painter poet singer dancer sailor farmer hunter
miner widow orphan twin neighbor tenant guest pilot captain colonel baron duchess prince
"""
_NOUNS = _NOUNS_TEXT.split()
_ADJECTIVES_TEXT = """
dark last first lost hidden broken red black white golden silent cold burning long short old new young
little big wild beautiful dangerous perfect final fatal deadly secret strange lonely angry happy sad sweet
bitter empty endless magnificent
"""
_ADJECTIVES = _ADJECTIVES_TEXT.split()
_VERB_TEXT = "love kill find forget remember follow leave save stop watch catch bury marry steal"
_VERBS = _VERB_TEXT.split()
_VOTED = 50_000


class Case(NamedTuple):
    """A query, and what must be among its first hits.

    Attributes:
        kind: ``person`` or ``title``.
        category: what makes it difficult.
        query: what is typed.
        answers: the names or titles, one of which must be found.
    """

    kind: str
    category: str
    query: str
    answers: tuple[str, ...]


def cases(*files: str) -> list[Case]:
    """Return the queries of files in the folder of the tests' data."""
    found = []
    for name in files:
        with (QUERIES / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                found.append(
                    Case(row["kind"], row["category"], row["query"], tuple(row["answers"].split("|")))
                )
    return found


_ORIGINALS = {
    "La casa de papel": "La casa de papel",
    "Sen to Chihiro": "Sen to Chihiro no kamikakushi",
    "solyaris": "Солярис",
    "もののけ": "もののけ姫",
}
_YEARS = {"Alice in Wonderland 2010": 2010, "The Thing 1982": 1982, "Dune (2021)": 2021}


def known_people(some: Sequence[Case], form: int = 0) -> list[str]:
    """Return the names to be stored: of the forms that a case accepts, the one with this number."""
    return list(dict.fromkeys(_form(case, form) for case in some if case.kind == "person"))


def known_movies(some: Sequence[Case], form: int = 0) -> list[Movie]:
    """Return the movies to be stored, without credits."""
    found: dict[str, Movie] = {}
    for number, case in enumerate(one for one in some if one.kind == "title"):
        title = _form(case, form)
        original = _ORIGINALS.get(case.query, case.query if "foreign" in case.category else None)
        movie = found.setdefault(
            title,
            Movie(remote_id=f"known{number}", title=title, year=1960 + number % 60, original_title=original),
        )
        if case.query in _YEARS:
            found[title] = movie.model_copy(update={"year": _YEARS[case.query]})
    for decade in (1, 3, 5):
        for title, year in (("Alice in Wonderland", 1951), ("The Thing", 2011), ("Dune", 1984)):
            found[f"{title}/{decade}"] = Movie(
                remote_id=f"other{decade}{year}", title=title, year=year - decade
            )
    return list(found.values())


def _form(case: Case, form: int) -> str:
    return case.answers[min(form, len(case.answers) - 1)]


def other_name(number: int) -> str:
    """Return the name of another person by number; different numbers may have the same name.

    A third of the last names are common. The others are made of syllables, so that there are tens of
    thousands of them, as in real libraries.
    """
    random = Random(f"person/{number}")
    first = random.choice(_FIRST)
    if random.random() < 0.35:
        last = _LAST[int(len(_LAST) * random.random() ** 1.5)]
    else:
        start = random.choice(_LAST)[: random.randint(2, 5)]
        last = (
            start
            + "".join(random.choice(_SYLLABLES) for _ in range(random.randint(0, 2)))
            + random.choice(_ENDS)
        )
    return f"{first}{random.choice(_MIDDLE)} {last}"


def other_title(random: Random) -> str:
    """Return the title of another movie."""
    noun, other, adjective = random.choice(_NOUNS), random.choice(_NOUNS), random.choice(_ADJECTIVES)
    verb, name = random.choice(_VERBS), random.choice(_FIRST)
    pattern = random.choice((
        "The {a} {n}", "{n} of the {o}", "The {n} and the {o}", "{a} {n}", "How to {v} a {n}", "{f}'s {n}",
        "{v} the {n}", "The {n}: {a} {o}", "{f} and the {a} {n}", "My {a} {n} {k}", "{n} {k}", "{f} {l}",
        "The {a} {n} of {f} {l}",
    ))  # fmt: skip
    text = pattern.format(
        a=adjective,
        n=noun,
        o=other,
        v=verb,
        f=name,
        l=random.choice(_LAST),
        k=random.choice((2, 3, "II", "III")),
    )
    return " ".join(
        word if word in ("of", "the", "and", "to", "a") else word.capitalize() for word in text.split()
    )


def stream_movies(
    some: Sequence[Case], count: int, people: int, *, cast_size: int = 5, form: int = 0, seed: int = 5
) -> Iterator[Movie]:
    """Yield the known movies and *count* others, with the known people and *people* others.

    Args:
        some: the queries whose people and titles are stored.
        count: how many other movies there are.
        people: how many other people there are. Each is credited at least once if there are enough credits.
        cast_size: how many of the others each movie credits.
        form: which of the forms of a name or a title that a case accepts is stored.
        seed: the seed of the random numbers.
    """
    random = Random(seed)
    known = known_people(some, form)
    number = 0
    for position, movie in enumerate([*known_movies(some, form), *_others(random, count)]):
        cast = [f"x{n % people}" for n in range(number, number + cast_size)]
        number += cast_size
        if random.random() < 0.5:
            cast[-1] = f"x{int(people * random.random() ** 3)}"
        if known and count:
            cast += [
                f"k{n}"
                for n in random.sample(range(len(known)), min(2 if position % 8 == 0 else 0, len(known)))
            ]
        elif known:
            cast += [f"k{n}" for n in range(len(known))]
        if count <= 20 * len(known):
            cast += [f"k{position % len(known)}"]
        if movie.remote_id.startswith("known"):
            movie.ratings = [Rating(name="imdb", value=7.5, votes=_VOTED)]
        movie.credits = [
            Credit(
                person=Person(
                    remote_id=one, name=known[int(one[1:])] if one[0] == "k" else other_name(int(one[1:]))
                ),
                person_type="actor",
                sort_order=order,
            )
            for order, one in enumerate(dict.fromkeys(cast))
        ]
        yield movie


def _others(random: Random, count: int) -> Iterator[Movie]:
    for number in range(count):
        yield Movie(
            remote_id=f"m{number}", title=other_title(random), year=1920 + int(106 * random.random() ** 0.5)
        )
