"""The perturbation table: generated from the policy, unbiased, never below zero."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes.errors import OutcomesError
from outcomes.perturbation import POLICY, TABLE, write_table


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    table = pd.read_csv(TABLE)
    return table.assign(probability=table.key_to - table.key_from)


def test_the_seed_is_generated_from_the_policy(tmp_path: Path) -> None:
    write_table(table=tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == TABLE.read_text(), (
        "Run `python -m outcomes.perturbation`."
    )


def test_every_key_has_one_noise(table: pd.DataFrame) -> None:
    for _, rows in table.groupby("true_count"):
        assert rows.key_from.tolist() == [0, *rows.key_to[:-1]]
        assert rows.key_to.iloc[-1] == 1


def test_noise_is_unbiased_and_has_the_variance(table: pd.DataFrame) -> None:
    policy = pd.read_csv(POLICY).iloc[0]
    moments = table.assign(
        mean=table.probability * table.noise, squares=table.probability * table.noise**2
    ).groupby("true_count")[["mean", "squares"]].sum()  # fmt: skip
    assert moments["mean"].abs().max() < 1e-8
    assert moments.squares[0] == 0
    assert np.allclose(moments.squares[1:], policy.noise_variance, atol=1e-7)
    assert moments.index.tolist() == list(range(policy.largest_noise + 1))


def test_no_count_falls_below_zero_or_moves_too_far(table: pd.DataFrame) -> None:
    assert (table.true_count + table.noise).min() == 0
    assert table.noise.abs().max() == pd.read_csv(POLICY).largest_noise[0]


def test_an_impossible_variance_is_an_error(tmp_path: Path) -> None:
    policy = tmp_path / "suppression.csv"
    policy.write_text("largest_noise,noise_variance\n2,8\n")
    with pytest.raises(OutcomesError, match="Raise largest_noise or lower noise_variance"):
        write_table(policy, tmp_path / "table.csv")
    assert not (tmp_path / "table.csv").exists()
