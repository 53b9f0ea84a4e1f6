"""The public report: every figure is that of the database, and the page needs no other file."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser
from tests.python.conftest import copied
from tests.python.web.pages import problems
from typer.testing import CliRunner

from outcomes.access.logins import make_login
from outcomes.access.roles import PUBLIC
from outcomes.cli import cli
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.reports.measures import changing_districts
from outcomes.reports.public import public_report
from outcomes.warehouse.connection import connect

# The report's texts of figures, computed independently in SQL.
FIGURES = """
    select
        case when is_suppressed then 'suppressed'
            when is_coded and value_involved = 0.05 then '5 % or less'
            when is_coded and value_involved = 0.95 then '95 % or more'
            when measure = 'gpa' then to_char(value_involved, 'FM0.00')
            else to_char(100 * value_involved, 'FM990.0 "%"') end,
        case when is_suppressed then 'suppressed'
            when is_coded and value_not_involved = 0.05 then '5 % or less'
            when is_coded and value_not_involved = 0.95 then '95 % or more'
            when measure = 'gpa' then to_char(value_not_involved, 'FM0.00')
            else to_char(100 * value_not_involved, 'FM990.0 "%"') end,
        case when is_suppressed then 'suppressed' when gap is null then 'not shown'
            when measure = 'gpa' then to_char(gap, 'FMSG0.00 "grade points"')
            else to_char(100 * gap, 'FMSG990.0 "points"') end,
        case when is_suppressed then 'suppressed' when is_coded then 'not shown'
            when measure = 'gpa' then
                to_char(ci_low, 'FMSG0.00 "to "') || to_char(ci_high, 'FMSG0.00')
            else to_char(100 * ci_low, 'FMSG990.0 "to "') || to_char(100 * ci_high, 'FMSG990.0')
        end
"""
NEWEST = """
    (select max(school_year) from marts_public.rpt_outcome_gaps
    where measure = 'is_chronically_absent_federal' and district_id = 'all'
        and program_group = 'any' and involvement = 'ever' and gap is not null)
"""


class Page(HTMLParser):
    """The page's tables by id, its pictures and its elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.pictures: list[dict[str, str | None]] = []
        self.elements: list[str] = []
        self._table, self._is_cell = "", False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append(tag)
        if tag == "img":
            self.pictures.append(attributes)
        if tag == "div" and (attributes.get("id") or "").startswith("table-"):
            self._table = str(attributes["id"]).removeprefix("table-")
            self.tables[self._table] = []
        if tag == "tr":
            self.tables[self._table].append([])
        if tag in ("th", "td"):
            self._is_cell = True
            self.tables[self._table][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_cell = self._is_cell and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        if self._is_cell:
            self.tables[self._table][-1][-1] += data.replace("\N{MINUS SIGN}", "-").strip()


@contextmanager
def login_of_anybody(county: Settings) -> Iterator[Settings]:
    """The environment of a login that reads only public tables."""
    with connect(county) as owner, pytest.MonkeyPatch.context() as environment:
        make_login(owner, "anybody", "a good one", PUBLIC)
        environment.setenv("OUTCOMES_PG_DATABASE", county.database)
        environment.setenv("OUTCOMES_PG_USER", "anybody")
        environment.setenv("OUTCOMES_PG_PASSWORD", "a good one")
        yield replace(county, user="anybody", password="a good one")
        owner.execute("drop owned by anybody; drop role anybody")


@pytest.fixture
def anybody(large_county: Settings) -> Iterator[Settings]:
    with login_of_anybody(large_county) as settings:
        yield settings


@pytest.fixture(scope="module")
def text(large_county: Settings, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page, made once, by a login that reads only public tables."""
    file = tmp_path_factory.mktemp("report") / "new" / "public.html"
    with login_of_anybody(large_county):
        done = CliRunner().invoke(cli, ["report", "public", "--out", str(file)])
    assert done.exception is None, done.exception
    assert str(file) in done.output
    return file.read_text("utf-8")


def rows(anybody: Settings, query: str) -> list[list[str]]:
    with connect(anybody) as connection:
        return [list(row) for row in connection.execute(query.encode())]


def test_every_figure_equals_sql(anybody: Settings, text: str) -> None:
    tables = Page(text).tables
    public = f"""
        {FIGURES}
        from marts_public.rpt_outcome_gaps
        where involvement = 'ever' and measure <> 'is_chronically_absent_pde' and is_complete_year
    """
    overall = f"{public} and district_id = 'all' and program_group = 'any'"
    found = {
        "levels": [row[1:5] for row in tables["levels"][1:]],
        "years": [row[2:6] for row in tables["years"][1:]],
        "programs": [row[1:5] for row in tables["programs"][1:]],
        "groups": [row[1:5] for row in tables["groups"][1:] if len(row) > 1],
    }
    absences = f"measure = 'is_chronically_absent_federal' and school_year = {NEWEST}"
    expected = {
        "levels": rows(anybody, f"{overall} and school_year = {NEWEST}"),
        "years": rows(anybody, overall),
        "programs": rows(
            anybody,
            f"{public} and district_id = 'all' and program_group <> 'any' and {absences}",
        ),
        "groups": rows(
            anybody,
            f"{public} and district_id <> 'all' and program_group = 'any' and {absences}",
        )
        + rows(
            anybody,
            f"""
            {FIGURES} from marts_public.rpt_outcome_gaps_by_group
            where involvement = 'ever' and district_id = 'all' and {absences}
            """,
        ),
    }
    for name, figures in expected.items():
        assert figures, name
        assert sorted(found[name]) == sorted(figures), name


def test_the_headline_is_made_from_the_data(anybody: Settings, text: str) -> None:
    ((involved, others, gap),) = rows(
        anybody,
        f"""
        select
            to_char(100 * value_involved, 'FM990.0'),
            to_char(100 * value_not_involved, 'FM990.0'),
            to_char(100 * abs(gap), 'FM990.0')
        from marts_public.rpt_outcome_gaps
        where
            measure = 'is_chronically_absent_federal' and district_id = 'all'
            and program_group = 'any' and involvement = 'ever' and school_year = {NEWEST}
        """,
    )
    headline = re.search(r'<p class="headline">(.*?)</p>', text, re.DOTALL)
    assert headline
    assert re.findall(r"(\d+\.\d) (?:%|percentage points)", headline[1]) == [involved, others, gap]


def test_a_headline_says_what_may_be_chance_and_zero_has_no_minus(
    anybody: Settings, large_county: Settings
) -> None:
    columns = "gap, ci_low, ci_high"
    row = (
        "measure = 'is_chronically_absent_federal' and district_id = 'all' and program_group = "
        f"'any' and involvement = 'ever' and school_year = {NEWEST}"
    )
    change = f"update marts_public.rpt_outcome_gaps set ({columns}) = (%s, %s, %s) where {row}"
    found = {}
    with connect(large_county) as owner:
        [kept] = owner.execute(
            f"select {columns} from marts_public.rpt_outcome_gaps where {row}".encode()
        ).fetchall()
        try:
            for low in (-0.0001, 0.0, 0.001):
                owner.execute(change.encode(), [0.02, low, 0.05])
                _, page = public_report()
                found[low] = ": a gap of 2.0 percentage points, which may be" in page
                assert "\N{MINUS SIGN}0.0 to" not in page
        finally:
            owner.execute(change.encode(), kept)
    assert found == {-0.0001: True, 0.0: True, 0.001: False}


@pytest.mark.parametrize(
    ("delivered", "said"),
    [
        ([], ""),
        ([("2011-12", "a"), ("2011-12", "b"), ("2012-13", "b"), ("2012-13", "a")], ""),
        ([("2012-13", "a"), ("2012-13", "b"), ("2011-12", "a")], "(1 in 2011-12, 2 in 2012-13)"),
        ([("2011-12", "a"), ("2012-13", "b")], "(1 in 2011-12, 1 in 2012-13)"),
    ],
    ids=["no_year", "the_same", "one_more", "another"],
)
def test_years_of_other_districts_are_called_so(
    delivered: list[tuple[str, str]], said: str
) -> None:
    found = changing_districts(delivered)
    assert bool(found) == bool(said)
    assert said in found


def test_a_district_has_a_page_of_its_own(anybody: Settings, tmp_path: Path) -> None:
    file = tmp_path / "pittsburgh.html"
    done = CliRunner().invoke(
        cli, ["report", "public", "--district", "pittsburgh", "--out", str(file)]
    )
    assert done.exception is None, done.exception
    page = file.read_text("utf-8")
    assert " of the students of Pittsburgh Public Schools who ever received" in page
    expected = rows(
        anybody,
        f"""
        {FIGURES}
        from marts_public.rpt_outcome_gaps
        inner join policy.outcome_measures using (measure)
        where
            involvement = 'ever' and quoted_in is not null and is_complete_year
            and district_id = 'pittsburgh' and program_group = 'any' and school_year = {NEWEST}
        order by position
        """,
    )
    assert [row[1:5] for row in Page(page).tables["levels"][1:]] == expected


def test_bounds_are_those_of_the_policy_and_what_is_suppressed_has_no_chart(
    large_county: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with copied(large_county, "bounded_county") as county:
        with connect(county) as owner:
            owner.execute("update policy.suppression set lowest_published_share = 0.07")
            owner.execute(
                "update marts_public.rpt_outcome_gaps set is_coded = true, gap = null, "
                "value_not_involved = 0.07, adjusted_gap = null, adjusted_coverage = null "
                "where district_id = 'clairton' and measure = 'is_chronically_absent_federal'"
            )
            owner.execute(
                "update marts_public.rpt_outcome_gaps set is_suppressed = true, gap = null, "
                "value_involved = null, value_not_involved = null "
                "where district_id = 'clairton' and measure = 'gpa'"
            )
        monkeypatch.setenv("OUTCOMES_PG_DATABASE", county.database)
        _, page = public_report("clairton")
    assert "Of all other students it was 7 % or less.</p>" in page
    assert "given as “7 % or less” or “95 % or more”" in page
    tables = Page(page).tables
    (row,) = (row for row in tables["levels"] if row[0] == "Absent 10 % or more")
    assert row[2:5] == ["7 % or less", "not shown", "not shown"]
    (row,) = (row for row in tables["adjusted"] if row[0] == "Absent 10 % or more")
    assert row[1:] == ["not shown", "not shown", "not shown"]
    chart = b64decode(str(Page(page).pictures[0]["src"]).partition(",")[2]).decode()
    assert ">Percent<" in chart
    assert "Grade points" not in chart


def test_a_gap_among_similar_students_says_how_many_have_some(anybody: Settings, text: str) -> None:
    expected = rows(
        anybody,
        f"""
        select to_char(100 * adjusted_coverage, 'FM990 "%"')
        from marts_public.rpt_outcome_gaps
        inner join policy.outcome_measures using (measure)
        where
            involvement = 'ever' and quoted_in is not null and district_id = 'all'
            and program_group = 'any' and school_year = {NEWEST}
        order by position
        """,
    )
    assert [row[3:] for row in Page(text).tables["adjusted"][1:]] == expected


def test_the_page_needs_no_network_and_no_script(text: str) -> None:
    page = Page(text)
    assert re.findall(r"""(?:src|href)=["'](?!data:|#)|url\(|@import""", text) == []
    assert not {"script", "link", "iframe", "form"} & set(page.elements)


def test_five_charts_have_an_alternative_text_and_a_table(text: str) -> None:
    page = Page(text)
    assert len(page.pictures) == len(page.tables) == 5
    assert all(picture["alt"] for picture in page.pictures)
    assert page.elements.count("h1") == page.elements.count("main") == 1
    assert '<html lang="en">' in text
    assert "adjusted slightly to protect children" in text


def test_the_page_says_when_its_figures_were_released(
    anybody: Settings, large_county: Settings, tmp_path: Path, text: str
) -> None:
    ((released_on,),) = rows(anybody, "select max(released_on) from marts_public.rpt_outcome_gaps")
    assert f'<time datetime="{released_on}">' in text
    assert "They were revised" not in text
    change = "update marts_public.rpt_outcome_gaps set revision = {}, revision_reason = {}"
    with connect(large_county) as owner:
        owner.execute(change.format(1, "'a <late> file'").encode())
        try:
            _, page = public_report()
        finally:
            owner.execute(change.format(0, "null").encode())
    assert "They were revised: a &lt;late&gt; file." in page


def test_a_small_county_has_no_cross_tables(
    first_publication: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", first_publication.database)
    _, page = public_report()
    tables = Page(page).tables
    assert "programs" not in tables
    assert len(tables) == 4
    # Districts are compared; groups of students are not.
    assert [row[0] for row in tables["groups"]][:2] == ["Group", "District"]
    assert sum(len(row) == 1 for row in tables["groups"]) == 1


def test_suppressed_figures_are_marked_and_not_zero(text: str) -> None:
    cells = {cell for table in Page(text).tables.values() for row in table for cell in row[1:]}
    assert "suppressed" in cells
    assert {"0", "0.0 %", "nan", "None", "<NA>"} & cells == set()


@pytest.mark.parametrize("width", [390, 1440])
def test_a_browser_shows_the_page_without_a_fault(
    text: str, browser: Browser, tmp_path: Path, width: int
) -> None:
    file = tmp_path / "public.html"
    file.write_text(text, "utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900})
    assert problems(page, file.as_uri()) == []


def test_without_public_rows_the_report_is_an_error(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    done = CliRunner().invoke(cli, ["report", "public", "--out", str(tmp_path / "x.html")])
    assert isinstance(done.exception, OutcomesError)
    assert not (tmp_path / "x.html").exists()
