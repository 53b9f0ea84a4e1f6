"""How sure the model is, as reviewers read it."""

from __future__ import annotations

import pytest

from outcomes.linkage.shares import share_in_words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (None, "how many such pairs are the same person was not measured"),
        (0.0, "fewer than 1 in 20 such pairs are the same person"),
        (0.0499, "fewer than 1 in 20 such pairs are the same person"),
        (0.05, "about 1 in 10 such pairs are the same person"),
        (0.389, "about 4 in 10 such pairs are the same person"),
        (0.85, "about 9 in 10 such pairs are the same person"),
        (0.949, "about 9 in 10 such pairs are the same person"),
        (0.95, "about 95 in 100 such pairs are the same person"),
        (0.99, "about 99 in 100 such pairs are the same person"),
        (0.9901, "more than 99 in 100 such pairs are the same person"),
        (1.0, "more than 99 in 100 such pairs are the same person"),
    ],
)
def test_a_share_is_said_in_words(share: float | None, words: str) -> None:
    assert share_in_words(share) == words
