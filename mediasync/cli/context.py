"""The context of a command: its output, the environment, the configuration and the database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mediasync.cli.errors import NotFound
from mediasync.cli.logs import set_level
from mediasync.cli.output import Output
from mediasync.errors import ConfigurationError, DatabaseError, UsageError
from mediasync.settings.database import PRIVATE, DatabaseOptions, database_url, file_mode, sqlite_url
from mediasync.settings.known_variables import unread_variables

# The parser imports this module for each command and for its help, so the methods below import what only some
# commands need.
if TYPE_CHECKING:
    from mediasync.app import MediaSync
    from mediasync.settings.file import Configuration


class LogFormat(StrEnum):
    """How standard error is written."""

    TEXT = "text"
    JSON = "json"


def default_database() -> Path:
    """Return the file of the default database.

    Raises:
        ConfigurationError: if the user has no home, and so no data folder.
    """
    import platformdirs

    try:
        return platformdirs.user_data_path("mediasync", appauthor=False) / "mediasync.db"
    except RuntimeError:
        raise ConfigurationError(
            "there is no default database, because this user has no home folder: name one with --database"
        ) from None


def _nothing() -> None:
    return


@dataclass(slots=True)
class CommandContext:
    """One run of the command line.

    Attributes:
        out: standard output and standard error.
        environ: the environment variables.
        database: the option ``--database``, given before or after the command.
        config: the option ``--config``, likewise.
        file_mode: the option ``--file-mode``.
        when_interrupted: called at the first signal.
        interrupted: the message when a signal has ended the command.
        partial: further fields of the JSON document when an error ends the command.
    """

    out: Output
    environ: Mapping[str, str]
    database: str | None = None
    config: str | None = None
    file_mode: str | None = None
    when_interrupted: Callable[[], None] = _nothing
    interrupted: str = "interrupted"
    partial: dict[str, Any] = field(default_factory=dict)
    _configuration: Configuration | None = None

    @classmethod
    def of(
        cls,
        context: typer.Context,
        *,
        database: str | None = None,
        config: str | None = None,
        file_mode: str | None = None,
        as_json: bool = False,
        debug: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        log_format: LogFormat | None = None,
    ) -> CommandContext:
        """Return the context of the running command, and apply the given options to it.

        Raises:
            UsageError: if two options exclude each other.
        """
        command = context.find_object(cls)
        if command is None:
            raise AssertionError("the command line was not started by mediasync.cli.main")
        if database is not None:
            command.database = database
        if config is not None:
            command.config = config
        if file_mode is not None:
            command.file_mode = file_mode
        out = command.out
        out.as_json |= as_json
        out.debug |= debug
        out.quiet |= quiet
        out.verbose |= verbose
        if log_format is not None:
            out.logs_as_json = log_format is LogFormat.JSON
        if out.quiet and out.verbose:
            raise UsageError("--quiet and --verbose exclude each other: give only one of them")
        set_level(out)
        return command

    def run(self, work: Coroutine[Any, Any, int], *, knows_sources: bool = False) -> int:
        """Run what a command does, and return its exit code.

        Args:
            work: the command.
            knows_sources: whether *work* itself warns of unread variables, because it knows the sources.

        Raises:
            Interrupted: if a signal ended it.
        """
        from mediasync.cli.signals import run_async

        if not knows_sources:
            self.warn_of_variables()
        return run_async(work, on_first=lambda: self.when_interrupted(), on_second=self.out.leave_screen)

    def configuration(self) -> Configuration:
        """Return the content of the configuration file; it is empty if there is none.

        Raises:
            ConfigurationError: if a file that is named does not exist, or the file cannot be used.
        """
        if self._configuration is None:
            from mediasync.settings.file import read_configuration

            self._configuration = read_configuration(self._find_file())
        return self._configuration

    def _find_file(self) -> Path | None:
        from mediasync.settings.file_search import find_configuration

        return find_configuration(self.config, self.environ)

    def reading(self, configuration: Path) -> CommandContext:
        """Return a context that reads another configuration file, or this one anew."""
        return replace(self, config=str(configuration), _configuration=None)

    def warn_of_variables(self, source_ids: Iterable[str] | None = None) -> list[str]:
        """Warn of environment variables that nothing reads, and return the warnings.

        Args:
            source_ids: all sources; None if the command does not know them.
        """
        found = unread_variables(self.environ, source_ids)
        for text in found:
            self.out.note(text, level=logging.WARNING)
        return found

    def open_to_read(self) -> MediaSync:
        """Return the database, not yet opened, for reading only. It is never created.

        Raises:
            ConfigurationError: if the configured URL cannot be used.
        """
        from mediasync.app import MediaSync

        return MediaSync(self.url(), read_only=True, readers=1)

    def open_to_write(self) -> MediaSync:
        """Return the database, not yet opened, for reading and writing. It is neither created nor upgraded.

        Raises:
            ConfigurationError: if the configured URL cannot be used.
        """
        from mediasync.app import MediaSync

        return MediaSync(self.url(), upgrade=False, readers=1)

    @staticmethod
    def make_folder(url: str) -> None:
        """Create the folder of the database, if *url* is that of the default database.

        Raises:
            DatabaseError: if the folder cannot be created.
        """
        try:
            default = default_database()
        except ConfigurationError:
            return  # There is no default database.
        if url == sqlite_url(default):
            try:
                default.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DatabaseError(
                    f"the folder of the database, {default.parent}, cannot be created: "
                    f"{error.strerror or error}; name another database with --database"
                ) from error

    def url(self) -> str:
        """Return the URL of the database: from the option, the environment, the file, or else the default.

        Raises:
            ConfigurationError: if the configured URL cannot be used.
        """
        url = database_url(self.database, self.environ)
        # The file is read only if it is needed, so that its errors do not hide the database. To read it, the
        # settings of all kinds of source are imported.
        if url is None and self._find_file() is not None:
            url = self.configuration().database
        return url or sqlite_url(default_database())

    def mode(self) -> int:
        """Return the permissions of a new database file.

        Raises:
            ConfigurationError: if the configured permissions cannot be used.
        """
        asked = file_mode(self.file_mode, self.environ)
        return asked or self.configuration().file_mode or PRIVATE

    def keep_removed(self) -> float:
        """Return for how many days removed items are kept.

        Raises:
            ConfigurationError: if the configuration file cannot be used.
        """
        kept = self.configuration().keep_removed
        return DatabaseOptions().keep_removed if kept is None else kept


async def require_source(ms: MediaSync, source_id: str) -> None:
    """Check that a source is stored.

    Raises:
        NotFound: if it is not.
    """
    known = [source.id for source in await ms.media.list_sources()]
    if source_id not in known:
        raise NotFound(f"there is no source {source_id!r}; there are: {', '.join(known) or 'none'}")


def words(arguments: Sequence[str], what: str) -> str:
    """Return the words of an argument as one text.

    Raises:
        UsageError: if the text is empty, or not valid in the terminal's encoding.
    """
    text = " ".join(arguments).strip()
    if not text:
        raise UsageError(f"the {what} is empty")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"the {what} is not valid text in this terminal's encoding") from error
    return text
