"""Text repair: from the bytes of an NFO file to text that an XML parser can read. Pure, no files.

Every repair keeps the number of lines before a place, so that an error is reported where it is in the file.
"""

from __future__ import annotations

import codecs
import contextlib
import html
import re
from html.entities import html5
from typing import Final

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED: Final = re.compile(rb"""<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS: Final = re.compile(
    r"iso-?8859|iso-?2022|latin|cp\d|windows-?\d|koi8|mac|gb|big5|euc|shift|sjis|hz", re.IGNORECASE
)

_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_AMPERSAND: Final = re.compile(r"&(?:#(\d{1,8});|#[xX]([0-9A-Fa-f]{1,7});|([A-Za-z][A-Za-z0-9]{1,31});)?")
_BARE_LESS_THAN: Final = re.compile(r"<(?![^\W\d]|[/!?:])")
_SPECIAL: Final = re.compile(r"<!--|<!\[CDATA\[|<\?|<!DOCTYPE", re.IGNORECASE)
_XML_ENTITIES: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
_HTML_TAG: Final = re.compile(
    r"</?(?:a|b|big|br|center|div|em|font|h[1-6]|hr|i|img|li|ol|p|small|span|strong|u|ul)(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
_HTML_BREAK: Final = re.compile(r"<(?:br|/p|/div|/li)(?=[\s/>])[^<>]*>", re.IGNORECASE)
_NAMED_ENTITY: Final = re.compile(r"&(?:#\d{1,8}|#[xX][0-9A-Fa-f]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});")


class NfoError(Exception):
    """A document of which nothing may be used, because it cannot be told what is missing.

    Attributes:
        reason: what is wrong.
        line: where, counted from 1; ``None`` if it is no single place.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line


class ForeignNfoError(NfoError):
    """A document that is whole, but about something else: music, for example."""


def decode(data: bytes) -> tuple[str, list[str]]:
    """Decode the bytes of a file, whatever encoding they claim.

    A byte order mark decides; else the text is UTF-8 if it can be, whatever it declares; else what it
    declares, and where that fails Windows-1252.

    Returns:
        The text without its byte order mark, and what had to be guessed.

    Example:
        >>> decode(b"<movie><title>Am\\xe9lie</title></movie>")
        ('<movie><title>Amélie</title></movie>', ['not UTF-8 and no other encoding declared: read as cp1252'])
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode_marked(data[len(mark) :], encoding)
    if data[:2] in {b"<\0", b"\0<"}:
        return _decode_marked(data, "utf-16-le" if data[1] == 0 else "utf-16-be")
    match = _DECLARED.search(data[:1024])
    declared = match[1].decode("ascii") if match else ""
    wanted = declared if _ENCODINGS.match(declared) else ""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_other(data, declared, wanted)
    if wanted and data.isascii():
        return _decode_other(data, declared, wanted)  # ISO-2022-JP is ASCII to look at
    return text, [f"declared as {declared}, but it is UTF-8"] if wanted else []


def _decode_marked(data: bytes, encoding: str) -> tuple[str, list[str]]:
    try:
        return data.decode(encoding), []
    except UnicodeDecodeError:
        return data.decode(encoding, "replace"), [f"bytes that are not {encoding} were replaced"]


def _decode_other(data: bytes, declared: str, wanted: str) -> tuple[str, list[str]]:
    claim = "not UTF-8 and no other encoding declared"
    if wanted:
        with contextlib.suppress(UnicodeDecodeError, LookupError):
            return data.decode(wanted), []
    if declared:
        claim = f"declared as {declared}, but it is not"
    try:
        return data.decode("cp1252"), [f"{claim}: read as cp1252"]
    except UnicodeDecodeError:
        return data.decode("latin-1"), [f"{claim}: read as latin-1"]


def repair(text: str) -> tuple[str, list[str]]:
    """Make *text* digestible for an XML parser without changing what it says.

    Characters that XML forbids go; entities of HTML become their characters and a lone ``&`` or ``<`` is
    escaped; CDATA becomes plain text; comments, declarations and a DOCTYPE without entities go.

    Raises:
        NfoError: for entity declarations, and for a comment, CDATA section or declaration without an end.

    Example:
        >>> repair("<title>Tom &amp; Jerry & Spike&eacute;</title>")
        ('<title>Tom &amp; Jerry &amp; Spikeé</title>', ['an unescaped & was read as text'])
    """
    problems: list[str] = []
    text, removed = _ILLEGAL.subn("", text)
    if removed:
        problems.append(f"{removed} control characters were removed")
    pieces: list[str] = []
    loose = 0
    position = 0
    while match := _SPECIAL.search(text, position):
        piece, count = _repair_markup(text[position : match.start()])
        pieces.append(piece)
        loose += count
        replacement, position = _replace_special(text, match)
        pieces.append(replacement)
    piece, count = _repair_markup(text[position:])
    pieces.append(piece)
    if loose + count:
        problems.append("an unescaped & was read as text")
    return "".join(pieces), problems


def _replace_special(text: str, match: re.Match[str]) -> tuple[str, int]:
    opener = match[0]
    if opener == "<![CDATA[":
        body, end = _until(text, match, "]]>", "a CDATA section")
        return body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), end
    if opener == "<!--":
        body, end = _until(text, match, "-->", "a comment")
    elif opener == "<?":
        body, end = _until(text, match, "?>", "a declaration")
    else:
        body, end = _until(text, match, ">", "a DOCTYPE")
        if "[" in body:
            raise NfoError(
                "a DOCTYPE with declarations of its own is not read", _line_of(text, match.start())
            )
    return "\n" * body.count("\n"), end


def _until(text: str, match: re.Match[str], closer: str, what: str) -> tuple[str, int]:
    end = text.find(closer, match.end())
    if end < 0:
        raise NfoError(f"{what} has no end", _line_of(text, match.start()))
    return text[match.end() : end], end + len(closer)


def _line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _repair_markup(text: str) -> tuple[str, int]:
    loose = 0

    def entity(match: re.Match[str]) -> str:
        nonlocal loose
        decimal, hexadecimal, name = match.groups()
        if name in _XML_ENTITIES:
            return match[0]
        if name and (known := html5.get(f"{name};")):
            return html.escape(known)
        if decimal or hexadecimal:
            return _character(int(decimal) if decimal else int(hexadecimal, 16))
        loose += 1
        return "&amp;" + match[0][1:]

    if "&" in text:
        text = _AMPERSAND.sub(entity, text)
    return _BARE_LESS_THAN.sub("&lt;", text), loose


def _character(code: int) -> str:
    if code > 0x10FFFF:
        return ""
    character = chr(code)
    return "" if _ILLEGAL.match(character) else html.escape(character)


def drop_html_tags(text: str) -> str:
    """Drop the tags of HTML from a document that does not parse because of them.

    Example:
        >>> drop_html_tags("<plot>One<br>two <b>three</plot>")
        '<plot>One two three</plot>'
    """
    return _HTML_TAG.sub("", _HTML_BREAK.sub(" ", text))


def plain_text(text: str) -> str:
    """Turn a plot that may hold HTML into plain text.

    Only tags that HTML knows go: ``<or two>`` is text. Entities that were escaped twice are resolved.

    Example:
        >>> plain_text("A <i>wobbly</i> bit &amp;amp; <or two>.<br/>The end&nbsp;")
        'A wobbly bit &amp; <or two>.\\nThe end'
    """
    if "<" in text:
        text = _HTML_TAG.sub("", _HTML_BREAK.sub("\n", text))
    if "&" in text:
        text = _NAMED_ENTITY.sub(lambda match: html.unescape(match[0]), text)
    return _ILLEGAL.sub("", text).strip()
