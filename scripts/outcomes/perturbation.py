"""Generates the perturbation table of the cell key method from two numbers of the policy.

Example:
    python -m outcomes.perturbation     # after a change in seeds/policy/suppression.csv
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from outcomes.config import PROJECT_DIR
from outcomes.errors import OutcomesError

POLICY = PROJECT_DIR / "seeds" / "policy" / "suppression.csv"
TABLE = PROJECT_DIR / "seeds" / "policy" / "perturbation_table.csv"
# Enough for keys of 32 bits.
DIGITS = 10


@dataclass(frozen=True)
class Perturbation:
    """The noise of a count whose cell key is from `key_from` up to `key_to`."""

    true_count: int
    noise: int
    key_from: str
    key_to: str


def perturbation_table(largest_noise: int, variance: float) -> Iterator[Perturbation]:
    """Noise for every count; the last count stands for all larger ones.

    Raises:
        OutcomesError: no noise within the bound has that variance.
    """
    yield Perturbation(0, 0, f"{0:.{DIGITS}f}", f"{1:.{DIGITS}f}")
    for count in range(1, largest_noise + 1):
        noise = np.arange(-count, largest_noise + 1)
        upper = np.cumsum(probabilities(noise, variance)).round(DIGITS)
        upper[-1] = 1
        for value, low, high in zip(noise, [0, *upper[:-1]], upper, strict=True):
            yield Perturbation(count, int(value), f"{low:.{DIGITS}f}", f"{high:.{DIGITS}f}")


def probabilities(noise: np.ndarray, variance: float) -> np.ndarray:
    """The distribution of maximum entropy with mean 0 and the variance.

    It is exp(a·v + b·v²) up to a factor; Newton's method finds a and b.

    Raises:
        OutcomesError: no such distribution exists.
    """
    moments = np.stack([noise / noise.max(), (noise**2 - variance) / noise.max() ** 2])
    coefficients = np.zeros(2)
    for _ in range(1000):
        exponents = coefficients @ moments
        weights = np.exp(exponents - exponents.max())
        found: np.ndarray = weights / weights.sum()
        means = moments @ found
        if np.abs(means).max() < 1e-13:
            return found
        covariance = (moments * found) @ moments.T - np.outer(means, means)
        step = np.linalg.lstsq(covariance, means, rcond=None)[0]
        # Far from the solution, a full step would diverge.
        coefficients = coefficients - step / max(1.0, float(np.abs(step).max()))
    raise OutcomesError(
        f"No noise between {noise.min()} and {noise.max()} with mean 0 has the variance "
        f"{variance:g}. Raise largest_noise or lower noise_variance in {POLICY.name}."
    )


def write_table(policy: Path = POLICY, table: Path = TABLE) -> None:
    """Generate the seed from the policy."""
    with policy.open(newline="") as file:
        rules = next(csv.DictReader(file))
    rows = list(perturbation_table(int(rules["largest_noise"]), float(rules["noise_variance"])))
    with table.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Perturbation))
        writer.writerows(astuple(row) for row in rows)


if __name__ == "__main__":
    write_table()
