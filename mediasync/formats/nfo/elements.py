"""The names of the elements of NFO files, in lower case, by what they hold."""

from __future__ import annotations

from typing import Final

from mediasync.vocabulary import PersonType

ROOTS: Final = frozenset({"movie", "tvshow", "season", "episodedetails"})
FOREIGN_ROOTS: Final = frozenset({"album", "artist", "concert", "musicvideo", "set"})

PERSONS: Final[dict[str, PersonType]] = {
    **{member.value.replace("_", ""): member for member in PersonType if member is not PersonType.UNKNOWN},
    "guest_star": PersonType.GUEST_STAR,
    "guest": PersonType.GUEST_STAR,
    "actress": PersonType.ACTOR,
    "credits": PersonType.WRITER,
    "screenwriter": PersonType.WRITER,
    "star": PersonType.ACTOR,
}
"""The elements that hold a person or a list of names, and the function that each states."""

MEMBERS: Final = frozenset(
    {"member", "person", "credit", "castmember", "cast_member", "crewmember", "crew_member"}
)
"""The elements in a list of people whose function is stated by the list or by an element inside."""

PEOPLE_LISTS: Final[dict[str, PersonType | None]] = {
    **{f"{name}s": kind for name, kind in PERSONS.items() if not name.endswith("s")},
    "cast": PersonType.ACTOR,
    "actresses": PersonType.ACTOR,
    "starring": PersonType.ACTOR,
    "gueststars": PersonType.GUEST_STAR,
    "guestcast": PersonType.GUEST_STAR,
    "castmembers": PersonType.ACTOR,
    "crew": None,
    "crewmembers": None,
    "people": None,
    "persons": None,
}
"""The elements that wrap people, and the function of people in them who have none of their own."""

IDS: Final[dict[str, str]] = {
    f"{provider}{suffix}": provider
    for provider in (
        *("imdb", "tmdb", "tvdb", "tvmaze", "tvrage", "trakt", "wikidata", "zap2it", "anidb", "anilist"),
    )
    for suffix in ("", "id", "_id", "number", "code", "url")
}
"""The elements that hold a provider's id of an item or a person, and the provider."""

PERSON_FIELDS: Final = frozenset(
    {
        *("name", "role", "character", "order", "sortorder", "type", "job", "department"),
        *("thumb", "profile", "uniqueid", "id", *IDS),
    }
)
"""The elements inside the element of a person."""

TEXTS: Final = frozenset(
    {
        *("title", "localtitle", "originaltitle", "sorttitle", "showtitle", "plot", "outline", "review"),
        *("biography", "tagline", "year", "premiered", "releasedate", "aired", "firstaired", "runtime"),
        *("mpaa", "certification", "votes", "criticrating", "userrating", "top250"),
        *("season", "seasonnumber", "episode", "episodenumberend", "displayseason"),
        *("displayepisode", "status", "dateadded", "lastplayed", "playcount", "watched", "trailer"),
        *("language", "value", "overview"),
        *PERSON_FIELDS,
    }
)
"""The elements that hold nothing but text and perhaps HTML tags."""

OTHERS: Final = frozenset(
    {
        *("rating", "ratings", "fanart", "art", "fileinfo", "set", "resume", "episodeguide"),
        *("namedseason", "namedseasons", "ids", "studio", "studios", "genre", "genres"),
        *("country", "countries"),
        *("tag", "tags", "collection", "network", "sets", "epbookmark"),
    }
)
"""The elements of an item that may hold elements other than people."""

WITHOUT_PEOPLE: Final = frozenset(
    {
        *("lockdata", "lockedfields", "source", "edition", "code", "original_filename", "user_note"),
        *("enddate", "aspectratio", "customrating", "subtitle", "subtitles", "languages", "label", "url"),
        *("showlink", "subtitle_lang", "audio", "video", "theme", "collectionnumber", "displayorder"),
        *("airtime", "air_time", "airs_time", "airs_dayofweek", "absolute_number", "duration", "generator"),
        *("website", "homepage", "keyword", "keywords", "awards", "budget", "revenue", "size", "width"),
        *("height", "container", "codec"),
    }
)
"""Other elements that programs write into an item and that never hold people."""

OF_ITEMS: Final = frozenset({*TEXTS, *OTHERS, *PERSONS, *PEOPLE_LISTS}) - {
    *PERSON_FIELDS,
    *("value", "overview", "language"),
}
"""The elements that lie directly in the element of an item; people may also lie in lists of people."""

HTML: Final = frozenset(
    {
        *("a", "abbr", "b", "big", "blockquote", "br", "center", "cite", "code", "del", "div", "em", "font"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "mark", "ol", "p", "pre", "q"),
        *("s", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "th", "tr", "tt"),
        *("u", "ul"),
    }
)
"""The HTML elements that a text may hold."""

HTML_BREAKS: Final = frozenset({"br", "p", "div", "li", "hr", "tr", "blockquote"})
"""The HTML elements that begin or end a line."""
