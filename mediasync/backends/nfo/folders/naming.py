"""The meaning of the names of files and folders. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mediasync.vocabulary import MediaType

VIDEO_SUFFIXES: Final = frozenset(
    {
        *(
            ".3gp",
            ".asf",
            ".avi",
            ".divx",
            ".dvr-ms",
            ".f4v",
            ".flv",
            ".img",
            ".iso",
            ".m2ts",
            ".m4v",
            ".mk3d",
        ),
        *(".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogm", ".ogv", ".rm", ".rmvb", ".strm", ".ts"),
        *(".vob", ".webm", ".wmv", ".wtv"),
    }
)
_PICTURE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".tbn")
_PICTURE_NAMES: Final = {
    "poster": "poster",
    "folder": "poster",
    "cover": "poster",
    "fanart": "fanart",
    "backdrop": "fanart",
    "background": "fanart",
    "banner": "banner",
    "clearlogo": "clearlogo",
    "logo": "clearlogo",
    "clearart": "clearart",
    "landscape": "landscape",
    "thumb": "thumb",
    "discart": "discart",
    "disc": "discart",
    "keyart": "keyart",
}
_SKIPPED_FOLDERS: Final = frozenset(
    {
        "@eadir",
        "#recycle",
        "$recycle.bin",
        "lost+found",
        "system volume information",
        "extrafanart",
        "extrathumbs",
    }
)
_EXTRAS_FOLDERS: Final = frozenset(
    {
        *("behind the scenes", "deleted scenes", "extra", "extras", "featurette", "featurettes"),
        *("interview", "interviews", "sample", "samples", "trailer", "trailers", "subs", "subtitles"),
        *("clips", "other", "scenes", "shorts", "backdrops", "theme-music", "bonus", "artwork", "metadata"),
        "nfo",
    }
)
_EXTRA: Final = re.compile(
    r"(?:^|[-._ ])(?:movie-trailer|trailer|sample)\d*$"
    r"|-(?:behindthescenes|deleted|deletedscene|featurette|interview|clip|extra|other|scene|short)\d*$",
    re.IGNORECASE,
)
_PART_FOLDER: Final = re.compile(r"(?:cd|dvd|dis[ck]|part|pt)[ ._-]*\d{1,2}", re.IGNORECASE)
_DISC_FOLDERS: Final = {"video_ts": "video_ts.nfo", "bdmv": "index.nfo"}
LIBRARY_NAMES: Final = {
    **dict.fromkeys(
        ("movies", "movie", "films", "film", "filme", "peliculas", "películas", "cinema"), "movies"
    ),
    **dict.fromkeys(
        (
            "tv",
            "shows",
            "tvshows",
            "tv shows",
            "tv-shows",
            "tv_shows",
            "series",
            "tv series",
            "serien",
            "serie",
            "anime",
        ),
        "shows",
    ),
}

_LABEL: Final = (
    r"(?:\d{3,4}[pi]|[248]k|u?hd|fhd|sd|hdr(?:10)?\+?|dv|dolby vision|3d|remux|blu-?ray|b[dr]rip|dvdrip|"
    r"web-?dl|webrip|hevc|x26[45]|h\.?26[45]|av1|10bit|(?:extended|uncut|unrated|theatrical|director'?s|directors|final|"
    r"ultimate|special|imax|remastered)(?: (?:cut|edition|version))?|open matte)"
)
_VERSION: Final = re.compile(
    rf"(?P<base>.+?)(?: +- *{_LABEL}(?:[ ._]{_LABEL})*| *\[{_LABEL}(?:[ ._]{_LABEL})*\])", re.IGNORECASE
)
_PIECE: Final = re.compile(r"(?P<base>.+?)[ _.-]+(?:cd|dvd|dis[ck])[ _.-]*(?:\d{1,2}|[a-d])", re.IGNORECASE)
_PART: Final = re.compile(r"(?P<base>.+?)[ _.-]+(?:part|pt)[ _.-]*(?P<part>\d{1,2}|[a-d])", re.IGNORECASE)

_BEFORE_LABEL: Final = re.compile(r" - |[ ._]*[\[({]|[._](?=\S)")
_SEASON_PICTURE: Final = re.compile(r"season(?:(\d{1,4})|-specials)-([a-z]+)", re.IGNORECASE)
_YEAR_IN_BRACKETS: Final = re.compile(
    r"^(.+?)[ ._]*[(\[]((?:18|19|20|21)\d\d)[)\]](?!.*[(\[](?:18|19|20|21)\d\d[)\]])"
)
_YEAR_BETWEEN_DOTS: Final = re.compile(r"^(.+?)[._]((?:19|20)\d\d)(?:[._].*)?$")


_cached = lru_cache(maxsize=256)
"""For functions that are called again and again with the names in one folder."""


@_cached
def nfc(text: str) -> str:
    """Return *text* in Unicode normal form C. File systems differ in the form; keys must not."""
    return unicodedata.normalize("NFC", text)


def sort_key(name: str) -> tuple[str, str]:
    """Return a key that sorts names as people do, and in the same way on every machine."""
    return nfc(name).casefold(), name


@_cached
def stem_of(name: str) -> str:
    """Return the name of a file without its suffix.

    Example:
        >>> stem_of("Adaptation. (2002).mkv")
        'Adaptation. (2002)'
    """
    return name[: -len(suffix_of(name))] if suffix_of(name) else name


@_cached
def suffix_of(name: str) -> str:
    """Return the suffix of a file with its dot, in lower case."""
    _, dot, suffix = name.rpartition(".")
    return (dot + suffix).lower() if dot else ""


def is_nfo(name: str) -> bool:
    """Whether a name is that of an NFO file."""
    return suffix_of(name) == ".nfo" and name.lower() != ".nfo"


def is_video(name: str) -> bool:
    """Whether a name is that of a video."""
    return suffix_of(name) in VIDEO_SUFFIXES


def is_picture(name: str) -> bool:
    """Whether a name is that of a picture."""
    return suffix_of(name) in _PICTURE_SUFFIXES


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden or belongs to a system. A title may begin with an ellipsis.

    Example:
        >>> is_hidden("._movie.nfo"), is_hidden("...And Justice for All (1979)")
        (True, False)
    """
    return (name.startswith(".") and not name.startswith("..")) or name.lower() in _SKIPPED_FOLDERS


def is_extras_folder(name: str) -> bool:
    """Whether a folder in a film's or show's folder is named like extras; elsewhere this may be a title."""
    return name.casefold() in _EXTRAS_FOLDERS


def is_part_folder(name: str) -> bool:
    """Whether a folder inside a film's folder holds a part of the film.

    Example:
        >>> is_part_folder("CD1"), is_part_folder("Heat (1995)")
        (True, False)
    """
    return _PART_FOLDER.fullmatch(name) is not None


def disc_nfo(folder_name: str) -> str | None:
    """Return the name of the NFO file for the disc in a folder, None if the folder does not hold a disc.

    Example:
        >>> disc_nfo("VIDEO_TS"), disc_nfo("Heat (1995)")
        ('video_ts.nfo', None)
    """
    return _DISC_FOLDERS.get(folder_name.casefold())


@_cached
def extra_of(stem: str) -> str | None:
    """Return the name of the item that a file with this name is an extra of, None if it is not an extra.

    A title may look like that, too. The file is an extra only if there is something with the returned name.

    Example:
        >>> [extra_of(stem) for stem in ("Heat-trailer", "sample", "Heat", "Dark S01E03 - The Trailer")]
        ['Heat', '', None, 'Dark S01E03 - The']
    """
    match = _EXTRA.search(stem)
    return stem[: match.start()].rstrip(" ._-") if match else None


@dataclass(slots=True)
class Group:
    """The files of one film or episode, with its versions and parts.

    Attributes:
        base: the name that they have in common.
        nfos: the names of the NFO files, the preferred ones first.
        videos: the names of the videos; those that have an NFO file's name come first.
    """

    base: str
    nfos: list[str]
    videos: list[str]


def group_files(nfos: Iterable[str], videos: Iterable[str]) -> list[Group]:
    """Group the versions and parts of each film or episode.

    ``part 1`` and ``part 2`` with an NFO file each are two films (one title in two parts). With a single NFO
    file they are one film in two files, unless it is the file of ``part 2``, which describes only that part.

    Example:
        >>> groups = group_files(["Heat - 1080p.nfo"], ["Heat - 1080p.mkv", "Heat - 4K.mkv", "Ran.mkv"])
        >>> [(group.base, len(group.nfos), len(group.videos)) for group in groups]
        [('Heat', 1, 2), ('Ran', 0, 1)]
    """
    all_names = [*nfos, *videos]
    if len({stem_of(name) for name in all_names}) == 1:  # the usual case in a film's folder
        is_later = is_nfo(all_names[0]) and _is_later_part(all_names[0])
        return [_group(all_names, parts=not is_later)]
    wide: dict[str, list[str]] = {}
    for name in sorted(all_names, key=sort_key):
        wide.setdefault(_folded(base_of(stem_of(name), parts=True)), []).append(name)
    groups: list[Group] = []
    for names in wide.values():
        narrow: dict[str, list[str]] = {}
        for name in names:
            narrow.setdefault(_folded(base_of(stem_of(name), parts=False)), []).append(name)
        described = [part for part in narrow.values() if any(is_nfo(name) for name in part)]
        if len(described) > 1 or (described and _is_later_part(described[0][0])):
            groups += [_group(part, parts=False) for part in narrow.values()]
        else:
            groups.append(_group(names, parts=True))
    return sorted(groups, key=lambda group: sort_key(group.base))


def _group(names: list[str], *, parts: bool) -> Group:
    nfos = [name for name in names if is_nfo(name)]
    base = base_of(stem_of((nfos or names)[0]), parts=parts)
    nfos.sort(key=lambda name: (_folded(stem_of(name)) != _folded(base), sort_key(name)))
    videos = [name for name in names if not is_nfo(name)]
    stems = [stem_of(name) for name in nfos]
    videos.sort(
        key=lambda name: (stem_of(name) not in stems, _folded(stem_of(name)) != _folded(base), sort_key(name))
    )
    return Group(base, nfos, videos)


def _is_later_part(name: str) -> bool:
    match = _PART.fullmatch(base_of(stem_of(name), parts=False))
    return match is not None and match["part"].lstrip("0").casefold() not in {"1", "a"}


@_cached
def base_of(stem: str, *, parts: bool) -> str:
    """Remove marks of a version, a disc and (with *parts*) a part from the end of a name.

    Example:
        >>> [base_of(name, parts=False) for name in ("Heat (1995) - 4K", "Heat - cd2", "Dune - Part 2")]
        ['Heat (1995)', 'Heat', 'Dune - Part 2']
    """
    patterns = (_VERSION, _PIECE, _PART) if parts else (_VERSION, _PIECE)
    while match := next((found for pattern in patterns if (found := pattern.fullmatch(stem))), None):
        stem = match["base"]
    return stem


def _folded(text: str) -> str:
    return nfc(text).casefold()


def names_folder(base: str, folder_name: str) -> bool:
    """Whether a folder is named after the film *base*.

    Example:
        >>> names_folder("heat.1995", "Heat (1995)"), names_folder("Ran", "Heat (1995)")
        (True, False)
    """
    own = letters(base)
    return bool(own) and own in {letters(folder_name), letters(title_and_year(folder_name)[0])}


def labels_folder(base: str, folder_name: str) -> bool:
    """Whether *base* is the folder's name, perhaps with the label of a version (``Heat (1995) - My Cut``)."""
    return names_folder(base, folder_name) or any(
        names_folder(base[: match.start()], folder_name) for match in _BEFORE_LABEL.finditer(base)
    )


def family(base: str) -> str:
    """Return the common part of the names of a film's versions; if it differs, the films do.

    Example:
        >>> family("Heat (1995) - My Own Cut") == family("heat (1995) {edition-Long}")
        True
        >>> family("some-movie.EXTENDED") == family("some-movie.THEATRICAL")
        True
    """
    base = base_of(base, parts=True)
    title, year = title_and_year(base)
    if year is None and (match := _BEFORE_LABEL.search(base, 1)):
        title = base[: match.start()]
    return f"{letters(title)} {year or ''}"


@_cached
def letters(text: str) -> str:
    """Return the letters and digits of a name.

    Example:
        >>> letters("Heat (1995)") == letters("heat.1995")
        True
    """
    return re.sub(r"[\W_]+", "", _folded(text))


@_cached
def title_and_year(name: str) -> tuple[str, int | None]:
    """Return the title and the year in the name of a file or folder.

    Example:
        >>> title_and_year("Blade Runner 2049 (2017)"), title_and_year("The.Thing.1982.1080p")
        (('Blade Runner 2049', 2017), ('The Thing', 1982))
    """
    name = nfc(name)
    if match := _YEAR_IN_BRACKETS.match(name):
        return match[1].strip(), int(match[2])
    if " " not in name and (match := _YEAR_BETWEEN_DOTS.match(name)):
        return re.sub(r"[._]+", " ", match[1]).strip(), int(match[2])
    return name.strip(), None


def index_pictures(files: Iterable[str]) -> dict[str, str]:
    """Return the pictures in a folder by their names without suffix, for `find_pictures`.

    Example:
        >>> index_pictures(["Poster.jpg", "Heat.mkv"])
        {'poster': 'Poster.jpg'}
    """
    index: dict[str, str] = {}
    for name in sorted(filter(is_picture, files), key=sort_key):
        index.setdefault(_folded(stem_of(name)), name)
    return index


def find_pictures(
    pictures: Mapping[str, str], stems: Iterable[str], kind: MediaType, *, bare: bool
) -> dict[str, str]:
    """Find the artwork of an item among the pictures beside it; pictures with its own name are preferred.

    Args:
        pictures: the pictures in its folder; see `index_pictures`.
        stems: the names that a picture of it may begin with (``Heat-poster.jpg``).
        kind: what the item is. A picture with just its name is an episode's thumb, and otherwise a poster.
        bare: whether the folder is the item's own, so that ``poster.jpg`` is its poster.

    Example:
        >>> pictures = index_pictures(["poster.jpg", "Heat-fanart.png"])
        >>> find_pictures(pictures, ["Heat"], MediaType.MOVIE, bare=True)
        {'fanart': 'Heat-fanart.png', 'poster': 'poster.jpg'}
    """
    found: dict[str, str] = {}
    if not pictures:
        return found
    for stem in map(_folded, stems):
        for label, picture in _PICTURE_NAMES.items():
            if name := pictures.get(f"{stem}-{label}"):
                found.setdefault(picture, name)
        if name := pictures.get(stem):
            found.setdefault("thumb" if kind is MediaType.EPISODE else "poster", name)
    for label, picture in _PICTURE_NAMES.items() if bare else ():
        if name := pictures.get(label):
            found.setdefault(picture, name)
    return dict(sorted(found.items()))


def find_season_pictures(pictures: Mapping[str, str]) -> dict[int, dict[str, str]]:
    """Find the artwork of seasons in their show's folder: names by kind by season number.

    Example:
        >>> find_season_pictures(index_pictures(["season01-poster.jpg", "season-specials-banner.png"]))
        {0: {'banner': 'season-specials-banner.png'}, 1: {'poster': 'season01-poster.jpg'}}
    """
    found: dict[int, dict[str, str]] = {}
    for stem, name in pictures.items():
        match = _SEASON_PICTURE.fullmatch(stem)
        if match and (kind := _PICTURE_NAMES.get(match[2])):
            found.setdefault(int(match[1] or 0), {}).setdefault(kind, name)
    return dict(sorted(found.items()))


def actor_key(name: str) -> str:
    """Return the common form of a person's name and the name of the picture in ``.actors``.

    Example:
        >>> actor_key("Marlon_Brando") == actor_key("Marlon Brando")
        True
    """
    return re.sub(r"[\W_]+", " ", _folded(name)).strip()
