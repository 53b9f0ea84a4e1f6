"""Recognizes kinds of files by their first bytes, to refuse those that are not read by name."""

from __future__ import annotations

import codecs
import io
import json
import re
import zipfile

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
ZIP = b"PK\x03\x04"
# The container of XLS, and of any workbook with a password.
OLE = b"\xd0\xcf\x11\xe0"

HEAD_BYTES = 16

# First bytes of files that are not text; each has bytes that no text begins with.
_KINDS = {
    GZIP: "packed with gzip",
    ZIP: "a zip archive or a workbook",
    OLE: "a workbook in the old format XLS, or one with a password",
    b"%PDF-": "a PDF",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\xfd7zXZ\x00": "packed with xz",
}
_MARKUP = re.compile(rb"\s*<(\?xml|!doctype|html|table)", re.IGNORECASE)
_SAVE_AS_XLSX = "save it as an Excel workbook (.xlsx) and send it again"


def not_text(head: bytes, tail: bytes) -> str | None:
    """What a file is that is not text; None if it may be text."""
    if is_parquet(head, tail):
        return "a Parquet file"
    return next((kind for mark, kind in _KINDS.items() if head.startswith(mark)), None)


def is_parquet(head: bytes, tail: bytes) -> bool:
    """Whether a file begins and ends as a Parquet file does; a text can begin with `PAR1`."""
    return head.startswith(PARQUET) and tail.endswith(PARQUET)


def looks_like_parquet(content: bytes) -> bool:
    """Whether the beginning of a file is that of a Parquet file."""
    return content.startswith(PARQUET) and b"\0" in content


def why_not_read(content: bytes, *, is_packed: bool) -> str | None:
    """What a partner's sample is that no contract can describe, and what to ask for."""
    for mark, kind in ((GZIP, "gzip"), (ZIP, "zip")):
        if content.startswith(mark):
            if is_packed:
                return f"a {kind} file in another archive. Ask for files that are packed once"
            ending = "gz" if mark == GZIP else "zip"
            return (
                f"a {kind} file. Ask for a name that ends in .{ending}, and give it to the sample"
            )
    if looks_like_parquet(content):
        packed = "a Parquet file in an archive. It is compressed itself: ask for it as it is"
        return packed if is_packed else None
    kind = not_text(content, b"") or (_MARKUP.match(content) and "a web page, or XML") or ""
    if b"\0" in content and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        kind = kind or "not a text, or one in UTF-16 without a byte-order mark"
    if kind:
        return f"{kind}. Ask for text, JSON Lines, Parquet or an Excel workbook (.xlsx)"
    if content.lstrip()[:1] in (b"[", b"{") and _is_document(content):
        return "one JSON document. Ask for JSON Lines, with one object a line"
    return None


def _is_document(content: bytes) -> bool:
    """Whether a text is one JSON document of several lines or objects."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) or b"\n" in content.strip()


def not_xlsx(content: bytes) -> str | None:
    """What a workbook is that is not in the format XLSX, and what to do; None if it may be."""
    if content.startswith(OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            return "it needs a password: remove it and send the workbook again"
        if any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
            return f"it is in the old format XLS: {_SAVE_AS_XLSX}"
        return f"it needs a password, or is in the old format XLS: {_SAVE_AS_XLSX}"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            names = set(parts.namelist())
            mimetype = parts.read("mimetype")[:100] if "mimetype" in names else b""
    except Exception:  # a damaged archive, which its reader reports
        return None
    if "xl/workbook.bin" in names:
        return f"it is in the binary format XLSB: {_SAVE_AS_XLSX}"
    if b"opendocument" in mimetype:
        return f"it is in the format ODS: {_SAVE_AS_XLSX}"
    return None


def is_workbook(content: bytes) -> bool:
    """Whether a file is a workbook of any format."""
    if content.startswith(OLE) or not_xlsx(content):
        return True
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            return any(name.startswith("xl/") for name in parts.namelist())
    except Exception:  # not an archive
        return False
