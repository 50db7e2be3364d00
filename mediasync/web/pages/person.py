"""The page of a person: what they did, by decade, with whom, and where else they are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mediasync.errors import UsageError
from mediasync.vocabulary import PersonType
from mediasync.web.forms import number_of
from mediasync.web.links import person_path
from mediasync.web.pages.names import find_names
from mediasync.web.queries import address, text_of
from mediasync.web.rendering import Answer, wants_json
from mediasync.web.routing import page
from mediasync.web.site import Site
from mediasync.works import Filmography, FilmographyTitle

TITLES: Final = 120
"""How many titles of a filmography one page shows."""

_COSTARS: Final = 12


async def show(request: Request, site: Site) -> Answer | Response:
    """Return the page of a person. An alias leads to it."""
    asked: str = request.path_params["person_id"]
    person = await site.ms.people.find_by_id(asked)
    if person is None or person.id is None:
        raise HTTPException(404, f"There is no person with the id {asked!r}.")
    if person.id != asked:
        suffix = ".json" if wants_json(request) else ""
        target = person_path(person.id)
        root = request.scope.get("root_path", "")
        return RedirectResponse(
            f"{root}{target.removesuffix('?format=html') + suffix if suffix else target}", 308
        )
    library = site.ms.library
    filmography = await library.filmography(person.id)
    function, decade = text_of(request, "function"), number_of(request.query_params, "decade")
    if decade is not None and decade % 10:
        raise UsageError(f"decade: {decade} is not the first year of a decade, such as 1990")
    function = None if function is None else str(PersonType.parse(function))
    start = number_of(request.query_params, "from") or 0
    everything = [*filmography.works, *filmography.as_self, *filmography.talk_shows]
    functions = Counter(
        kind
        for title in everything
        for kind in dict.fromkeys(str(one.person_type) for one in title.functions)
    )
    of_function = _filtered(filmography, function, None)
    decades = Counter(
        decade_of(title) for title in [*of_function.works, *of_function.as_self, *of_function.talk_shows]
    )
    shown = _filtered(of_function, None, decade)
    works = shown.works[::-1]
    costars = await site.memory.recall(
        ("costars", person.id), lambda: library.costars(person.id or "", limit=_COSTARS)
    )
    same = await library.find_same_people(person.id)
    aliases = await library.list_aliases(person.id)
    document = {
        "person": person.model_dump(mode="json"),
        "works": [one.model_dump(mode="json") for one in works],
        "as_self": [one.model_dump(mode="json") for one in shown.as_self[::-1]],
        "talk_shows": [one.model_dump(mode="json") for one in shown.talk_shows[::-1]],
        "costars": [one.model_dump(mode="json") for one in costars],
        "same": [one.model_dump(mode="json") for one in same],
        "aliases": aliases,
    }
    if wants_json(request):
        return Answer("person.html", {}, document)
    path = person_path(person.id)
    query = {"function": function, "decade": decade}
    page_of_works = works[start : start + TITLES]
    context: dict[str, Any] = {
        "person": person,
        "summary": filmography.person,
        "path": path,
        "query": query,
        "functions": functions.most_common(30),
        "decades": sorted((one, number) for one, number in decades.items() if one is not None)[::-1],
        "sections": [
            ("works", "Films and shows", _by_decade(page_of_works), len(works)),
            ("self", "As self", _by_decade(shown.as_self[::-1][:TITLES]), len(shown.as_self)),
            (
                "talk",
                "Talk shows, news and games",
                _by_decade(shown.talk_shows[::-1][:TITLES]),
                len(shown.talk_shows),
            ),
        ]
        if start == 0
        else [("works", "Films and shows", _by_decade(page_of_works), len(works))],
        "next": address(path, query, **{"from": start + TITLES}) if len(works) > start + TITLES else None,
        "start": start,
        "costars": costars,
        "same": same,
        "aliases": aliases,
        "names": await find_names(site),
        "titles": len(everything),
    }
    return Answer("person.html", context, document)


def decade_of(title: FilmographyTitle) -> int | None:
    """Return the first year of the decade in which somebody's work on a title ended; None if not known."""
    year = title.last_year or title.year
    return None if year is None else year // 10 * 10


def _by_decade(titles: Sequence[FilmographyTitle]) -> list[tuple[int | None, list[FilmographyTitle]]]:
    """Return titles by decade, the newest first; those without a year come last."""
    groups: dict[int | None, list[FilmographyTitle]] = {}
    for title in titles:
        groups.setdefault(decade_of(title), []).append(title)
    return sorted(groups.items(), key=lambda group: (group[0] is None, -(group[0] or 0)))


def _filtered(
    given: Filmography[FilmographyTitle], function: str | None, decade: int | None
) -> Filmography[FilmographyTitle]:
    def fitting(titles: Sequence[FilmographyTitle]) -> list[FilmographyTitle]:
        return [
            title
            for title in titles
            if (function is None or any(one.person_type == function for one in title.functions))
            and (decade is None or decade_of(title) == decade)
        ]

    return Filmography(given.person, fitting(given.works), fitting(given.as_self), fitting(given.talk_shows))


routes = page("/people/{person_id:id}", show)
