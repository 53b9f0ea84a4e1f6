"""Invented OneRoster exports: the CSV files of versions 1.1 and 1.2, in bulk and as changes."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

BASE = ["sourcedId", "status", "dateLastModified"]
FILES = {
    "orgs": ["name", "type", "identifier", "parentSourcedId"],
    "academicSessions": [
        "title", "type", "startDate", "endDate", "parentSourcedId", "schoolYear",
    ],
    "courses": [
        "schoolYearSourcedId", "title", "courseCode", "grades", "orgSourcedId", "subjects",
        "subjectCodes",
    ],
    "classes": [
        "title", "grades", "courseSourcedId", "classCode", "classType", "location",
        "schoolSourcedId", "termSourcedIds", "subjects", "subjectCodes", "periods",
    ],
    "users": [
        "enabledUser", "orgSourcedIds", "role", "username", "userIds", "givenName", "familyName",
        "middleName", "identifier", "email", "sms", "phone", "agentSourcedIds", "grades",
        "password",
    ],
    "demographics": [
        "birthDate", "sex", "americanIndianOrAlaskaNative", "asian", "blackOrAfricanAmerican",
        "nativeHawaiianOrOtherPacificIslander", "white", "demographicRaceTwoOrMoreRaces",
        "hispanicOrLatinoEthnicity", "countryOfBirthCode", "stateOfBirthAbbreviation",
        "cityOfBirth", "publicSchoolResidenceStatus",
    ],
    "enrollments": [
        "classSourcedId", "schoolSourcedId", "userSourcedId", "role", "primary", "beginDate",
        "endDate",
    ],
    "categories": ["title"],
    "lineItems": [
        "title", "description", "assignDate", "dueDate", "classSourcedId", "categorySourcedId",
        "gradingPeriodSourcedId", "resultValueMin", "resultValueMax",
    ],
    "results": [
        "lineItemSourcedId", "studentSourcedId", "scoreStatus", "score", "scoreDate", "comment",
    ],
}  # fmt: skip
# The files that changed in version 1.2, by its CSV binding.
USERS_12 = [
    "enabledUser", "username", "userIds", "givenName", "familyName", "middleName", "identifier",
    "email", "sms", "phone", "agentSourcedIds", "grades", "password", "userMasterIdentifier",
    "preferredGivenName", "preferredMiddleName", "preferredFamilyName", "primaryOrgSourcedId",
    "resourceSourcedIds", "pronouns",
]  # fmt: skip
ROLES_12 = [
    "userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId",
    "userProfileSourcedId",
]  # fmt: skip

LINE_ITEMS_12 = [
    "title", "description", "assignDate", "dueDate", "classSourcedId", "categorySourcedId",
    "academicSessionSourcedId", "resultValueMin", "resultValueMax", "schoolSourcedId",
]  # fmt: skip
RESULTS_12 = [
    *FILES["results"], "textScore", "classSourcedId", "inProgress", "incomplete", "late",
    "missing",
]  # fmt: skip

Row = dict[str, str]
Tables = dict[str, list[Row]]


def school_year() -> Tables:
    """Two schools, two terms, three classes per school, a teacher, and various students."""
    tables: Tables = {name: [] for name in FILES}
    tables["orgs"] = [
        {"sourcedId": "org-d", "name": "Steel Valley", "type": "district"},
        {"sourcedId": "org-1", "name": "Woodlawn Middle", "type": "school", "identifier": "0101"},
        {"sourcedId": "org-2", "name": "Steel High", "type": "school", "identifier": "0102"},
    ]
    # A session's end is the day after its last day.
    for session in (
        ("year", "schoolYear", "2012-08-27", "2013-06-08"),
        ("t1", "semester", "2012-08-27", "2013-01-19"),
        ("t2", "semester", "2013-01-22", "2013-06-08"),
    ):
        names = ("sourcedId", "type", "startDate", "endDate")
        tables["academicSessions"].append(
            dict(zip(names, session, strict=True)) | {"schoolYear": "2013"}
        )
    for subject in ("Math", "English"):
        tables["courses"].append(
            {"sourcedId": f"co-{subject}", "title": subject, "courseCode": subject[:3].upper(),
             "subjects": f"{subject},Other"}
        )  # fmt: skip
    for school in ("1", "2"):
        for term, subject in (("t1", "Math"), ("t2", "Math"), ("t1,t2", "English")):
            tables["classes"].append(
                {"sourcedId": f"cl-{school}-{subject}-{term}", "title": f"{subject} {school}",
                 "courseSourcedId": f"co-{subject}", "schoolSourcedId": f"org-{school}",
                 "classType": "scheduled", "termSourcedIds": term}
            )  # fmt: skip
    tables["users"].append(
        {"sourcedId": "u-t", "role": "teacher", "givenName": "Tea", "familyName": "Cher"}
    )
    tables["enrollments"].append(
        {"sourcedId": "e-t", "classSourcedId": "cl-1-Math-t1", "schoolSourcedId": "org-1",
         "userSourcedId": "u-t", "role": "teacher", "primary": "true"}
    )  # fmt: skip
    return tables


def add_student(
    tables: Tables,
    number: int,
    enrolled: Sequence[tuple[str, str, str]],
    flags: Mapping[str, str] = {},
    **changes: str,
) -> None:
    """Add a student with class enrollments (class, first day, day after the last)."""
    guid = f"u-{number}"
    tables["users"].append(
        {"sourcedId": guid, "role": "student", "enabledUser": "true", "orgSourcedIds": "org-1",
         "username": f"x{number}", "givenName": f"Given{number}", "familyName": f"Family{number}",
         "identifier": f"{number:06}", "grades": "07",
         "userIds": f"{{Local:{number}}},{{PAsecureID:{1000000000 + number}}}", **changes}
    )  # fmt: skip
    races = FILES["demographics"][2:9]
    tables["demographics"].append(
        {"sourcedId": guid, "birthDate": "2000-02-29", "sex": "female",
         **dict.fromkeys(races, "false"), **flags}
    )  # fmt: skip
    for place, (class_, begins, ends) in enumerate(enrolled):
        school = class_.split("-")[1]
        tables["enrollments"].append(
            {"sourcedId": f"e-{number}-{place}", "classSourcedId": class_,
             "schoolSourcedId": f"org-{school}", "userSourcedId": guid, "role": "student",
             "beginDate": begins, "endDate": ends}
        )  # fmt: skip


def write(
    folder: Path,
    tables: Mapping[str, Sequence[Row]],
    name: str,
    *,
    version: str = "1.1",
    mode: str = "bulk",
) -> Path:
    """An export as a zip archive; with changes only, every row has a status and a time."""
    columns = dict(FILES)
    tables = dict(tables)
    if version == "1.2":
        columns |= {"users": USERS_12, "roles": ROLES_12, "categories": ["title", "weight"]}
        columns |= {"lineItems": LINE_ITEMS_12, "results": RESULTS_12}
        tables["lineItems"] = [
            row | {"academicSessionSourcedId": row.get("gradingPeriodSourcedId", "")}
            for row in tables.get("lineItems", [])
        ]
        tables["roles"] = [
            {"sourcedId": f"r-{user['sourcedId']}", "userSourcedId": user["sourcedId"],
             "roleType": "primary", "role": user.get("role", ""), "orgSourcedId": "org-1",
             "status": user.get("status", "")}
            for user in tables.get("users", [])
        ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    manifest = [("manifest.version", "1.0"), ("oneroster.version", version)]
    manifest += [(f"file.{file}", mode) for file in columns]
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.csv", _csv(("propertyName", "value"), manifest))
        for file, own in columns.items():
            header = [*BASE, *own]
            stamp = {"status": "active", "dateLastModified": "2012-10-01T00:00:00.000Z"}
            rows = [(stamp if mode == "delta" else {}) | row for row in tables.get(file, [])]
            lines = [[row.get(column, "") for column in header] for row in rows]
            archive.writestr(f"{file}.csv", _csv(header, lines))
    return folder / name


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([header, *rows])
    return text.getvalue()
