"""Workbooks and archives that are not read, each with the words that name it."""

from __future__ import annotations

import gzip
import io
import zipfile


def archive(**members: bytes) -> bytes:
    """A zip archive; `__` in a name stands for a slash, `_dot_` for a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in members.items():
            packed.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return buffer.getvalue()


def compound(stream: str) -> bytes:
    """A file in the container of XLS, with the name of one of its streams."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512 + stream.encode("utf-16-le")


WORKBOOKS = {
    "XLS": (compound("Workbook"), "format XLS: save it as an Excel workbook"),
    "a password": (compound("EncryptedPackage"), "needs a password: remove it"),
    "XLSB": (archive(xl__workbook_dot_bin=b"\x83\1"), "format XLSB: save it as an Excel workbook"),
    "ODS": (
        archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"),
        "format ODS: save it as an Excel workbook",
    ),
}

CSV = b"id,name\n1,A\n"
PARQUET = b"PAR1\x15\0\x15PAR1"
# The name of a sample, its content, and the words of the refusal.
SAMPLES = {
    "gzip with another name": ("a.csv", gzip.compress(CSV), r"name that ends in \.gz"),
    "zip with another name": ("a.csv", archive(a=CSV), r"name that ends in \.zip"),
    "gzip in gzip": ("a.csv.gz", gzip.compress(gzip.compress(CSV)), "files that are packed once"),
    "zip in zip": ("a.zip", archive(b_dot_zip=archive(a=CSV)), "b.zip is a zip file in another"),
    "gzip in zip": ("a.zip", archive(b_dot_gz=gzip.compress(CSV)), "b.gz is a gzip file in"),
    "Parquet in zip": ("a.zip", archive(b=PARQUET), "b is a Parquet file in an archive"),
    "PDF": ("a.csv", b"%PDF-1.7\n", "a PDF. Ask for text"),
    "7z": ("a.7z", b"7z\xbc\xaf\x27\x1c\0", "a 7z archive. Ask for text"),
    "a web page": ("a.xls", b"\n<html><table><tr><td>1</td></tr></table></html>", "a web page"),
    "no text": ("a.dat", b"\x01\x02\0\x03" * 99, "not a text"),
    "UTF-16 without a mark": ("a.csv", CSV.decode().encode("utf-16-le"), "UTF-16 without a byte"),
    "a list": ("a.json", b'[{"id": 1}, {"id": 2}]', "one JSON document. Ask for JSON Lines"),
    "a document": ("a.json", b'{\n "students": [{"id": 1}]\n}', "one JSON document"),
}
