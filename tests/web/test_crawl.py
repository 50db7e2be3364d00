"""Every link of every page leads somewhere, and every page is valid."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import httpx
from support.html_document import Document

MOST_PEOPLE = 15
"""So many of the people are looked at: those of whom pages link first."""


async def test_every_link_of_every_page_answers(client: httpx.AsyncClient) -> None:
    waiting, seen = ["/"], {"/"}
    problems: list[str] = []
    people: list[str] = []
    while waiting:
        path = waiting.pop(0)
        answer = await client.get(path)
        if answer.status_code != 200:
            problems.append(f"{path}: {answer.status_code}")
            continue
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        page = Document(answer.text)
        problems += [f"{path}: {problem}" for problem in page.problems]
        for link in page.links:
            target = urljoin(path, link)
            if urlsplit(target).netloc or target in seen:
                continue
            if target.startswith("/people/") and not target.startswith(tuple(people)):
                if len(people) == MOST_PEOPLE:
                    continue
                people.append(urlsplit(target).path)
            seen.add(target)
            waiting.append(target)
    assert problems == []
    assert {"/items", "/people", "/search", "/sign-in?next=/"} <= seen
    assert len([path for path in seen if path.startswith("/items/")]) >= 34
    assert len(people) == MOST_PEOPLE
