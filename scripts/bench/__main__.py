"""`make bench`: measure, show a table, keep the figures in target/bench.json."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from bench import landing, linkage, marts, pipeline
from outcomes.config import PROJECT_DIR, load_settings
from outcomes.warehouse.server import EmbeddedServer

FIGURES = PROJECT_DIR / "target" / "bench.json"


def main() -> None:
    """Measure landing, the whole pipeline, linking, and the marts of a county."""
    console = Console()
    settings = load_settings()
    if not settings.is_distributed:
        EmbeddedServer(settings).start()
    with console.status("Landing large files"):
        figures = {"landing": landing.measure()}
    figures["pipeline"] = pipeline.measure(console)
    figures["linkage"] = linkage.measure(console)
    figures["marts"] = marts.measure(console)
    table = Table("measurement", "rows", "seconds", "figure")
    for case, found in figures["landing"].items():
        table.add_row(
            f"land, {case.replace('_', ' ')}",
            f"{found['rows']:,}",
            f"{found['seconds']}",
            f"{found['rows_per_second']:,} rows per second",
        )
    for case, found in figures["pipeline"].items():
        seconds = found["land_seconds"] + found["build_seconds"]
        table.add_row(
            f"whole pipeline, {case}",
            f"{found['rows']:,}",
            f"{seconds:.1f}",
            f"land {found['land_seconds']}, build and test {found['build_seconds']}",
        )
    for size, found in figures["linkage"].items():
        for part in ("full", "weekly"):
            table.add_row(
                f"link {size}, {part}",
                f"{found['client_records']:,}",
                f"{found[f'{part}_seconds']}",
                f"{found[f'{part}_peak_gib']} GiB at most; "
                f"Splink takes {found['splink_seconds']} s for all",
            )
        table.add_row(
            f"build {size}",
            f"{found['client_records']:,}",
            f"{found['build_seconds']}",
            "models, tests and publication after a week's linking",
        )
    found = figures["marts"]
    table.add_row(
        "all marts of a county",
        f"{found['rows']:,}",
        f"{found['build_seconds']}",
        f"{found['models_and_tests']} models and tests, load average {found['load_average']}",
    )
    console.print(table)
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=4) + "\n")


if __name__ == "__main__":
    main()
