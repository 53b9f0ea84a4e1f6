"""The invented people: students in families, their parents, and the rest of the county.

`person` numbers the people from 0: first the students, then the parents, then the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from demo import names
from demo.columns import text
from demo.plan import RUNNING_YEAR, Plan

# The state's codes, as the partners write them in words.
RACE_LABELS = {1: "Native American", 2: "Asian", 3: "Black", 4: "Hispanic", 5: "White",
               6: "Multi"}  # fmt: skip
# By the state's codes, from 1.
RACE_SHARES = {
    "pittsburgh": (0.002, 0.03, 0.53, 0.03, 0.348, 0.06),
    "clairton": (0.002, 0.008, 0.58, 0.02, 0.31, 0.08),
    "woodland_hills": (0.002, 0.01, 0.60, 0.02, 0.308, 0.06),
    "cornell": (0.002, 0.02, 0.32, 0.03, 0.548, 0.08),
    "county": (0.002, 0.03, 0.16, 0.02, 0.768, 0.02),
}
# Grades of the demo's students in the running year; above 12 they have left before it.
FIRST_GRADE, HIGH_SCHOOL_END = -1, 12
TODAY = date(2012, 8, 24)


@dataclass(frozen=True)
class Population:
    """All people; the first `students` of them are students.

    `people` has one row per person: person, kind (student, parent, other), names, sex,
    race, birth_date, ssn, present and previous address, family, district_id (students),
    grade (in the running year; students), is_involved, need (0 = average), former_last_name,
    nickname, twin_of, parent, parent_ssn, same_name_as. Outside this package, person n is
    number `numbered_after` + n.
    """

    people: pl.DataFrame
    students: int
    numbered_after: int


def make_population(plan: Plan) -> Population:
    """Draw the population of a plan.

    Families mostly share a surname, and always an address, a race and a part of their need, so
    that siblings are hard to distinguish and outcomes differ by involvement.
    """
    families = _families(plan)
    students = _students(plan, families)
    parents = _parents(plan, families, students)
    students = students.with_columns(parent=_mother_of(students, parents))
    others = _others(plan, start=plan.ever_students + len(parents))
    people = pl.concat([students, parents, others], how="diagonal_relaxed")
    people = _with_marks(people, plan)
    people = people.with_columns(parent_ssn=people["ssn"].gather(people["parent"]))
    return Population(people, plan.ever_students, plan.numbered_after)


def district_sizes(plan: Plan, students: int) -> dict[str, int]:
    """Students by home district: the county's shares, with a minimum for the small districts."""
    if len(plan.districts) == 1:
        return {plan.districts[0]: students}
    clairton = max(round(0.027 * students), min(150, students // 8))
    woodland_hills = max(round(0.129 * students), min(300, students // 4))
    sizes = {"clairton": clairton, "woodland_hills": woodland_hills}
    return {"pittsburgh": students - sum(sizes.values()), **sizes}


def _race(district: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    race = np.empty(len(district), dtype=np.int8)
    for name, shares in RACE_SHARES.items():
        rows = np.flatnonzero(district == name)
        race[rows] = chance.choice(np.arange(1, 7), len(rows), p=np.array(shares))
    return race


def _name_group(race: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Index into `names.RACE_GROUPS`; multiracial families have names of either group."""
    either = chance.integers(0, 2, len(race))
    return np.select([race == 2, race == 3, race == 4, race == 6], [3, 1, 2, either], 0)


def _place(district: np.ndarray, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """City and ZIP, inside the district (`county`: anywhere)."""
    places = names.seed_list("places").with_columns(pl.col("district_id").fill_null("county"))
    city = places["city"].to_numpy()
    code = places["zip"].to_numpy()
    where = places["district_id"].to_numpy()
    chosen = np.empty(len(district), dtype=int)
    for name in RACE_SHARES:
        rows = np.flatnonzero(district == name)
        pool = np.flatnonzero((where == name) | (name == "county"))
        chosen[rows] = pool[chance.integers(0, len(pool), len(rows))]
    return city[chosen], code[chosen]


def _families(plan: Plan) -> pl.DataFrame:
    """One row per family with students: size, district, race, surname, address, need."""
    chance = plan.chance("families")
    sizes, districts = [], []
    for name, students in district_sizes(plan, plan.ever_students).items():
        size = chance.choice([1, 2, 3, 4], students, p=[0.58, 0.28, 0.1, 0.04])
        size = size[: int(np.searchsorted(np.cumsum(size), students)) + 1]
        size[-1] -= size.sum() - students
        sizes.append(size)
        districts.append(np.full(len(size), name, dtype=object))
    district = np.concatenate(districts)
    n = len(district)
    race = _race(district, chance)
    group = _name_group(race, chance)
    city, zip_code = _place(district, chance)
    # Need differs by group; half of a student's need is that of the family.
    hardship = np.where(np.isin(race, [3, 4, 6]), 0.25, -0.2) + (district == "clairton") * 0.2
    return pl.DataFrame(
        {
            "family": np.arange(n),
            "size": np.concatenate(sizes),
            "district_id": district,
            "race": race,
            "group": group,
            "last_name": names.draw_surnames(group, chance),
            "street": names.draw_streets(n, chance),
            "city": city,
            "zip": zip_code,
            "family_need": hardship + chance.normal(0, 1, n),
        }
    )


def _students(plan: Plan, families: pl.DataFrame) -> pl.DataFrame:
    chance = plan.chance("students")
    students = families.select(pl.exclude("size").repeat_by("size").explode())
    n = len(students)
    # Graduates of the finished years are students of the demo, too.
    grade = chance.integers(FIRST_GRADE, HIGH_SCHOOL_END + plan.school_years + 1, n)
    late = (chance.random(n) < 0.08).astype(int)
    # Born in the year before the September in which the grade starts at that age.
    youngest = np.datetime64(f"{RUNNING_YEAR - 1}-09-01")
    years = grade + 5 + late
    birth = np.array([youngest - np.timedelta64(366 + int(y * 365.25), "D") for y in years])
    birth = birth + chance.integers(0, 365, n).astype("timedelta64[D]")
    family = students["family"].to_numpy()
    twin = np.flatnonzero((family[1:] == family[:-1]) & (chance.random(n - 1) < 0.06)) + 1
    twin_of = np.full(n, -1)
    for row in twin:  # few: in order, so that triplets share one birth date
        birth[row], grade[row], twin_of[row] = birth[row - 1], grade[row - 1], row - 1
    is_female = chance.random(n) < 0.49
    group = students["group"].to_numpy()
    first_name = names.draw_first_names(group, is_female, np.full(n, True), chance)
    # A second draw avoids most equal first names within a family.
    seen = pl.DataFrame({"family": family, "first_name": text(first_name)})
    again = ~seen.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()
    first_name[again] = names.draw_first_names(
        group[again], is_female[again], np.full(int(again.sum()), True), chance
    )
    need = 0.7 * students["family_need"].to_numpy() + 0.7 * chance.normal(0, 1, n)
    return students.drop("group", "family_need").with_columns(
        person=pl.Series(np.arange(n)),
        kind=pl.lit("student"),
        birth_date=pl.Series(birth.astype("datetime64[D]")),
        grade=pl.Series(grade),
        sex=pl.Series(np.where(is_female, "F", "M")),
        first_name=text(first_name),
        need=pl.Series(need),
        # Calibrated so that a little more than half of the students were ever involved.
        is_involved=pl.Series(chance.random(n) < 1 / (1 + np.exp(-(0.35 + 1.6 * need)))),
        twin_of=pl.Series(twin_of).replace(-1, None),
    )


def _parents(plan: Plan, families: pl.DataFrame, students: pl.DataFrame) -> pl.DataFrame:
    """A mother per family, a father in three of five; some fathers have a son named Jr."""
    chance = plan.chance("parents")
    oldest = students.group_by("family").agg(pl.col("birth_date").min()).sort("family")
    mothers = families.with_columns(is_female=True)
    fathers = families.filter(pl.Series(chance.random(len(families)) < 0.6))
    parents = pl.concat([mothers, fathers.with_columns(is_female=False)])
    parents = parents.join(oldest, on="family", how="left", maintain_order="left")
    n = len(parents)
    female = parents["is_female"].to_numpy()
    first = names.draw_first_names(parents["group"].to_numpy(), female, np.full(n, False), chance)
    age_at_birth = (chance.gamma(6, 1.6, n) + 16) * 365.25
    # A third of the mothers have another surname than the children.
    other = names.draw_surnames(parents["group"].to_numpy(), chance)
    own_name = female & (chance.random(n) < 0.33)
    parents = parents.with_columns(
        person=pl.Series(np.arange(plan.ever_students, plan.ever_students + n)),
        kind=pl.lit("parent"),
        first_name=text(first),
        last_name=text(np.where(own_name, other, parents["last_name"].to_numpy())),
        sex=pl.Series(np.where(female, "F", "M")),
        birth_date=pl.col("birth_date")
        - pl.duration(days=pl.lit(pl.Series(age_at_birth.astype(int)))),
        need=pl.col("family_need"),
        is_involved=pl.lit(True),
    )
    return _name_sons_jr(parents, students, chance).drop(
        "size", "group", "family_need", "is_female", "district_id"
    )


def _name_sons_jr(
    parents: pl.DataFrame, students: pl.DataFrame, chance: np.random.Generator
) -> pl.DataFrame:
    """Give one father in twelve the name of his first son."""
    sons = students.filter(pl.col("sex") == "M").unique("family", keep="first", maintain_order=True)
    parents = parents.join(
        sons.select("family", son="person", son_first="first_name"),
        on="family",
        how="left",
        maintain_order="left",
    )
    senior = (
        (pl.col("sex") == "M")
        & pl.col("son").is_not_null()
        & pl.Series(chance.random(len(parents)) < 0.08)
    )
    return parents.with_columns(
        first_name=pl.when(senior).then("son_first").otherwise("first_name"),
        suffix=pl.when(senior & pl.Series(chance.random(len(parents)) < 0.5)).then(pl.lit("Sr")),
        same_name_as=pl.when(senior).then("son"),
    ).drop("son", "son_first")


def _mother_of(students: pl.DataFrame, parents: pl.DataFrame) -> pl.Series:
    mothers = parents.filter(pl.col("sex") == "F").select("family", parent="person")
    return students.join(mothers, on="family", how="left", maintain_order="left")["parent"]


def _others(plan: Plan, start: int) -> pl.DataFrame:
    """The rest of the county: adults, and children of other districts."""
    chance = plan.chance("others")
    n = max(0, plan.people - start)
    county = np.full(n, "county", dtype=object)
    race = _race(county, chance)
    group = _name_group(race, chance)
    age = np.where(chance.random(n) < 0.3, chance.uniform(0, 19, n), chance.uniform(19, 85, n))
    female = chance.random(n) < 0.53
    city, zip_code = _place(county, chance)
    birth = np.datetime64(TODAY) - (age * 365.25).astype(int).astype("timedelta64[D]")
    return pl.DataFrame(
        {
            "person": np.arange(start, start + n),
            "kind": pl.repeat("other", n, eager=True),
            "race": race,
            "last_name": text(names.draw_surnames(group, chance)),
            "first_name": text(names.draw_first_names(group, female, age < 25, chance)),
            "sex": np.where(female, "F", "M"),
            "birth_date": birth,
            "street": text(names.draw_streets(n, chance)),
            "city": text(city),
            "zip": text(zip_code),
            "is_involved": np.full(n, True),
            "need": chance.normal(0, 1, n),
        }
    )


def _with_marks(people: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Add middle name, SSN, nickname, former name, former address, and suffixes of juniors."""
    chance = plan.chance("marks")
    n = len(people)
    race = people["race"].to_numpy()
    group = _name_group(race, chance)
    female = people["sex"].to_numpy() == "F"
    child = people["birth_date"].to_numpy() > np.datetime64("1987-01-01")
    middle = names.draw_first_names(group, female, child, chance)
    middle[chance.random(n) < 0.15] = None
    # Women change names by marriage, children by adoption or a parent's marriage.
    renamed = chance.random(n) < np.where(child, 0.03, np.where(female, 0.2, 0.0))
    former = names.draw_surnames(group, chance)
    former[~renamed] = None
    # A family moves together.
    household = people.select(
        pl.when(pl.col("family").is_null())
        .then("person")
        .otherwise(pl.col("person").min().over("family"))
    ).to_series()
    city, zip_code = _place(people["district_id"].fill_null("county").to_numpy(), chance)
    former_home = pl.DataFrame(
        {
            "moved": chance.random(n) < 0.3,
            "street": text(names.draw_streets(n, chance)),
            "city": text(city),
            "zip": text(zip_code),
        }
    )[household]
    goes_by = names.nicknames()
    first = people["first_name"].to_list()
    pick = chance.random(n)
    nickname = [
        short[int(p * len(short))] if (short := goes_by.get(name)) else None
        for name, p in zip(first, pick, strict=True)
    ]
    juniors = people.filter(pl.col("same_name_as").is_not_null())["same_name_as"].to_list()
    writes_suffix = pl.col("person").is_in(juniors) & pl.Series(chance.random(n) < 0.6)
    junior = pl.Series(chance.choice(["Jr", "II", "III"], n, p=[0.7, 0.2, 0.1]))
    return people.with_columns(
        middle_name=text(middle),
        suffix=pl.when(writes_suffix).then(junior).otherwise("suffix"),
        former_last_name=text(former),
        nickname=pl.Series(nickname, dtype=pl.String),
        ssn=pl.Series(_ssns(n, chance)),
        **{
            f"previous_{column}": pl.when(former_home["moved"])
            .then(former_home[column])
            .otherwise(column)
            for column in ("street", "city", "zip")
        },
    )


def _ssns(n: int, chance: np.random.Generator) -> pl.Series:
    """Distinct numbers of people: area 160-211 (Pennsylvania) and 1-665, never 000, 666, 9xx."""
    area = np.where(
        chance.random(n) < 0.8, chance.integers(160, 212, n), chance.integers(1, 666, n)
    )
    serial = chance.integers(0, 99 * 9999, n)
    number = area * 1_000_000 + (serial // 9999 + 1) * 10_000 + serial % 9999 + 1
    return pl.Series(number).cast(pl.String).str.zfill(9)
