"""What a sign-in gives: settings, and secrets that go into files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

TOKEN: Final = "token"  # noqa: S105 - the name of a setting, like the next one
PASSWORD: Final = "password"  # noqa: S105
KEY: Final = "key"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What mediasync signs in to one server with.

    Attributes:
        secrets: the values of ``token``, ``password`` and ``key``, as far as there are any. The configuration
            names a file for each, as ``token_file``. They are not part of the ``repr``.
        username: the user to sign in as, if a password needs one.
    """

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    username: str | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A code that somebody has to approve while signed in to the server or its service.

    Attributes:
        code: what to type; empty if opening *url* is enough.
        url: where to approve it.
        seconds: how long it can be approved.
    """

    code: str
    url: str
    seconds: float


Show = Callable[[Challenge], None]
"""Shows a challenge to somebody, without waiting."""
