"""The XML of a fake Plex, for clients that do not ask for JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

_VIDEOS: Final = frozenset({"movie", "episode"})
_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_xml(container: Mapping[str, Any]) -> bytes:
    """Return a ``MediaContainer`` as XML.

    Single values are attributes, lists are child elements. An entry of ``Metadata`` is a ``Video`` if it is
    playable and a ``Directory`` if it has children. Characters that XML cannot hold are left out.

    Args:
        container: the value of ``MediaContainer`` in JSON.
    """
    root = _filled(Element("MediaContainer"), container)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def _filled(element: Element, content: Mapping[str, Any]) -> Element:
    for name, value in content.items():
        if isinstance(value, Mapping):
            _filled(SubElement(element, name), value)
        elif isinstance(value, list):
            for entry in value:
                _filled(SubElement(element, _tag(name, entry)), entry)
        elif value is not None:
            element.set(name, _NOT_IN_XML.sub("", _text(value)))
    return element


def _tag(name: str, entry: Mapping[str, Any]) -> str:
    if name != "Metadata":
        return name
    return "Video" if entry.get("type") in _VIDEOS else "Directory"


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
