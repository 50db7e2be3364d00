"""Questions on the terminal, with answers that options can give instead."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.text import Text

from mediasync.cli.layout import plain
from mediasync.cli.output import Output
from mediasync.display import safe
from mediasync.errors import UsageError


class Questions:
    """Asks on standard error and reads from standard input.

    Args:
        out: the output.
        may_ask: whether there is somebody to ask. If not, a question without a default is an error that names
            the option which answers it.
    """

    def __init__(self, out: Output, *, may_ask: bool) -> None:
        self._out = out
        self.may_ask = may_ask

    def say(self, text: str = "") -> None:
        """Write one line for the person who answers. It is never folded, so that an address can be copied."""
        if not self._out.quiet:
            self._out.console.print(plain(safe(text)), soft_wrap=True)

    def _list(self, labels: Iterable[str]) -> None:
        for number, label in enumerate(labels, 1):
            self._out.console.print(Text(f"  {number}  {safe(label)}"), soft_wrap=True)

    def text(self, question: str, *, option: str, default: str | None = None) -> str:
        """Return a line of text.

        Args:
            question: what is asked.
            option: what answers it on the command line.
            default: the answer if only Enter is pressed, or if nobody can be asked.

        Raises:
            UsageError: if nobody can be asked, and there is no default.
        """
        if not self.may_ask:
            if default is None:
                raise UsageError(f"{question.lower()} is missing: give {option}")
            return default
        with _interruptible():
            # A member of an enumeration would make Typer ask for one of its members.
            usual = None if default is None else str(default)
            answer: str = typer.prompt(question, default=usual, err=True, show_default=bool(default))
        return answer.strip()

    def secret(self, question: str, *, option: str) -> str:
        """Return a text that is not shown while it is typed; it may be empty.

        Raises:
            UsageError: if nobody can be asked.
        """
        if not self.may_ask:
            raise UsageError(f"{question.lower()} is missing: give {option}")
        with _interruptible():
            answer: str = typer.prompt(question, default="", hide_input=True, err=True, show_default=False)
        return answer

    def yes(self, question: str, *, default: bool) -> bool:
        """Return whether the answer is yes; the default if nobody can be asked."""
        if not self.may_ask:
            return default
        with _interruptible():
            return typer.confirm(question, default=default, err=True)

    def choose(
        self, question: str, choices: Sequence[tuple[str, str]], *, option: str, default: str | None = None
    ) -> str:
        """Return one of several choices. It can be given by its number or by its name.

        Args:
            question: what is asked.
            choices: the name of each, and what it means.
            option: what answers it on the command line.
            default: the name of the choice if only Enter is pressed.

        Raises:
            UsageError: if nobody can be asked, and there is no default.
        """
        names = [name for name, _ in choices]
        if self.may_ask:
            self._list(meaning for _, meaning in choices)
        while True:
            answer = self.text(question, option=option, default=default).lower()
            if answer in names:
                return answer
            if answer.isdecimal() and 1 <= int(answer) <= len(names):
                return names[int(answer) - 1]
            self.say(f"{answer!r} is none of them: type a number from 1 to {len(names)}")

    def choose_some(self, question: str, labels: Sequence[str]) -> list[int]:
        """Return the places of the chosen labels; all if only Enter is pressed, or nobody can be asked."""
        everything = list(range(len(labels)))
        while self.may_ask:
            self._list(labels)
            answer = self.text(f"{question} (numbers, with commas)", option="", default="all")
            if answer.lower() == "all":
                return everything
            parts = [part.strip() for part in answer.split(",") if part.strip()]
            if parts and all(part.isdecimal() and 1 <= int(part) <= len(labels) for part in parts):
                return sorted({int(part) - 1 for part in parts})
            self.say(f"{answer!r} is not a list of numbers from 1 to {len(labels)}")
        return everything


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C raise an exception while somebody is asked. Then the terminal shows again what is typed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
