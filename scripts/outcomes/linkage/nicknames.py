"""Make the seed of nicknames from the PyPI package `nicknames`.

The package is "Nickname and Diminutive Names Lookup" by Carlton Northern and others,
Apache License 2.0; `seeds/identity/first_name_nicknames.NOTICE` keeps that notice.

Example:
    python -m outcomes.linkage.nicknames
"""

from __future__ import annotations

import csv
from importlib import metadata, resources

from outcomes.config import PROJECT_DIR

SEED_FILE = PROJECT_DIR / "seeds" / "identity" / "first_name_nicknames.csv"


def write_seed() -> int:
    """Write the seed, sorted, without names that standardizing would change.

    Returns:
        Number of pairs written.
    """
    source = resources.files("nicknames").joinpath("names.csv").read_text("utf-8")
    pairs = {
        (row["name1"].strip(), row["name2"].strip())
        for row in csv.DictReader(source.splitlines())
        if row["relationship"] == "has_nickname"
    }
    kept = sorted(
        (name, nickname)
        for name, nickname in pairs
        if name != nickname and (name + nickname).isascii() and (name + nickname).isalpha()
    )
    with SEED_FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["first_name", "nickname"])
        writer.writerows(kept)
    return len(kept)


if __name__ == "__main__":
    count = write_seed()
    version = metadata.version("nicknames")
    print(f"{count} pairs of nicknames {version} written to {SEED_FILE}")  # noqa: T201
