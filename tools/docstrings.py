"""An extension of griffe: the section ``Example:`` of a docstring is shown as code."""

from __future__ import annotations

import re
from typing import Any, Final

import griffe

_HEADING: Final = re.compile(r"^Example:$", re.MULTILINE)


class Examples(griffe.Extension):
    """Rename the section ``Example:`` to ``Examples:``, the only name whose content griffe reads as code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring of one object."""
        if obj.docstring is not None:
            obj.docstring.value = _HEADING.sub("Examples:", obj.docstring.value)
