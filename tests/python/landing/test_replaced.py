"""An object that was renamed, split or merged takes the place of its predecessor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from outcomes.contracts.model import Contract
from outcomes.contracts.reader import ContractError, Contracts, load_contract, load_contracts
from outcomes.landing.archive import Archive
from outcomes.warehouse.migrations import migrations

from .commands import run
from .deliveries import NEW_DISTRICT, deliver, land, ledger, new_district

# Feed → the columns that an object binds, and what they hold.
COLUMNS = {
    "gpas": ["district_student_id", "school_year", "marking_period", "gpa"],
    "enrollments": ["district_student_id", "school_code", "entry_date"],
    "schools": ["school_code", "school_name"],
    "students": ["district_student_id", "last_name"],
}
VALUES = {
    "district_student_id": "{n}", "school_year": "2012-13", "marking_period": "1", "gpa": "3",
    "school_code": "1", "entry_date": "2012-08-27", "school_name": "Invented",
    "last_name": "Invented",
}  # fmt: skip
TYPES: dict[str, dict[str, Any]] = {
    "marking_period": {
        "logicalType": "integer",
        "logicalTypeOptions": {"minimum": 1, "maximum": 4},
    },
    "gpa": {"logicalType": "number", "logicalTypeOptions": {"minimum": 0, "maximum": 5}},
    "entry_date": {"logicalType": "date", "logicalTypeOptions": {"format": "yyyy-MM-dd"}},
}
SEPTEMBER, OCTOBER, NOVEMBER = "2012-09-03", "2012-10-01", "2012-11-05"

Objects = Mapping[str, list[str]]


def contract(
    objects: Objects,
    *,
    replaces: Mapping[str, list[str]] | None = None,
    shared: Iterable[str] = (),
    cumulative: Iterable[str] = (),
) -> str:
    """A contract of objects and the feeds that each fills."""
    document = yaml.safe_load(NEW_DISTRICT)
    document["customProperties"] += [
        {"property": "sharedFeeds", "value": [*shared]},
        {"property": "maxShrinkShare", "value": 0.1},
    ]
    document["customProperties"].remove({"property": "maxShrinkShare", "value": 0.5})
    document["schema"] = [
        {
            "name": name,
            "customProperties": [
                {"property": "file", "value": {"name": f"{name}.csv"}},
                {
                    "property": "snapshot",
                    "value": "cumulative" if name in cumulative else "school_year",
                },
                {"property": "replaces", "value": (replaces or {}).get(name, [])},
            ],
            "properties": [bound(column, feeds) for column in columns_of(feeds)],
        }
        for name, feeds in objects.items()
    ]
    return str(yaml.safe_dump(document))


def columns_of(feeds: list[str]) -> list[str]:
    return list(dict.fromkeys(column for feed in feeds for column in COLUMNS[feed]))


def bound(column: str, feeds: list[str]) -> dict[str, Any]:
    """A property that is bound to all feeds that have its column."""
    own = [f"{feed}.{column}" for feed in feeds if column in COLUMNS[feed]]
    more = [{"property": "parse", "value": "school_year_span"}] if column == "school_year" else []
    return {
        "name": column,
        "logicalType": "string",
        "classification": "none",
        "required": True,
        "customProperties": [{"property": "feeds", "value": own}, *more],
        **TYPES.get(column, {}),
    }


class District:
    """A new district, whose contract can change."""

    def __init__(self, folder: Path, connection: psycopg.Connection) -> None:
        self.folder = folder
        self.connection = connection
        self.objects: Objects = {}
        self.contracts = Contracts()

    def agree(self, objects: Objects, **more: Any) -> None:
        """Change the contract."""
        self.objects = objects
        text = contract(objects, **more)
        self.contracts = load_contracts(new_district(self.folder, text))
        assert not self.contracts.unusable

    def send(self, day: str, **rows: int) -> dict[str, str]:
        """Deliver files with so many rows, and land them: object → status."""
        for name, number in rows.items():
            columns = columns_of(self.objects[name])
            lines = [",".join(columns)] + [
                ",".join(VALUES[column].format(n=n) for column in columns) for n in range(number)
            ]
            deliver(self.folder, f"drops/steel_valley/{day}/{name}.csv", "\n".join(lines).encode())
        land(self.connection, self.folder / "drops" / "steel_valley" / day, self.contracts)
        return dict(ledger(self.connection, "contract_object || ' ' || as_of_date, status"))

    def replaced(self) -> set[str]:
        """The entries of the ledger."""
        return {
            f"{new} for {old} in {feed}"
            for feed, new, old in self.connection.execute(
                "select feed, contract_object, replaced_object from landing.replaced_objects"
            )
        }


@pytest.fixture
def district(connection: psycopg.Connection, archive: Archive, tmp_path: Path) -> District:
    return District(tmp_path, connection)


def refusal(folder: Path, objects: Objects, **more: Any) -> str:
    text = contract(objects, **more)
    with pytest.raises(ContractError) as error:
        load_contract(next(new_district(folder, text).glob("*.yaml")))
    return str(error.value)


def test_a_contract_says_whose_snapshot_is_in_force(tmp_path: Path) -> None:
    two = {"old": ["gpas"], "new": ["gpas"]}
    words = refusal(tmp_path, two)
    assert "'old' and 'new' both fill gpas." in words
    assert "`replaces: [old]`" in words
    assert "list gpas in the contract's `sharedFeeds`" in words
    both = {"old": ["gpas", "students"], "new": ["gpas", "students"]}
    assert "students.last_name" in refusal(tmp_path, both, shared=["gpas"])
    # The ids of students only say to whom a row belongs.
    apart = {"old": ["gpas"], "new": ["enrollments"]}
    replaces_old = {"replaces": {"new": ["old"]}}
    for objects, more in (
        (two, replaces_old),
        (two, {"shared": ["gpas"]}),
        (apart, {}),
        # A former object, in no contract.
        ({"new": ["gpas"]}, replaces_old),
    ):
        text = contract(objects, **more)
        assert isinstance(load_contract(next(new_district(tmp_path, text).glob("*"))), Contract)


def test_a_contract_cannot_say_nonsense(tmp_path: Path) -> None:
    two = {"old": ["gpas"], "new": ["gpas"]}
    in_circles = {"new": ["old"], "old": ["new"]}
    assert "replaces itself through other objects" in refusal(tmp_path, two, replaces=in_circles)
    itself = {"old": ["old"]}
    assert "does not replace itself" in refusal(tmp_path, {"old": ["gpas"]}, replaces=itself)
    assert "not two objects fill 'gpa'" in refusal(tmp_path, two, shared=["gpa"])


def test_a_renamed_object_is_compared_with_its_predecessor(district: District) -> None:
    district.agree({"old": ["gpas"], "other": ["enrollments"]})
    district.send(SEPTEMBER, old=100, other=100)
    district.agree({"new": ["gpas"], "other": ["enrollments"]})
    statuses = district.send(OCTOBER, new=89, other=100)
    assert district.replaced() == {"new for old in gpas"}
    assert statuses["new 2012-10-01"] == "held"
    (detail,) = district.connection.execute(
        "select detail from landing.files where status = 'held'"
    ).fetchone() or [""]
    assert detail == ("89 rows, 100 in the snapshot of old of 2012-09-03; at most 10% may be lost")
    assert district.send(NOVEMBER, new=90)["new 2012-11-05"] == "loaded"
    # The next is compared with its own predecessor.
    assert district.send("2012-11-12", new=82)["new 2012-11-12"] == "loaded"


def test_names_may_change_back_and_forth(district: District) -> None:
    for name, day in zip("abac", (SEPTEMBER, OCTOBER, NOVEMBER, "2012-12-03"), strict=True):
        district.agree({name: ["gpas"]})
        assert district.send(day, **{name: 100})[f"{name} {day}"] == "loaded"
        assert district.send(f"{day[:-1]}9", **{name: 50})[f"{name} {day[:-1]}9"] == "held"
    assert district.replaced() == {"c for a in gpas", "c for b in gpas", "a for b in gpas"}


def test_a_renamed_object_may_land_its_old_files_again(district: District) -> None:
    """`outcomes land drops` lands every file that the new name fits."""
    district.agree({"old": ["gpas"]})
    district.send(SEPTEMBER, old=100)
    district.agree({"new": ["gpas"]})
    district.send(SEPTEMBER, new=100)
    district.send(OCTOBER, new=100)
    assert district.replaced() == {"new for old in gpas"}


def test_a_split_object_is_compared_as_a_whole(district: District) -> None:
    district.agree({"all": ["gpas"]})
    district.send(SEPTEMBER, all=100)
    district.agree(
        {"high": ["gpas"], "middle": ["gpas"]},
        shared=["gpas"],
        replaces={"high": ["all"], "middle": ["all"]},
    )
    assert district.send(OCTOBER, high=60)["high 2012-10-01"] == "held"
    statuses = district.send(OCTOBER, middle=30)
    assert (statuses["high 2012-10-01"], statuses["middle 2012-10-01"]) == ("loaded", "loaded")


def test_an_object_may_be_split_by_feed_and_merged_again(district: District) -> None:
    district.agree({"both": ["gpas", "enrollments"]})
    district.send(SEPTEMBER, both=100)
    district.agree({"marks": ["gpas"], "spells": ["enrollments"]})
    statuses = district.send(OCTOBER, marks=100, spells=80)
    assert (statuses["marks 2012-10-01"], statuses["spells 2012-10-01"]) == ("loaded", "held")
    assert district.replaced() == {"marks for both in gpas", "spells for both in enrollments"}
    district.send(OCTOBER, spells=100)
    district.agree({"both": ["gpas", "enrollments"]})
    assert district.send(NOVEMBER, both=89)["both 2012-11-05"] == "held"
    assert district.replaced() == {"both for marks in gpas", "both for spells in enrollments"}


def test_two_objects_are_merged_into_one_of_them(district: District) -> None:
    district.agree({"high": ["gpas"], "middle": ["gpas"]}, shared=["gpas"])
    district.send(SEPTEMBER, high=60, middle=40)
    district.agree({"high": ["gpas"]}, replaces={"high": ["middle"]})
    # 60 are its own, and still in force are the 40.
    assert district.send(OCTOBER, high=80)["high 2012-10-01"] == "loaded"
    assert district.send(NOVEMBER, high=100)["high 2012-11-05"] == "loaded"


def test_a_new_year_and_another_kind_of_snapshot(district: District) -> None:
    district.agree({"old": ["schools"]})
    district.send(SEPTEMBER, old=100)
    district.agree({"new": ["schools"]}, cumulative=["new"])
    assert district.send(OCTOBER, new=80)["new 2012-10-01"] == "held"
    district.agree({"next": ["enrollments"]})
    assert district.send(NOVEMBER, next=1)["next 2012-11-05"] == "loaded"


def test_a_landing_refuses_what_the_contract_leaves_open(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.agree({"high": ["gpas"], "middle": ["gpas"]}, shared=["gpas"])
    district.send(SEPTEMBER, high=60, middle=40)
    monkeypatch.setattr(
        "outcomes.landing.land.load_contracts",
        lambda: load_contracts(district.folder / "contracts"),
    )
    for objects, fill in (
        ({"high": ["gpas"]}, "'high'"),
        ({"north": ["gpas"], "south": ["gpas"]}, "'north' and 'south'"),
    ):
        district.agree(objects, shared=["gpas"] if len(objects) == 2 else [])
        deliver(district.folder, f"drops/steel_valley/{OCTOBER}/{next(iter(objects))}.csv", b"x")
        code, output = run("land", district.folder / "drops" / "steel_valley" / OCTOBER)
        assert code == 3
        assert "the contract no longer has" in output
        assert f"is in force for gpas beside {fill}" in output
        assert "`replaces: [" in output
        assert len(ledger(district.connection)) == 2, "nothing landed"
    # Last year's snapshots stay in force for their year.
    deliver(district.folder, "drops/steel_valley/2013-06-30/north.csv", b"x")
    assert "no longer has" in run("land", district.folder / "drops/steel_valley/2013-06-30")[1]
    deliver(district.folder, "drops/steel_valley/2013-07-01/north.csv", b"x")
    assert "no longer has" not in run("land", district.folder / "drops/steel_valley/2013-07-01")[1]


def test_an_earlier_warehouse_learns_what_its_files_fill(district: District) -> None:
    district.agree({"old": ["gpas", "enrollments"], "schools": ["schools"]}, cumulative=["schools"])
    district.send(SEPTEMBER, old=2, schools=1)
    before = ledger(district.connection, "snapshot, feeds")
    assert before == [("school_year", ["gpas", "enrollments"]), ("cumulative", ["schools"])]
    again = "alter table landing.files drop column snapshot, drop column feeds;"
    again += migrations()["0005_replaced_objects_and_weeks"].partition("-- Objects whose")[0]
    district.connection.execute(again.encode())
    assert ledger(district.connection, "snapshot, feeds") == before
    district.connection.execute(
        "delete from landing.contract_objects where contract_object = 'old'"
    )
    district.connection.execute(again.encode())
    (snapshot, feeds), _ = ledger(district.connection, "snapshot, feeds")
    assert (snapshot, set(feeds)) == ("school_year", {"gpas", "enrollments"})
