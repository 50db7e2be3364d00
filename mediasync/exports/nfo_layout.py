"""Where the NFO file of an item lies: by the path that the source has for it, or by its title. Pure.

Whatever a path or a title holds, the result is a list of plain names: no root, no drive, no ``..``.
"""

from __future__ import annotations

import hashlib
import os
import re
from enum import StrEnum
from typing import Final

from mediasync.backends.nfo.folders import naming
from mediasync.models import Episode, Library, MediaItem

MAX_NAME_BYTES: Final = 240
MAX_PATH_BYTES: Final = 1_500
"""Deeper paths are not followed: a file system takes 4,096 bytes, with the path of the target before them."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WINDOWS: Final = re.compile(r'[<>:"/\\|?*]')
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\..*)?", re.IGNORECASE
)
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_STACK: Final = "stack://"
_MAX_TITLE_BYTES: Final = 150
_HASH_BYTES: Final = 4


class NfoLayout(StrEnum):
    """How the folders of NFO files are laid out."""

    SOURCE = "source"
    FLAT = "flat"


def safe_name(name: str, *, portable: bool = os.name == "nt") -> str:
    """Return a name that a file or folder can have, and that a reader of NFO folders does not skip.

    Args:
        name: any text.
        portable: whether the name must also be one on Windows.

    Example:
        >>> safe_name("a/b"), safe_name(".."), safe_name(".hidden"), safe_name("CON.mkv", portable=True)
        ('a_b', '_', '_.hidden', '_CON.mkv')
    """
    name = _CONTROL.sub("_", name.encode("utf-8", "replace").decode()).replace("/", "_")
    if portable:
        name = _WINDOWS.sub("_", name).rstrip(" .")
        if _RESERVED.fullmatch(name):
            name = f"_{name}"
    if not name.strip(". "):
        return "_"
    if naming.is_hidden(name):
        name = f"_{name}"
    return _cut(name, MAX_NAME_BYTES)


def _cut(name: str, most: int) -> str:
    """Return a name of at most so many bytes; a long one ends with a hash of the whole."""
    data = name.encode()
    if len(data) <= most:
        return name
    return data[: most - 2 * _HASH_BYTES - 1].decode(errors="ignore").rstrip() + f"~{short_hash(name)}"


def short_hash(text: str) -> str:
    """Return eight letters that differ for different texts. Digits might be taken for an episode's number.

    Example:
        >>> short_hash("home:603")
        'mficmhbe'
    """
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=_HASH_BYTES).hexdigest()
    return "".join(chr(ord("a") + int(digit, 16)) for digit in digest)


def title_name(item: MediaItem) -> str:
    """Return the name of a folder for an item: its title and year.

    Example:
        >>> from mediasync.models import Movie
        >>> title_name(Movie(remote_id="1", title="Face/Off", year=1997))
        'Face_Off (1997)'
    """
    title = _cut(item.title.strip(), _MAX_TITLE_BYTES)
    name = safe_name(title if item.year is None else f"{title} ({item.year})", portable=True)
    return f"_{name}" if naming.disc_nfo(name) else name


def library_name(library: Library) -> str:
    """Return the name of a library's folder: its title, unless that names a library of another kind.

    Example:
        >>> library_name(Library(id="1", source_id="home", title="TV", kind="movies"))
        'TV (movies)'
    """
    name = safe_name(library.title.strip() or library.id, portable=True)
    named = naming.LIBRARY_NAMES.get(name.casefold())
    return f"{name} ({library.kind})" if named and named != library.kind else name


def episode_name(episode: Episode) -> str:
    """Return the name of an episode's file by its numbers.

    Example:
        >>> episode_name(Episode(remote_id="1", title="", season_number=1, episode_number=2))
        'S01E02'
    """
    season, number, last = episode.season_number, episode.episode_number, episode.episode_number_end
    if season is None or number is None or season < 0 or number < 0:
        return f"Unnumbered {short_hash(episode.id or episode.remote_id)}"
    end = f"-E{last:02}" if last is not None and last > number else ""
    return f"S{season:02}E{number:02}{end}"


def root_of(first: str, last: str) -> str:
    """Return the folder in which all paths of a library lie, with the separator after it.

    Args:
        first: the first of the paths, sorted as texts.
        last: the last of them.

    Example:
        >>> root_of("/tv/Dark (2017)", "/tv/Lost/Season 1/e.mkv"), root_of("C:\\\\tv\\\\A", "D:\\\\tv\\\\B")
        ('/tv/', '')
    """
    shared = os.path.commonprefix([first, last])  # noqa: RUF071 (it is cut at a separator)
    end = max(shared.rfind("/"), shared.rfind("\\") if _DRIVE.match(first) else -1)
    return shared[: end + 1]


def parts_of(path: str, root: str, *, portable: bool = os.name == "nt") -> list[str] | None:
    """Return the names of a path below a library's root; None if they are too many bytes to follow.

    Args:
        path: the path as the source has it: of POSIX, of Windows, relative, or a URL.
        root: what `root_of` returned.
        portable: as for `safe_name`.

    Example:
        >>> parts_of("/tv/Dark (2017)/Season 1/e.mkv", "/tv/")
        ['Dark (2017)', 'Season 1', 'e.mkv']
        >>> parts_of("D:\\\\Films\\\\..\\\\Heat.mkv", ""), parts_of("../../etc/passwd", "")
        (['D', 'Films', '_', 'Heat.mkv'], ['_', '_', 'etc', 'passwd'])
    """
    is_windows = _DRIVE.match(path) is not None
    if path.startswith(_STACK):
        path = path.removeprefix(_STACK).split(" , ")[0]
    below = path.removeprefix(root)
    split = re.split(r"[\\/]+" if is_windows else "/+", below)
    parts = [part for part in split if part not in ("", ".")]
    if parts and below == path:
        parts[0] = parts[0].removesuffix(":") or "_"
    safe = [safe_name(part, portable=portable) for part in parts]
    return safe if len("/".join(safe).encode()) <= MAX_PATH_BYTES else None


def film_file(parts: list[str]) -> list[str]:
    """Return where the NFO file of a film lies: beside its video, or in its folder.

    Example:
        >>> film_file(["Heat (1995)", "Heat.mkv"]), film_file(["Ran", "VIDEO_TS", "VIDEO_TS.IFO"])
        (['Heat (1995)', 'Heat.nfo'], ['Ran', 'movie.nfo'])
    """
    for place, part in enumerate(parts):
        if naming.disc_nfo(part):
            return [*parts[:place], "movie.nfo"]
    return beside(parts) or [*parts, "movie.nfo"]


def beside(parts: list[str]) -> list[str] | None:
    """Return the NFO file beside a video, None if a path is not that of a video or an NFO file.

    Example:
        >>> beside(["Dark", "Dark S01E01.mkv"]), beside(["Dark (2017)"])
        (['Dark', 'Dark S01E01.nfo'], None)
    """
    if not parts or not (naming.is_video(parts[-1]) or naming.is_nfo(parts[-1])):
        return None
    return [*parts[:-1], f"{naming.stem_of(parts[-1])}.nfo"]
