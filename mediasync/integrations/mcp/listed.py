"""What an assistant is told of each tool."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediasync.integrations.mcp import answers, questions
from mediasync.integrations.mcp.tools import Tools

if TYPE_CHECKING:
    from mediasync.app import MediaSync


@dataclass(frozen=True, slots=True)
class Tool:
    """What an assistant is told of a tool.

    Attributes:
        name: its name.
        title: its name for people.
        description: what it is for, for an assistant.
        question: its arguments.
        answer: what it answers.
        run: answers the question.
    """

    name: str
    title: str
    description: str
    question: type[questions.Question]
    answer: type[answers.Answer]
    run: Callable[[Any], Awaitable[Any]]


def list_tools(ms: MediaSync) -> list[Tool]:
    """Return the tools of a mirror, in the order in which they are listed."""
    tools = Tools(ms)
    return [
        Tool(
            "search",
            "Search titles and people",
            "Find movies, shows, seasons, episodes and people in the user's library by a few words, also "
            "misspelt ones. Use it to look up an id. To combine people, use find_titles.",
            questions.Search,
            answers.SearchAnswer,
            tools.search,
        ),
        Tool(
            "get_item",
            "Show a title",
            "Describe one movie, show, season or episode of the user's library: plot, year, ratings, genres, "
            "cast with roles, crew. The cast of a show is that of all its episodes.",
            questions.GetItem,
            answers.ItemAnswer,
            tools.get_item,
        ),
        Tool(
            "get_cast",
            "List the cast and crew of a title",
            "List all credits of one title page by page, in billing order, or only those of a function. Use "
            "it when get_item left some out.",
            questions.GetCast,
            answers.CastAnswer,
            tools.get_cast,
        ),
        Tool(
            "get_children",
            "List seasons or episodes",
            "List the seasons of a show, or the episodes of a season.",
            questions.GetChildren,
            answers.ChildrenAnswer,
            tools.get_children,
        ),
        Tool(
            "get_person",
            "Show a person",
            "Describe one person: in how many titles of the user's library they are credited, in which "
            "functions and years, and their ids at public providers.",
            questions.GetPerson,
            answers.PersonAnswer,
            tools.get_person,
        ),
        Tool(
            "get_filmography",
            "List what a person did",
            "List the movies and shows of the user's library that credit one person, the oldest first, with "
            "functions and roles. A show stands once, with the number of episodes.",
            questions.GetFilmography,
            answers.FilmographyAnswer,
            tools.get_filmography,
        ),
        Tool(
            "find_titles",
            "Find titles by who is in them",
            "Answer 'what do I own with these two?': list the movies and shows that credit all of some "
            "people and none of others, by function, year, genre and type. Names may be given as they are.",
            questions.FindTitles,
            answers.FindAnswer,
            tools.find_titles,
        ),
        Tool(
            "get_costars",
            "List with whom a person worked",
            "List with whom a person worked most often in the user's library: in how many titles, and which.",
            questions.GetCostars,
            answers.CostarsAnswer,
            tools.get_costars,
        ),
        Tool(
            "top_people",
            "List who is credited most often",
            "List the people with most titles, or most episodes, in a function; of a decade or a genre.",
            questions.TopPeople,
            answers.TopAnswer,
            tools.top_people,
        ),
        Tool(
            "top_pairs",
            "List who worked together most often",
            "List the pairs of people who worked together most often, each in a function, such as director "
            "and composer; of a decade or a genre.",
            questions.TopPairs,
            answers.PairsAnswer,
            tools.top_pairs,
        ),
        Tool(
            "list_items",
            "List titles",
            "List titles of the user's library by type, library, year, genre and rating, sorted: the newest "
            "(sort added, descending), the best rated (sort rating, descending). With the total.",
            questions.ListItems,
            answers.ListAnswer,
            tools.list_items,
        ),
        Tool(
            "count_items",
            "Count titles",
            "Count titles of the user's library by type, year, decade, genre, library or source, with the "
            "same filters as list_items. Use it for 'how many' and for which genres there are.",
            questions.CountItems,
            answers.CountAnswer,
            tools.count_items,
        ),
        Tool(
            "list_changes",
            "List what changed",
            "List what was added, changed or removed in the mirror, in order: after a change number, since a "
            "time, or the newest changes. Go on with after = next_after.",
            questions.ListChanges,
            answers.ChangesAnswer,
            tools.list_changes,
        ),
        Tool(
            "list_removed",
            "List removed titles",
            "List titles that their source no longer has, the latest first. All other tools leave them out.",
            questions.ListRemoved,
            answers.RemovedAnswer,
            tools.list_removed,
        ),
        Tool(
            "get_status",
            "Show what is stored",
            "List the sources and libraries with their sizes, and when each source was last synced and how "
            "that ended. Use it to judge how fresh and complete answers are.",
            questions.GetStatus,
            answers.StatusAnswer,
            tools.get_status,
        ),
    ]
