"""The checks of the doctor.

Each is a query of `repositories.doctor`, and the words that tell what it found. Where SQL cannot decide, a
pure rule of `suspicions` decides which rows of the query are cases.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from mediasync.errors import UsageError
from mediasync.findings import Severity
from mediasync.library.suspicions import (
    Facts,
    are_nearly_equal,
    are_spellings,
    are_unlike,
    are_unlike_titles,
    has_markup,
    have_nobody_in_common,
    is_list,
)
from mediasync.repositories import doctor as queries
from mediasync.repositories.doctor import Case


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the doctor looks for.

    Attributes:
        name: what ``--check`` and ``--skip`` call it.
        severity: how bad a case is.
        title: what was found, in one sentence.
        advice: what to do about it.
        query: the query that finds cases, as `repositories.doctor` describes it.
        facts: the names of the columns of the query after ``id``.
        text: a case in words; the facts stand in braces.
        judge: whether a row of the query is a case; None if every row is one, and the engine counts them.
    """

    name: str
    severity: Severity
    title: str
    advice: str
    query: str
    facts: tuple[str, ...]
    text: str
    judge: Callable[[Facts], bool] | None = None

    def facts_of(self, case: Case) -> dict[str, Any]:
        """Return the facts of a case by name."""
        return dict(zip(self.facts, case.facts, strict=True))

    def text_of(self, case: Case) -> str:
        """Return a case in words."""
        return self.text.format(id=case.id, **self.facts_of(case))


_RENAME: Final = (
    "Give the person one name at the source, and sync again. In Jellyfin, Emby and NFO files the name is who "
    "the person is."
)
_CORRECT_ITEM: Final = (
    "Correct the item at the source, in its NFO file or its metadata editor, and sync again."
)

CHECKS: Final = (
    Check(
        "unread",
        Severity.ERROR,
        "The last sync could not read or store these files or items, so the mirror may lack them.",
        "Correct the file, or look into the server's log, and sync again. mediasync runs lists all of them.",
        queries.UNREAD,
        ("reason", "run_id"),
        "{id}: {reason}",
    ),
    Check(
        "read-in-part",
        Severity.WARNING,
        "The last sync left something out of these items, or had to guess what it says.",
        _CORRECT_ITEM,
        queries.READ_IN_PART,
        ("reason", "run_id"),
        "{id}: {reason}",
    ),
    Check(
        "previews",
        Severity.WARNING,
        "Most casts of these libraries are known only in part.",
        "Sync the source again, and let the sync end: until then only the first credits are known.",
        queries.PREVIEWS,
        ("previews", "complete"),
        "{id}: {previews} credit lists in part, {complete} in full",
    ),
    Check(
        "no-credits",
        Severity.WARNING,
        "Nobody is credited for these movies and shows.",
        "Let the source look up their metadata again. If they are home videos, skip this check.",
        queries.NO_CREDITS,
        ("item", "library_id"),
        "{item}",
    ),
    Check(
        "no-cast",
        Severity.INFO,
        "These movies have a crew and no cast, unlike the others in their library.",
        "Let the source look up their metadata again. A film without actors may be right as it is.",
        queries.NO_CAST,
        ("item",),
        "{item}",
    ),
    Check(
        "no-crew",
        Severity.INFO,
        "These movies have a cast and no director or other crew, unlike the others in their library.",
        "Let the source look up their metadata again.",
        queries.NO_CREW,
        ("item",),
        "{item}",
    ),
    Check(
        "episodes-without-credits",
        Severity.INFO,
        "Nobody is credited for these episodes, unlike most episodes of their show.",
        "Let the source look up the metadata of these episodes again.",
        queries.EPISODES_WITHOUT_CREDITS,
        ("show_title", "item"),
        "{show_title}: {item}",
    ),
    Check(
        "cast-cap",
        Severity.WARNING,
        "The casts of these libraries end at one length, as if the source cut them.",
        "Raise the number of actors that the server or scraper stores, refresh the metadata, and sync again.",
        queries.CAST_CAP,
        ("media_type", "actors", "items", "of_all", "longer"),
        "{id} ({media_type}): {items} of {of_all} casts have exactly {actors} actors, and {longer} have more",
    ),
    Check(
        "no-show",
        Severity.WARNING,
        "These seasons and episodes stand below no show.",
        "Identify the show at the source. NFO files belong into the folder of a show with a tvshow.nfo.",
        queries.NO_SHOW,
        ("media_type", "item"),
        "{media_type} {item}",
    ),
    Check(
        "impossible-year",
        Severity.ERROR,
        "These items have a year before there were films, or one five or more years ahead.",
        _CORRECT_ITEM,
        queries.IMPOSSIBLE_YEARS,
        ("media_type", "title", "year"),
        "{media_type} {title}: {year}",
    ),
    Check(
        "duplicates",
        Severity.INFO,
        "The source has these movies and shows twice.",
        "If these are not versions that you want to keep apart, delete or merge one of them at the source.",
        queries.DUPLICATES,
        ("item", "other_id", "path", "other_path"),
        "{item}: also {other_id}",
    ),
    Check(
        "name-list",
        Severity.WARNING,
        "These names are lists of names, so nobody in them is found.",
        "Give each person an element or an entry of their own at the source, and sync again.",
        queries.LISTED_NAMES,
        ("name",),
        "{name}",
        is_list,
    ),
    Check(
        "name-markup",
        Severity.WARNING,
        "These names have markup or addresses in them.",
        _RENAME,
        queries.MARKED_NAMES,
        ("name",),
        "{name}",
        has_markup,
    ),
    Check(
        "name-placeholder",
        Severity.WARNING,
        "These names stand for nobody.",
        "Remove the credits at the source, and sync again.",
        queries.PLACEHOLDERS,
        ("name",),
        "{name}",
    ),
    Check(
        "spellings",
        Severity.WARNING,
        "One name is spelt in several ways, each with a part of the credits.",
        _RENAME,
        queries.SPELLINGS,
        ("name", "other_id", "other_name"),
        "{name}; {other_name} ({other_id})",
        are_spellings,
    ),
    Check(
        "similar-names",
        Severity.INFO,
        "People with nearly the same name play the same character of a show.",
        f"Probably one name is misspelt. {_RENAME}",
        queries.SAME_CHARACTER,
        ("name", "other_id", "other_name", "role", "item"),
        "{name}; {other_name} ({other_id}): both are {role} in {item}",
        are_nearly_equal,
    ),
    Check(
        "same-name",
        Severity.INFO,
        "One item credits two people of the same name, who may be one person.",
        "Merge them at the source, or give each a provider id. An older Plex has an id for each function.",
        queries.SAME_NAME,
        ("name", "other_id", "item"),
        "{name}: also {other_id}, both in {item}",
    ),
    Check(
        "shared-id",
        Severity.WARNING,
        "Two people of a source have the same id at a provider.",
        "If they are one person, merge them at the source. If not, correct the wrong id there.",
        queries.SAME_PROVIDER_ID,
        ("name", "other_id", "other_name", "provider_id"),
        "{name}; {other_name} ({other_id}): {provider_id}",
    ),
    Check(
        "id-of-two",
        Severity.INFO,
        "Two sources give one id at a provider to people with unlike names.",
        "Look the id up at the provider, and correct it at the source that has the wrong one.",
        queries.PROVIDER_ID_OF_TWO,
        ("name", "other_id", "other_name", "provider_id"),
        "{name}; {other_name} ({other_id}): {provider_id}",
        are_unlike,
    ),
    Check(
        "career",
        Severity.WARNING,
        "More than 90 years lie between the first and the last work of these people.",
        "Probably two people share one id, or a year is wrong: mediasync person ID shows both ends.",
        queries.CAREERS,
        ("name", "first_year", "last_year", "first_item", "last_item"),
        "{name}: {first_item} ({first_year}) to {last_item} ({last_year})",
    ),
    Check(
        "no-picture",
        Severity.INFO,
        "These people act in at least ten movies and shows and have no picture, unlike others of the source.",
        "Let the source look up the metadata of these people again.",
        queries.NO_PICTURE,
        ("name", "works"),
        "{name}: {works} movies and shows",
    ),
    Check(
        "years-differ",
        Severity.WARNING,
        "Two sources have these movies and shows with the same provider id and years far apart.",
        "One of them has a wrong year or is taken for another film: correct it at its source.",
        queries.YEARS_DIFFER,
        ("item", "year", "other_id", "other_year"),
        "{item}: {year}; {other_id}: {other_year}",
    ),
    Check(
        "titles-differ",
        Severity.INFO,
        "Two sources have these movies and shows with one provider id, unlike titles and nobody in common.",
        "One of them may be taken for another film: compare the files, and correct the id at its source.",
        queries.TITLES_DIFFER,
        ("name", "other_id", "other_name", "original_title", "other_original_title"),
        "{name}; {other_name} ({other_id})",
        are_unlike_titles,
    ),
    Check(
        "casts-differ",
        Severity.WARNING,
        "Two sources have these movies with the same provider id and no leading actor in common.",
        "One of them is taken for another film, or has a wrong id: correct it at its source.",
        queries.CASTS_DIFFER,
        ("item", "other_id", "names", "other_names"),
        "{item}: nobody in common with {other_id}",
        have_nobody_in_common,
    ),
    Check(
        "directors-differ",
        Severity.INFO,
        "Two sources have these movies with the same provider id and other directors.",
        "Look the film up at the provider, and correct the source that is wrong.",
        queries.DIRECTORS_DIFFER,
        ("item", "other_id", "names", "other_names"),
        "{item}: nobody in common with {other_id}",
        have_nobody_in_common,
    ),
)
"""The checks, in the order in which they run: of the reading, items, people, and what sources disagree on."""


def chosen_checks(checks: Collection[str] | None, skip: Collection[str]) -> list[Check]:
    """Return the checks that are asked for, in their order.

    Raises:
        UsageError: if there is no check of that name.
    """
    names = [check.name for check in CHECKS]
    for name in (*(checks or ()), *skip):
        if name not in names:
            raise UsageError(f"there is no check {name!r}; there are: {', '.join(names)}")
    return [check for check in CHECKS if (checks is None or check.name in checks) and check.name not in skip]
