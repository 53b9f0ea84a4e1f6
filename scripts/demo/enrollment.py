"""Enrollment: students of a district by school year, and their spells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from demo.columns import text
from demo.people import HIGH_SCHOOL_END, Population, district_sizes
from demo.plan import RUNNING_YEAR, Plan
from demo.schools import BANDS, District, session_dates

# Share of students for each event of a school year.
EVENTS = {
    "stays": 0.862,
    "enters_late": 0.03,
    "changes_school": 0.045,
    "moves_away": 0.02,
    "leaves_state": 0.008,
    "drops_out": 0.008,
    "leaves_and_returns": 0.008,
    "never_comes": 0.012,
    "dies": 0.0003,
    "entered_by_mistake": 0.0067,
}
NEVER = np.datetime64("NaT", "D")
EXIT_CODES = {"moves_away": "WD02", "leaves_state": "WD03", "drops_out": "WD01", "dies": "WD06"}


@dataclass(frozen=True)
class Enrollment:
    """The students of one district and school year.

    `roster`: one row per student: person, district_student_id, state_student_id, grade.
    `spells`: one row per spell: person, school_code, grade, entry_date, entry_code,
    exit_date, exit_code, visible_until (later snapshots lack the row).
    """

    roster: pl.DataFrame
    spells: pl.DataFrame


def homes_by_year(plan: Plan, population: Population) -> pl.DataFrame:
    """One row per student and school year: person, school_year, district_id, grade.

    One student in forty lived in another district until last year.
    """
    chance = plan.chance("homes")
    # The year before the running one is always needed: its tests arrive in August.
    first = min(plan.first_year, RUNNING_YEAR - 1)
    students = population.people.head(population.students)
    n = len(students)
    sizes = district_sizes(plan, n)
    former = text(chance.choice(list(sizes), n, p=[size / n for size in sizes.values()]))
    has_moved = pl.Series(chance.random(n) < 0.04)
    years = [
        students.select(
            "person",
            pl.lit(year).alias("school_year"),
            (pl.when(has_moved).then(former).otherwise("district_id") if year < RUNNING_YEAR
             else pl.col("district_id")).alias("district_id"),
            pl.col("grade") - (RUNNING_YEAR - year),
        )
        for year in range(first, RUNNING_YEAR + 1)
    ]  # fmt: skip
    return pl.concat(years).filter(pl.col("grade") <= HIGH_SCHOOL_END)


def student_ids(plan: Plan, population: Population, district: District) -> pl.DataFrame:
    """The ids that a district gives its students: one row per student.

    Columns: person, district_student_id, new_student_id (for the few who are enrolled again in
    the running year under a new id), state_student_id (null: not sent).
    """
    n = population.students
    chance = plan.chance("ids", district.district_id)
    highest = max(district.highest_id, 4 * n)
    local = chance.choice(np.arange(1000, highest), 2 * n, replace=False)
    # The state's id is the same in all districts, except for a few duplicates.
    state = plan.chance("state ids").choice(800_000_000, 2 * n, replace=False) + 1_000_000_000
    state_id = np.where(chance.random(n) < 0.004, state[n:], state[:n])
    if district.district_id == "pittsburgh":
        family = population.people.head(n)["family"].to_numpy()
        sibling = np.flatnonzero(family[1:] == family[:-1]) + 1
        shared = chance.choice(sibling, max(1, n // 1000), replace=False)
        state_id[shared] = state_id[shared - 1]
    # Where the state's id is the key of the files, it is never missing.
    missing = 0.0 if district.district_id in ("woodland_hills", "cornell") else 0.015
    frame = pl.DataFrame(
        {
            "person": np.arange(n),
            "district_student_id": local[:n],
            "new_student_id": np.where(chance.random(n) < 0.008, local[n:], 0),
            "state_student_id": np.where(chance.random(n) < missing, 0, state_id),
        }
    )
    digits = district.id_digits
    new, state_student_id = pl.col("new_student_id"), pl.col("state_student_id")
    if district.district_id == "cornell":
        # It has no other id.
        frame = frame.with_columns(district_student_id=state_student_id, new_student_id=0)
    return frame.with_columns(
        pl.col("district_student_id").cast(pl.String).str.zfill(digits),
        pl.when(new > 0).then(new.cast(pl.String).str.zfill(digits)).alias("new_student_id"),
        pl.when(state_student_id > 0)
        .then(state_student_id.cast(pl.String))
        .alias("state_student_id"),
    )


def activities(directory: pl.DataFrame) -> pl.DataFrame:
    """One row per entry and per exit of the spells: school_code, state_student_id, day, code…"""
    spells = directory.with_row_index("spell")
    key = ["spell", "school_code", "state_student_id", "grade"]
    entries = spells.select(*key, day="entry_date", code="entry_code")
    exits = spells.filter(pl.col("exit_date").is_not_null()).select(
        *key, day="exit_date", code="exit_code"
    )
    # Entry before exit where both fall on one day.
    return pl.concat([entries, exits]).sort("spell", "day", maintain_order=True)


@dataclass
class Movement:
    """Students who left permanently, and students who arrive in the next district."""

    has_left: np.ndarray
    arrivals: pl.DataFrame

    @classmethod
    def none(cls, students: int) -> Movement:
        """Nobody has left yet."""
        schema = {"person": pl.Int64, "grade": pl.Int64, "left_on": pl.Date}
        return cls(np.zeros(students, dtype=bool), pl.DataFrame(schema=schema))


def make_enrollment(
    plan: Plan,
    homes: pl.DataFrame,
    ids: pl.DataFrame,
    district: District,
    school_year: int,
    schools: pl.DataFrame,
    calendar: pl.DataFrame,
    movement: Movement,
) -> Enrollment:
    """Draw the enrollment of a district and school year.

    Schools and calendar are those of the district and year. `movement`, who has left and who
    arrives, is updated for later years and districts.
    """
    chance = plan.chance("enrollment", district.district_id, school_year)
    at_home = homes.filter(
        (pl.col("school_year") == school_year) & (pl.col("district_id") == district.district_id)
    ).select("person", "grade")
    at_home = at_home.filter(~pl.Series(movement.has_left[at_home["person"].to_numpy()]))
    arrivals = movement.arrivals.join(at_home, on="person", how="anti")
    roster = pl.concat([at_home, arrivals], how="diagonal").filter(
        pl.col("grade") >= district.lowest_grade
    )
    n = len(roster)

    days = session_dates(calendar)
    seen = days[days <= np.datetime64(plan.last_day)]
    school, other_school = _choose_schools(roster, schools, chance)
    event = _draw_events(roster, school_year, len(seen) / len(days), chance)
    event[(event == "changes_school") & (school == other_school)] = "stays"
    # The day of the event: not the first days, and early enough to be delivered.
    first_week = min(6, len(seen) - 1)
    day = chance.integers(first_week, max(first_week + 1, len(seen) - 3), n)

    entry = _entries(roster, school, event, seen[day], calendar)
    entry_code = np.full(n, "E01")
    leave, exit_code = _exits(roster, event, entry, seen[day], days, chance)
    mistake = event == "entered_by_mistake"
    visible_until = np.where(mistake, entry + chance.integers(10, 25, n), NEVER)
    grade, person = roster["grade"].to_numpy(), roster["person"].to_numpy()
    first = _spells(person, school, grade, entry, entry_code, leave, exit_code, visible_until)

    changes, returns = event == "changes_school", event == "leaves_and_returns"
    gap = np.where(returns, chance.integers(6, 26, n), 1)
    # One change in twenty overlaps, because the old school records the exit a few days late.
    gap[changes & (chance.random(n) < 0.05)] = -2
    back = days[(day + gap).clip(0, len(days) - 1)]
    again = (changes | returns) & (day + gap < len(days))
    second = _spells(
        person=person,
        school=np.where(changes, other_school, school),
        grade=grade,
        entry=back,
        entry_code=np.where(changes, "R12", "R11"),
        leave=np.full(n, NEVER),
        exit_code=np.full(n, None, dtype=object),
        visible_until=np.full(n, NEVER),
    ).filter(pl.Series(again))

    movement.has_left[person[np.isin(event, list(EXIT_CODES)) | (exit_code == "WD04")]] = True
    # A few of those who move away arrive in the next district.
    moved = roster.select("person", "grade", left_on=pl.Series(leave)).filter(
        pl.Series(np.equal(event, "moves_away"))
    )
    movement.arrivals = moved.head(3 + n // 1000)
    return Enrollment(
        roster=_with_ids(roster.select("person", "grade"), ids, school_year),
        spells=pl.concat([first, second]).sort("person", "entry_date", maintain_order=True),
    )


def _draw_events(
    roster: pl.DataFrame, school_year: int, share_seen: float, chance: np.random.Generator
) -> np.ndarray:
    """One of `EVENTS` (or `arrives`) for each student of the roster."""
    share = dict(EVENTS)
    share["entered_by_mistake"] *= school_year == RUNNING_YEAR
    # In the running year, events only happen in the delivered part of the year.
    for what in ("enters_late", "changes_school", *EXIT_CODES, "leaves_and_returns"):
        share[what] *= max(0.3, share_seen)
    share["stays"] += 1 - sum(share.values())
    names = np.array(list(share), dtype=object)
    event = names[chance.choice(len(names), len(roster), p=list(share.values()))]
    return np.where(roster["left_on"].is_not_null().to_numpy(), "arrives", event)


def _entries(
    roster: pl.DataFrame,
    school: np.ndarray,
    event: np.ndarray,
    day: np.ndarray,
    calendar: pl.DataFrame,
) -> np.ndarray:
    """Entry date: the school's first day, `day`, or after the other district."""
    opening = calendar.filter("in_session").group_by("school_code").agg(
        pl.col("calendar_date").min()
    )  # fmt: skip
    first_day = dict(opening.iter_rows())
    entry = np.array([first_day[code] for code in school], dtype="datetime64[D]")
    late, arrives = event == "enters_late", event == "arrives"
    entry[late] = day[late]
    days = session_dates(calendar)
    left_on = roster["left_on"].to_numpy().astype("datetime64[D]")[arrives]
    after = np.searchsorted(days, left_on, side="right").clip(max=len(days) - 1)
    entry[arrives] = days[after]
    return entry


def _exits(
    roster: pl.DataFrame,
    event: np.ndarray,
    entry: np.ndarray,
    day: np.ndarray,
    days: np.ndarray,
    chance: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Exit date and code of the first spell, or NEVER and None."""
    n = len(roster)
    leave = np.full(n, NEVER)
    exit_code = np.full(n, None, dtype=object)
    codes = {**EXIT_CODES, "changes_school": "WD12", "leaves_and_returns": "WD01"}
    for what, code in codes.items():
        rows = event == what
        leave[rows], exit_code[rows] = day[rows], code
    no_show = event == "never_comes"
    leave[no_show], exit_code[no_show] = entry[no_show], "WD09"
    senior = (roster["grade"].to_numpy() == HIGH_SCHOOL_END) & np.isnat(leave)
    graduates = senior & (chance.random(n) < 0.93)
    leave[graduates] = days[-1 - chance.integers(0, 4, int(graduates.sum()))]
    exit_code[graduates] = "WD04"
    return leave, exit_code


def _with_ids(roster: pl.DataFrame, ids: pl.DataFrame, school_year: int) -> pl.DataFrame:
    roster = roster.join(ids, on="person", how="left", maintain_order="left")
    if school_year == RUNNING_YEAR:
        roster = roster.with_columns(
            district_student_id=pl.coalesce("new_student_id", "district_student_id")
        )
    return roster.drop("new_student_id")


def _choose_schools(
    roster: pl.DataFrame, schools: pl.DataFrame, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A school for the student's grade, the same one each year, and another such school."""
    grade = roster["grade"].to_numpy()
    person = roster["person"].to_numpy()
    school = np.empty(len(roster), dtype=object)
    other = np.empty(len(roster), dtype=object)
    for band, (low, high) in BANDS.items():
        codes = schools.filter(pl.col("band") == band)["school_code"].to_numpy()
        rows = np.flatnonzero((grade >= low) & (grade <= high))
        # The multiplier spreads consecutive persons over the schools.
        place = person[rows] * 7919 % 104_729 % len(codes)
        step = chance.integers(1, max(2, len(codes)), len(rows))
        school[rows] = codes[place]
        other[rows] = codes[(place + step) % len(codes)]
    return school, other


def _spells(
    person: np.ndarray, school: np.ndarray, grade: np.ndarray, entry: np.ndarray,
    entry_code: np.ndarray, leave: np.ndarray, exit_code: np.ndarray, visible_until: np.ndarray,
) -> pl.DataFrame:  # fmt: skip
    return pl.DataFrame(
        {
            "person": person,
            "school_code": text(school),
            "grade": grade,
            "entry_date": entry,
            "entry_code": text(entry_code),
            "exit_date": leave,
            "exit_code": text(exit_code),
            "visible_until": visible_until,
        }
    )
