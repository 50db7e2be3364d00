"""The app as a whole: what every answer has in common."""

from __future__ import annotations

import httpx


async def test_each_page_is_there_as_html_and_as_json(client: httpx.AsyncClient) -> None:
    page, document = await client.get("/"), await client.get("/index.json")
    assert page.headers["content-type"].startswith("text/html")
    assert "<h1>" in page.text
    assert document.json()["sources"][0]["id"] == "examples"


async def test_an_answer_that_the_client_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/")
    again = await client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_page_runs_no_script_but_ours(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy


async def test_an_unknown_page_is_a_problem_for_programs(client: httpx.AsyncClient) -> None:
    for path, status in [("/nowhere.json", 404), ("/hooks/home", 405)]:
        problem = await client.get(path)
        assert problem.headers["content-type"] == "application/problem+json"
        assert problem.json()["status"] == status
