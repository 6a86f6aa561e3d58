"""The text of a web page: which encoding its bytes are in, and text that was encoded twice.

The order of trust: a byte order mark, valid UTF-8, what the page says of itself, what the server says. Labels mean
what browsers read them as: latin-1 is Windows-1252, gb2312 is GB 18030.
"""

from __future__ import annotations

import codecs
import re

_META_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9_:.-]{2,40})", re.I)
_XML_ENCODING = re.compile(rb"<\?xml[^>]{0,100}?encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_:.-]{2,40})")
_HEADER_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_:.-]{2,40})", re.I)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_AS_READ = {
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "big5": "big5hkscs", "shift_jis": "cp932",
    "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932", "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949", "x-euc-jp": "euc_jp", "utf8": "utf-8", "unicode": "utf-16-le",
}  # fmt: skip
"""What browsers take a label for (WHATWG Encoding Standard), where Python takes it for less."""

_NO_TEXT = frozenset(
    {"base64", "bz2", "hex", "quopri", "rot13", "uu", "zlib", "idna", "punycode", "undefined", "utf-7"}
)
_MOST_WRONG = 0.02
"""The share of characters that may be unreadable in a text that says it is UTF-8: a byte or two was cut in half."""


_UNSEEN = re.compile("[\u00ad\u200b\u2060\ufeff]|&shy;|&#173;|&#x[aA][dD];")
"""Soft hyphens and blanks without width: they break words in mails and hide that two texts are the same."""


def decode_page(data: bytes, content_type: str | None = None) -> tuple[str, list[str]]:
    """The text of a page, and a note for the editor where its encoding was guessed or is damaged. Never fails."""
    text, notes = _decoded(data, content_type)
    return _UNSEEN.sub("", text), notes


def _decoded(data: bytes, content_type: str | None) -> tuple[str, list[str]]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _mended(data.decode(encoding, "replace"))
    text = _utf16_without_mark(data) or _strict(data, "utf-8")
    if text is not None:
        return _mended(text)
    told = _told(data, content_type)
    for encoding in told:
        if encoding == "utf-8":
            text = data.decode("utf-8", "replace")
            wrong = text.count("\ufffd")
            if wrong <= max(3, len(text) * _MOST_WRONG):
                return text, [f"{wrong} damaged character{'s' * (wrong != 1)} in the page: look for \ufffd in the text"]
        elif (text := _strict(data, encoding)) is not None:
            return text, []
    guess = next((encoding for encoding in told if encoding not in ("utf-8", "cp1252")), "cp1252")
    note = f"the page is not in the encoding that it names: read as {guess}; look at quotation marks and accents"
    if not told:
        note = "the page names no encoding and is not UTF-8: read as Windows-1252; look at quotation marks and accents"
    return data.decode(guess, "replace"), [note]


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _utf16_without_mark(data: bytes) -> str | None:
    """Markup in UTF-16 has a zero in every other byte of its beginning."""
    start = data[:200]
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = start[offset::2]
        if len(zeros) > 8 and zeros.count(0) > len(zeros) * 0.8 and start[1 - offset :: 2].count(0) == 0:
            return data.decode(encoding, "replace")
    return None


def _told(data: bytes, content_type: str | None) -> list[str]:
    """The encodings that page and header name, as browsers read them, without those that are none for text."""
    start = data[:4096]
    found = [match[1].decode("ascii") for match in (_META_CHARSET.search(start), _XML_ENCODING.search(start)) if match]
    if content_type and (header := _HEADER_CHARSET.search(content_type)):
        found.append(header[1])
    names = []
    for label in found:
        name = _AS_READ.get(label.lower(), label.lower())
        try:
            name = codecs.lookup(name).name
        except LookupError:
            continue
        if name not in _NO_TEXT and not name.startswith(("utf-16", "utf-32")):
            names.append(name)
    return list(dict.fromkeys(names))


# What UTF-8 looks like when somebody read it as Windows-1252 and saved it again as UTF-8.
_CP1252 = {bytes([n]).decode("cp1252", "ignore") or chr(n): n for n in range(0x80, 0x100)}
_HIGH = re.escape("".join(char for char, byte in _CP1252.items() if byte < 0xC0))
_TWICE = re.compile(rf"(?:[ÂÃÄÅÎÏÐÑØÙÚÛ][{_HIGH}]|[àáâãäåæçèéêëï][{_HIGH}]{{2}}|ð[{_HIGH}]{{3}})+")
_TELLTALE = re.compile("â€|Ã[\xa0-\xbf]|Â[\xa0-\xbf]|à[¤¥]|[ÐÑØÙ].[ÐÑØÙ].|ðŸ")


def _mended(text: str) -> tuple[str, list[str]]:
    """A text in which what was encoded twice is read again; only where every such place proves to be so."""
    if not _TELLTALE.search(text):
        return text, []
    runs = _TWICE.findall(text)
    again = [_once(run) for run in runs]
    if len(runs) < 2 or any(one is None for one in again):
        return text, []
    meant = iter(again)
    return _TWICE.sub(lambda found: next(meant) or found[0], text), [
        "the page's text was encoded twice: it was read again; look at quotation marks and accents"
    ]


def _once(run: str) -> str | None:
    try:
        return bytes(_CP1252[char] for char in run).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return None
