"""What to do about failures: one short advice where the reason does not say it."""

from __future__ import annotations

import pytest

from mediasync.advice import advice_for


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("movies/Heat/movie.nfo: Permission denied", "let the user that runs mediasync read it"),
        (
            "the folder cannot be listed: Input/output error",
            "see whether its disk or share works, and sync again",
        ),
        ("a.nfo: No such file or directory", "it went while it was read: sync again"),
        ("the name is not valid text (UTF-8)", "rename it"),
        ("another folder's name differs only in its Unicode form", "rename one of the two"),
        ("a.nfo: it describes a show, which does not belong here", "move it to a folder of its kind"),
        (
            "Ran.nfo: nothing in it can be used: line 1: the file ends inside <movie>",
            "have your media manager write the file anew",
        ),
        ("Kodi has no such movie", "see whether the server still has it"),
        (
            "GET /x was answered with 500 Internal Server Error",
            "refresh it at the server, see the server's log, and sync again",
        ),
        (
            "the server lists this Movie without a name",
            "refresh it at the server, see the server's log, and sync again",
        ),
    ],
)
def test_a_reason_that_does_not_say_it(reason: str, advice: str) -> None:
    assert advice_for(reason) == advice


@pytest.mark.parametrize(
    "reason",
    [
        "GET /x was answered with 503 Service Unavailable: the server is still starting; try again later",
        "GET /x: no connection to host (refused): is it running, and is its address right?",
        "GET /x was answered with 401 Unauthorized: the token is wrong; give a valid one",
        "its parent 'home:1' is not stored; save that first, or in the same call",
        "title contains a NUL character, which no database stores",
    ],
)
def test_a_reason_that_says_it_or_of_which_nothing_is_known(reason: str) -> None:
    assert advice_for(reason) is None
