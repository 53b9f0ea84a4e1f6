"""Bad files of any kind are read in less than 512 MB."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from outcomes.config import CONTRACTS_DIR

from .deliveries import WOODLAND_DAY, deliver

HEADER = "intervention_code,intervention_name,district_id,district_student_id,started_on,ended_on"
ROSTER = "interventions/2012-10-05/roster.csv"
ATTENDANCE = "woodland_hills/2012-10-05/103029902_ATTENDANCE_201210051930.txt"
BOOK = "clairton/2012-10-03/Clairton_DHS_2012-10-03.xlsx"

# Reads a file as landing does, and prints the peak memory in kB.
READ = """
import contextlib, pathlib, sys
from outcomes.contracts.reader import load_contract
from outcomes.landing.deliveries import delivered_file
from outcomes.landing.reading import FileReading
from outcomes.landing.reasons import FileError
from outcomes.landing.unpack import logical_files
contract = load_contract(pathlib.Path(sys.argv[1]))
for file in logical_files(contract, delivered_file(pathlib.Path(sys.argv[2]), "any")):
    with contextlib.suppress(FileError):
        for block in FileReading(contract, file).blocks():
            pass
status = pathlib.Path("/proc/self/status").read_text()
print(status.split("VmHWM:")[1].split()[0])
"""


def lines(name: str, *parts: tuple[str, int]) -> Callable[[Path], Path]:
    """A file of texts, each repeated several times."""

    def build(drops: Path) -> Path:
        file = deliver(drops, name, b"")
        with file.open("w") as opened:
            for text, times in parts:
                for _ in range(0, times, 100_000):
                    opened.write(text * min(times, 100_000))
        return file

    return build


def book(rows: int, columns: int, text: str) -> Callable[[Path], Path]:
    """A workbook written by hand, whose cells share one text."""
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    related = "http://schemas.openxmlformats.org/package/2006/relationships"
    letters = [chr(65 + n) for n in range(columns)]
    cells = "".join(
        f'<row r="{row}">'
        + "".join(f'<c r="{letter}{row}" t="s"><v>0</v></c>' for letter in letters)
        + "</row>"
        for row in range(1, rows + 1)
    )
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{related}"><Relationship Id="a" '
        f'Type="{kinds}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{namespace}" xmlns:r="{kinds}"><sheets>'
        '<sheet name="Students" sheetId="1" r:id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{related}"><Relationship Id="a" '
        f'Type="{kinds}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="b" '
        f'Type="{kinds}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{namespace}"><sheetData>{cells}'
        "</sheetData></worksheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{namespace}"><si><t>{text}</t></si></sst>',
    }

    def build(drops: Path) -> Path:
        file = deliver(drops, BOOK, b"")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in parts.items():
                archive.writestr(name, part)
        return file

    return build


def bomb(drops: Path) -> Path:
    content = gzip.compress(b"0" * (200 << 20), 1)
    return deliver(drops, "dhs/2012-10-05/clients_homelessness.csv.gz", content)


WIDE = "".join(f",c{n}" for n in range(100_000))
FILES = {
    "blank lines": lines(ATTENDANCE, ("\n", 100_000_000)),
    "lines of one letter": lines(ATTENDANCE, (f"{WOODLAND_DAY}\n", 1), ("a\n", 1_000_000)),
    "stray quotes": lines(ROSTER, (f"{HEADER}\n", 1), ('a"b\n', 300_000)),
    "line without end": lines(ATTENDANCE, ("x" * 1_000, 100_000)),
    "quote without end": lines(ROSTER, (f'{HEADER}\n"', 1), ("some text\n", 5_000_000)),
    "100,000 columns": lines(ROSTER, (f"{HEADER}{WIDE}\n", 1), ("a" + "," * 100_005 + "\n", 300)),
    "bomb": bomb,
    "sheet of 1.4 million cells": book(56_000, 25, "x"),
    "long text shared by many cells": book(5_000, 1, "x" * 1_000_000),
}


# These take seconds and test little more than the others.
SLOW = {"blank lines", "lines of one letter", "sheet of 1.4 million cells", "100,000 columns"}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind in SLOW)) for kind in FILES]
)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_bad_file_needs_little_memory(kind: str, tmp_path: Path) -> None:
    file = FILES[kind](tmp_path)
    contract = CONTRACTS_DIR / f"{file.parent.parent.name}.odcs.yaml"
    done = subprocess.run(
        [sys.executable, "-c", READ, str(contract), str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 512 << 10
