"""What the tests of the web app share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "library"
TOKEN: Final = "a token for the tests"
