"""Makes a demo: people, schools, deliveries, extracts, and the true persons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from demo import rosters, truth
from demo.demographics import make_demographics
from demo.districts import clairton, cornell, pittsburgh, woodland_hills
from demo.faults import FaultLog
from demo.people import make_population
from demo.plan import Plan
from demo.programs import SOURCES, Extracts, assign_records, write_source
from demo.snapshots import deliveries_of, make_school_years, moves_between_schools
from outcomes.errors import OutcomesError

README = """# Invented deliveries

Everybody in these files is invented: names, numbers, birth dates and addresses are random, and
any resemblance to a real person is a coincidence. The layouts are those of the partners' data
appendices.

- `drops/<partner>/<date>/`: the deliveries of the partners.
- `truth/`: the correct links. `student_person` and `client_person` have the person of every
  record, `people` has twins, parents and namesakes, `mess` counts the errors in identities,
  `faults` lists the faults in the files. `student_years` and `school_programs` are what the
  PIMS files of Cornell tell.

Made by `python -m demo` with {students} students and {clients} client records, with Cornell
{all_students} and {all_clients}, {weeks} weeks, {school_years} finished school years, seed {seed}.
The same arguments make the same files, byte for byte.
"""


@dataclass(frozen=True)
class Progress:
    """Callbacks: `step` before each step, `advance` with numbers of client records."""

    step: Callable[[str], None]
    advance: Callable[[int], None]


def generate(plan: Plan, path: Path, progress: Progress) -> None:
    """Write the deliveries and the truth of a plan.

    The folder is new or empty, and gets `drops/`, `truth/` and a README.

    Raises:
        OutcomesError: the folder is not empty, or cannot be created.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OutcomesError(f"{path} is not an empty folder. Name a new one, or empty it first.")
    drops, truth_folder = path / "drops", path / "truth"
    try:
        truth_folder.mkdir(parents=True)
    except OSError as error:
        raise OutcomesError(f"{path} cannot be created: {error.strerror}.") from None
    parts = plan.parts()
    (path / "README.md").write_text(
        README.format(
            students=plan.students,
            clients=plan.clients,
            all_students=sum(part.students for part in parts),
            all_clients=sum(part.clients for part in parts),
            weeks=plan.weeks,
            school_years=plan.school_years,
            seed=plan.seed,
        )
    )
    log = FaultLog()
    student_mess: Counter[str] = Counter()
    client_mess: Counter[str] = Counter()

    progress.step("Inventing people")
    populations = [make_population(part) for part in parts]
    truth.write_people(truth_folder, populations)

    delivered: list[pl.DataFrame] = []
    extracts = []
    for part, population in zip(parts, populations, strict=True):
        progress.step("Inventing school years")
        demographics = make_demographics(part, population)
        school_years = make_school_years(part, population, demographics, student_mess)
        for district in part.districts:
            for delivery in deliveries_of(part, district):
                progress.step(f"Writing {district} {delivery.as_of}")
                folder = _folder(drops, district, delivery.as_of.isoformat())
                known = school_years[district, delivery.school_year].at(delivery.as_of)
                delivered.append(truth.students_of_delivery(delivery, known, population))
                if district == "pittsburgh":
                    last_year = school_years.get((district, delivery.school_year - 1))
                    pittsburgh.write_delivery(
                        plan, folder, delivery, known, last_year, population.people, log
                    )
                elif district == "clairton":
                    clairton.write_delivery(plan, folder, delivery, known)
                elif district == "woodland_hills":
                    woodland_hills.write_delivery(plan, folder, delivery, known, log)
                else:
                    cornell.write_delivery(part, folder, delivery, known)
        if part is plan:
            # No project is in Cornell.
            roster = rosters.make_roster(plan, population, school_years)
        else:
            truth.write_school_years(truth_folder, part, population, school_years)
        moves = moves_between_schools(school_years.values())
        del school_years
        records = assign_records(part, population, demographics)
        extracts.append(Extracts(part, population, records, client_mess, log, moves))

    truth.write_students(truth_folder, delivered)
    for day in plan.rosters():
        rosters.write_roster(_folder(drops, "interventions", day.isoformat()), day, roster)

    for day in plan.human_services():
        _folder(drops, "dhs", day.isoformat())
    for source in SOURCES:
        progress.step(f"Writing {source}")
        write_source(extracts, drops / "dhs", source, progress.advance)

    progress.step("Writing the truth")
    truth.write_clients(truth_folder, extracts)
    truth.write_notes(truth_folder, student_mess, client_mess, log)


def _folder(drops: Path, partner: str, day: str) -> Path:
    folder = drops / partner / day
    folder.mkdir(parents=True)
    return folder
