"""Changes in a folder: which items they concern."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.folder_kind import (
    FolderKind,
    FolderKinds,
    is_part_of_film,
    may_be_own_folder,
)
from mediasync.backends.nfo.folders.listing import ACTORS_FOLDER, Folder, join, list_folder
from mediasync.backends.nfo.folders.os_errors import reason
from mediasync.backends.nfo.reading import look
from mediasync.backends.nfo.tokens import StoredTokens
from mediasync.errors import ConfigurationError, SourceUnreachable
from mediasync.hints import Hint, HintKind
from mediasync.settings.distribution import install_command

if TYPE_CHECKING:
    from watchfiles import Change

_MODIFIED: Final = 2
_DELETED: Final = 3
"""The numbers of ``watchfiles.Change``."""
_OTHER_FILE: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,3}$")
"""What the names of other files end with: ``.srt``, ``.txt``."""
_STEP_MS: Final = 50
_DEBOUNCE_MS: Final = 200
"""How long changes are collected, in milliseconds: a program that writes a file causes several."""
_SECONDS_BETWEEN_CHECKS: Final = 5
"""How often it is checked that the folder is still there: its own end is not reported on every system."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A change of a file or folder.

    Attributes:
        path: where it is, relative to the root.
        is_gone: whether it was deleted.
    """

    path: str
    is_gone: bool


async def watch_folder(
    root: str, source_id: str, poll_seconds: float | None, on_start: Callable[[], None] | None = None
) -> AsyncGenerator[list[FileChange], None]:
    """Iterate over the changes in and below a folder, as they come.

    Args:
        root: the real path of the folder.
        source_id: the source, for messages.
        poll_seconds: how often all files are looked at; None to have the system report changes.
        on_start: called when the folder is watched.

    Raises:
        SourceUnreachable: if the folder disappears, or cannot be watched.
        ConfigurationError: if the package ``watchfiles`` is not installed.
    """
    try:
        from watchfiles import awatch
    except ImportError as error:
        raise ConfigurationError(
            f"source {source_id!r}: listening to a folder needs the package 'watchfiles': "
            f"{install_command('live')}",
            source_id=source_id,
        ) from error
    changes = awatch(
        root,
        watch_filter=_is_of_interest,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        rust_timeout=_SECONDS_BETWEEN_CHECKS * 1000,
        yield_on_timeout=True,
        force_polling=poll_seconds is not None,
        poll_delay_ms=round((poll_seconds or 1) * 1000),
        ignore_permission_denied=True,
    )
    identity = _identity(root, source_id)
    # The first step of the iteration begins to watch, and then waits in a thread.
    began = asyncio.get_running_loop().call_soon(on_start) if on_start is not None else None
    try:
        async with aclosing(changes) as batches:
            async for batch in batches:
                if _identity(root, source_id) != identity:
                    raise SourceUnreachable(source_id, f"its folder {root!r} was replaced by another one")
                found = [
                    FileChange(os.path.relpath(path, root).replace(os.sep, "/"), change == _DELETED)
                    for change, path in sorted(batch)
                    if path != root
                ]
                if found:
                    yield found
    except OSError as error:
        raise SourceUnreachable(source_id, f"its folder {root!r} cannot be watched: {error}") from error
    finally:
        if began is not None:
            began.cancel()


def _identity(root: str, source_id: str) -> tuple[int, int]:
    """Return what tells the folder from another one of the same name."""
    try:
        state = os.stat(root)
    except OSError as error:
        raise SourceUnreachable(source_id, f"its folder {root!r} is gone: {reason(error)}") from error
    return state.st_dev, state.st_ino


def _is_of_interest(change: Change, path: str) -> bool:
    """Return whether a change may concern an item: of an NFO file, a video, a picture, a whole folder."""
    name = os.path.basename(path)
    if naming.is_hidden(name) and name != ACTORS_FOLDER:
        return False
    if naming.is_nfo(name) or naming.is_video(name) or naming.is_picture(name):
        return True
    if os.path.isdir(path):
        return change != _MODIFIED  # what changed in it is reported as well
    return change == _DELETED and not _OTHER_FILE.search(name)  # it may have been a folder


def find_hints(root: str, changes: Iterable[FileChange]) -> list[Hint]:
    """Return hints about the items that changes concern.

    Args:
        root: the real path of the root.
        changes: what changed in or below it.
    """
    looking = partial(look, root, stored=StoredTokens({}))
    kinds = FolderKinds(root, StoredTokens({}), looking, looking)
    keys: dict[HintKind, dict[str, None]] = {HintKind.CHANGED: {}, HintKind.REMOVED: {}}
    for change in changes:
        found = _find_keys(root, change, kinds)
        if found is None:
            return [Hint(HintKind.SOURCE)]
        keys[HintKind.REMOVED if change.is_gone else HintKind.CHANGED].update(dict.fromkeys(found))
    return [Hint(kind, remote_ids=tuple(named)) for kind, named in keys.items() if named]


def _find_keys(root: str, change: FileChange, kinds: FolderKinds) -> list[str] | None:
    """Return the keys of the items that a change concerns; None if that is not certain."""
    *above, last = change.path.split("/")
    path = ""
    for name in [*above, None]:
        try:
            folder = list_folder(root, path)
        except OSError:
            # The folder is gone with all that was in it: it was an item's, or another event names the items.
            return [naming.nfc(path)]
        match kinds.of(folder):
            case FolderKind.SHOW:
                is_own = name is None and last.lower() == "tvshow.nfo"
                return [folder.key] if is_own or not change.is_gone else None
            case FolderKind.FILM if name is None or is_part_of_film(name) or name == ACTORS_FOLDER:
                return [folder.key]
            case FolderKind.MANY if name is None:
                return _find_among_many(root, folder, last, kinds, is_gone=change.is_gone)
        if name is None or os.path.islink(os.path.join(root, path, name)):
            return []  # links are not followed
        path = join(path, name)
    return None


def _find_among_many(
    root: str, folder: Folder, name: str, kinds: FolderKinds, *, is_gone: bool
) -> list[str] | None:
    """Return the keys of the items that a change directly in a folder of many concerns, as `_find_keys`."""
    if not (naming.is_nfo(name) or naming.is_video(name) or naming.is_picture(name)):
        if is_gone:
            return [folder.key_of(name)]
        return [folder.key_of(name)] if _is_items_own(root, folder.path_of(name), kinds) else None
    if is_gone:
        # The file was one of this name, or made the folder that of a film.
        return [folder.key_of(naming.stem_of(name)), folder.key]
    if may_be_own_folder(folder):
        return None
    stem = naming.stem_of(name)
    for group in folder.groups:
        members = {naming.stem_of(one) for one in (*group.nfos, *group.videos)}
        if group.nfos and (stem in members or any(stem.startswith(f"{member}-") for member in members)):
            return [folder.key_of(group.base)]
    return [] if naming.is_video(name) else None  # a video without an NFO file is not an item


def _is_items_own(root: str, path: str, kinds: FolderKinds) -> bool:
    """Return whether a folder is a film's or a show's own."""
    try:
        return kinds.of(list_folder(root, path)) is not FolderKind.MANY
    except OSError:
        return False
