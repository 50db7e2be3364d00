"""Decoding the bytes of an NFO file, and cleaning the text of its elements. Pure."""

from __future__ import annotations

import codecs
import re
import unicodedata
from html.entities import html5
from typing import Final

from mediasync.formats.nfo.elements import HTML, HTML_BREAKS

_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED: Final = re.compile(
    rb"""<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""", re.IGNORECASE
)
_UNICODE: Final = re.compile(r"utf|ucs|unicode|(?:us-?)?ascii$", re.IGNORECASE)
_TEXT_ENCODINGS: Final = re.compile(
    r"iso-?8859|iso-?2022|latin|l\d$|cp\d|windows-?\d|ibm\d|x-|koi8|mac|gb|big5|euc|shift|sjis|hz|ks_?c|tis",
    re.IGNORECASE,
)
_WIDER: Final = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
}
"""Declared encodings that stand for a superset, as in browsers, by their Python names."""
_OTHER_NAMES: Final = {
    "windows-31j": "cp932",
    "ms932": "cp932",
    "windows-949": "cp949",
    "windows-874": "cp874",
}
"""Names of encodings that Python does not know."""

_CHARACTER: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_SURROGATES: Final = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
_VALUE: Final = re.compile(rb"[^<>]+|[<>]")
_CUT_SHORT: Final = re.compile(rb"[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{1,2}")
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_HIGH: Final = bytes(range(0x80, 0x100))
_LOST: Final = "\ufffd"
_MOST_LOST: Final = 0.1
"""A declared encoding is believed if at most this share of the characters beyond ASCII is lost."""
_ZEROS: Final = (
    ("utf-32-le", [False, True, True, True]),
    ("utf-32-be", [True, True, True, False]),
    ("utf-16-le", [False, True, False, True]),
    ("utf-16-be", [True, False, True, False]),
)
_NO_CLAIM: Final = "not UTF-8 and no other encoding declared"

ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""The characters that XML cannot hold."""

_C1: Final = re.compile("[\x80-\x9f]")
_FROM_C1: Final = {
    code: character for code in range(0x80, 0xA0) if (character := bytes([code]).decode("cp1252", "ignore"))
}
_REFERENCE: Final = re.compile(
    r"&(?:#(\d{1,8});(?:&#(\d{5});)?|#[xX]([0-9A-Fa-f]{1,7});(?:&#[xX]([0-9A-Fa-f]{4});)?|([A-Za-z][A-Za-z0-9]{1,31});)"
)
_LOOSE: Final = re.compile(r"&(?!(?:#\d{1,8}|#[xX][0-9A-Fa-f]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});)")
_MOST_ESCAPES: Final = 5
_LINE_BREAKS: Final = re.compile(r"[\r\n]+")
_HTML_TAG: Final = re.compile(rf"</?(?:{'|'.join(sorted(HTML))})(?=[\s/>])[^<>]*>", re.IGNORECASE)
_HTML_BREAK: Final = re.compile(
    rf"<(?:br|/(?:{'|'.join(sorted(HTML_BREAKS))}))(?=[\s/>])[^<>]*>", re.IGNORECASE
)


class NfoError(Exception):
    """A file of which nothing can be used.

    Attributes:
        reason: what is wrong.
        line: the line, counted from 1; None if the fault is not in one place.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line


class ForeignNfoError(NfoError):
    """A sound document about something else, like music."""


class EmptyNfoError(NfoError):
    """A document that describes nothing, like a text without the address of a provider's page."""


def decode(data: bytes) -> tuple[str, list[str]]:
    """Decode the bytes of a file, whatever encoding they claim.

    A byte order mark decides. Without one, the text is UTF-8 if it is valid as UTF-8, whatever it declares,
    and otherwise what it declares. Invalid bytes are replaced one by one. They do not change how others are
    read.

    Returns:
        The text without its byte order mark, and what had to be guessed, one line each.

    Example:
        >>> decode(b"<movie><title>Am\\xe9lie</title></movie>")
        ('<movie><title>Amélie</title></movie>', ['not UTF-8 and no other encoding declared: read as cp1252'])
        >>> decode("<a>éü</a>".encode() + b"<b>\\x93\\xe2\\x82</b>")
        ('<a>éü</a><b>“\ufffd</b>', ['line 1: bytes that are not UTF-8 were read as cp1252'])
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark) and (decoded := _decode_wide(data[len(mark) :], encoding)):
            return decoded
    if (wide := _wide_encoding(data[:400])) and (decoded := _decode_wide(data, wide)):
        return decoded
    data = data.removeprefix(codecs.BOM_UTF8)
    match = _DECLARED.search(data[:1024])
    declared = match[1].decode("ascii") if match else ""
    other = "" if _UNICODE.match(declared) else _python_name(declared)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        data = _SURROGATES.sub(_join_surrogates, data)
        return _decode_other(data, declared, other, error.start)
    if other and data.isascii():
        return _decode_other(data, declared, other, 0)  # the bytes of ISO-2022-JP are all ASCII
    lies = declared and not declared.lower().startswith("utf-8") and not data.isascii()
    return text, [f"declared as {declared}, but it is UTF-8"] if lies else []


def _decode_wide(data: bytes, encoding: str) -> tuple[str, list[str]] | None:
    try:
        text, problems = data.decode(encoding), []
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
        problems = [f"line {_line_of(text, text.find(_LOST))}: bytes that are not {encoding} were replaced"]
    return None if b"<" in data and "<" not in text else (text, problems)


def _wide_encoding(head: bytes) -> str:
    """Recognise UTF-16 and UTF-32 without a mark by the places of most zero bytes."""
    if b"\0" not in head:
        return ""
    mostly_zero = [head[place::4].count(0) * 2 > len(head[place::4]) for place in range(4)]
    for encoding, zeros in _ZEROS:
        if mostly_zero == zeros:
            return encoding
    return ""


def _python_name(declared: str) -> str:
    """Return Python's name of a declared encoding; empty if Python does not know it."""
    if not _TEXT_ENCODINGS.match(declared):
        return ""
    declared = declared.lower()
    try:
        name = codecs.lookup(_OTHER_NAMES.get(declared, declared.removeprefix("x-"))).name
    except LookupError:
        return ""
    return _WIDER.get(name, name)


def _join_surrogates(match: re.Match[bytes]) -> bytes:
    """Rewrite a character that is encoded as two surrogates (CESU-8) as UTF-8."""
    _, high, high_end, _, low, low_end = match[0]
    upper, lower = (high & 0x0F) << 6 | high_end & 0x3F, (low & 0x0F) << 6 | low_end & 0x3F
    return chr(0x10000 + (upper << 10) + lower).encode()


def _count(data: bytes) -> tuple[int, int]:
    """Count the characters beyond ASCII that are valid UTF-8, and the bytes that are not."""
    rest, fits = _CHARACTER.subn(b" ", data)
    rest = _CUT_SHORT.sub(b"\xff", rest)
    return fits, len(rest) - len(rest.translate(None, _HIGH))


def _decode_other(data: bytes, declared: str, other: str, first: int) -> tuple[str, list[str]]:
    """Decode bytes that are not all UTF-8: as declared, as UTF-8 with bad bytes, or as Windows-1252.

    Args:
        data: the bytes.
        declared: the encoding that the file claims.
        other: Python's name of that encoding, unless it is Unicode.
        first: the position of the first byte that is not UTF-8.
    """
    fits, bad = _count(data)
    if other and fits <= bad and (decoded := _decode_as(data, declared, other)):
        return decoded
    mostly = fits >= bad > 0
    text = "".join(
        value.decode("ascii") if value.isascii() else _decode_value(value, mostly=mostly)
        for value in _VALUE.findall(data)
    )
    if mostly:
        line = data.count(b"\n", 0, first) + 1
        return text, [f"line {line}: bytes that are not UTF-8 were read as cp1252"]
    if not bad and not other:
        return text, []
    claim = f"declared as {declared}, but it is not" if declared else _NO_CLAIM
    return text, [f"{claim}: read as cp1252"]


def _decode_as(data: bytes, declared: str, encoding: str) -> tuple[str, list[str]] | None:
    try:
        return data.decode(encoding), []
    except UnicodeDecodeError as error:
        text = data.decode(encoding, "replace")
        others = len(text) - len(text.encode("ascii", "ignore"))
        if text.count(_LOST) > max(1, others * _MOST_LOST):
            return None
        line = data.count(b"\n", 0, error.start) + 1
        return text, [f"line {line}: bytes that are not {declared} were replaced"]


def _decode_value(data: bytes, *, mostly: bool) -> str:
    """Decode the text between two tags as UTF-8, and each byte that is not UTF-8 as Windows-1252.

    A character whose last bytes are missing is replaced.

    Args:
        data: the bytes.
        mostly: whether most of the file is UTF-8. If it is not, a text is read as Windows-1252 unless most of
            it is UTF-8: ``CAFÉ…`` in Windows-1252 looks like UTF-8.
    """
    if not mostly:
        fits, bad = _count(data)
        if fits <= bad:
            return data.decode("cp1252", "replace")
    return data.decode("utf-8", _BYTE_BY_BYTE)


def _byte_as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    unit = error.object[error.start : error.end]
    return _LOST if len(unit) > 1 else unit.decode("cp1252", "replace"), error.end


_BYTE_BY_BYTE: Final = "mediasync.nfo.cp1252"
codecs.register_error(_BYTE_BY_BYTE, _byte_as_cp1252)


def _line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def resolve(text: str) -> str:
    """Resolve the character references of XML and HTML once; anything else stays as it is.

    The numbers 128 to 159 mean Windows-1252, as in browsers, and a pair of surrogates is one character.

    Example:
        >>> resolve("Tom &amp; Jerry & O&#146;Neil &eacute; &nothing; &#55357;&#56832;")
        'Tom & Jerry & O’Neil é &nothing; 😀'
    """
    return _REFERENCE.sub(_referred, text) if "&" in text else text


def _referred(match: re.Match[str]) -> str:
    decimal, second_decimal, hexadecimal, second_hexadecimal, name = match.groups()
    if name:
        return html5.get(f"{name};", match[0])
    code = int(decimal) if decimal else int(hexadecimal, 16)
    if second_decimal or second_hexadecimal:
        second = int(second_decimal) if second_decimal else int(second_hexadecimal, 16)
        if 0xD800 <= code < 0xDC00 <= second < 0xE000:
            return chr(0x10000 + (code - 0xD800) * 0x400 + second - 0xDC00)
        return _character(code) + _character(second)
    return _character(code)


def _character(code: int) -> str:
    if code > 0x10FFFF:
        return ""
    return _FROM_C1.get(code) or ILLEGAL.sub("", chr(code))


def meaning(text: str) -> str:
    """Resolve the references in the text of an element, also where a program escaped it more than once.

    The control characters U+0080 to U+009F are read as Windows-1252.

    Example:
        >>> meaning("Vincent D&amp;apos;Onofrio")
        "Vincent D'Onofrio"
    """
    for _ in range(_MOST_ESCAPES):
        once = resolve(text)
        if once == text:
            break
        text = once
    return text.translate(_FROM_C1) if _C1.search(text) else text


def unescape(text: str) -> tuple[str, int, int]:
    """Turn the source text of an element into characters, although it may not be well-formed.

    Returns:
        The text, the number of unescaped ``&``, and the number of control characters that were dropped.

    Example:
        >>> unescape("R&D &amp; more\x02")
        ('R&D & more', 1, 1)
    """
    loose = len(_LOOSE.findall(text)) if "&" in text else 0
    text, dropped = ILLEGAL.subn("", text)
    return resolve(text), loose, dropped


def one_line(text: str) -> str:
    """Undo the line breaks that a pretty printer put into a name, and keep other white space.

    Example:
        >>> one_line("Paul\\n      Thomas  Anderson")
        'Paul Thomas  Anderson'
    """
    if "\n" not in text and "\r" not in text:
        return text
    return " ".join(filter(None, map(str.strip, _LINE_BREAKS.split(text))))


def html_breaks_to_lines(text: str) -> str:
    """Replace the HTML tags that end a line with line breaks.

    Example:
        >>> html_breaks_to_lines("One<br />Two")
        'One\\nTwo'
    """
    return _HTML_BREAK.sub("\n", text) if "<" in text else text


def plain_text(text: str) -> str:
    """Turn a plot that may hold HTML into plain text.

    Only tags of HTML are removed: ``<or two>`` is text. Text that was escaped twice is resolved.

    Example:
        >>> plain_text("A <i>wobbly</i> bit &amp;amp; <or two>.<br/>The end&nbsp;")
        'A wobbly bit & <or two>.\\nThe end'
    """
    if "<" in text:
        text = _HTML_TAG.sub("", html_breaks_to_lines(text))
    return ILLEGAL.sub("", meaning(text)).strip()


def fold(text: str) -> str:
    """Return *text* in lower case and without accents, to compare names.

    Example:
        >>> fold("Première SAISON 2×05")
        'premiere saison 2x05'
    """
    text = unicodedata.normalize("NFD", text.casefold()).replace("×", "x")
    return unicodedata.normalize("NFC", _ACCENTS.sub("", text))
