"""``mediasync datasette-metadata``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mediasync.cli.context import CommandContext
from mediasync.cli.layout import plain
from mediasync.cli.options import OF_EVERY_COMMAND, with_options
from mediasync.errors import UsageError
from mediasync.settings.database import sqlite_path


@with_options(*OF_EVERY_COMMAND)
def datasette_metadata(
    context: CommandContext,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="FILE",
            help="Write to this file. The default is standard output.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="What datasette calls the database. The default is the name of its file without .db.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Write the metadata with which datasette shows the database well.

    It is JSON for datasette's option --metadata: descriptions of all views and columns, facets, sortable
    columns and canned queries; the inner tables are hidden. The database itself is not read. Write the file
    anew after an upgrade of mediasync.

    [bold]Examples[/bold]
      mediasync datasette-metadata --database media.db --output metadata.json
      datasette media.db --metadata metadata.json

    [bold]Exit codes[/bold]
      0  written
      2  wrong usage or configuration, or a file that exists or cannot be written
    """
    from mediasync.integrations.datasette import make_metadata

    if name is None:
        path = sqlite_path(context.url())
        if path is None:
            raise UsageError(
                "datasette reads SQLite files: give one with --database, or a --name for the metadata"
            )
        name = path.stem
    metadata = make_metadata(name)
    if output is None:
        context.out.dump(metadata)
        return 0
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(json.dumps(metadata, indent=2, ensure_ascii=False) + "\n")
    except FileExistsError:
        raise UsageError(f"{output} exists already; give another file, or --force to replace it") from None
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from error
    [database] = metadata["databases"].values()
    if context.out.as_json:
        context.out.dump(
            {"output": str(output.absolute()), "name": name, "queries": list(database["queries"])}
        )
    else:
        context.out.print(
            plain(f"Metadata: {output.absolute()}, for a database that datasette calls {name!r}")
        )
    return 0
