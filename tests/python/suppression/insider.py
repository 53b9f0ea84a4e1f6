"""An attack by somebody who has the student-years of one district.

The attacker knows every child's outcomes and groups, and for half of the children whether they
are involved. Every public row is a noisy sum over the involved children. Gibbs sampling finds
the sets of children that fit all rows: it starts from what the outcomes alone predict, and
changes one child at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from tests.python.suppression.publication import DECIMALS, MEASURES, RANGES

DEFINITIONS = ("ever", "prior_year", "concurrent")
# Whoever is involved in one year or the other is also involved at some point.
STATES = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]])
GROUPS = [
    "grade_band", "race", "gender", "english_learner", "special_education", "economic_status",
]  # fmt: skip
SWEEPS = 160


@dataclass(frozen=True)
class Found:
    """Shares of the unknown children of whom it is found whether they were ever involved."""

    by_attack: float
    # the same answer for all
    by_guessing: float
    # from the outcomes, without any publication
    by_outcomes: float


def attack(
    children: pd.DataFrame, figures: pd.DataFrame, policy: pd.Series, chance: np.random.Generator
) -> Found:
    """Attack one district and school year.

    Args:
        children: one row per child, with MEASURES (null where unknown), GROUPS, and the truth
            in `involved_…`.
        figures: public rows of the district for any program.
        policy: `policy.suppression`, which is public.
        chance: decides which children are known, and samples.
    """
    true = children[[f"involved_{definition}" for definition in DEFINITIONS]].to_numpy(int)
    state = (true[:, None, :] == STATES[None]).all(axis=2).argmax(axis=1)
    is_known = np.zeros(len(children), bool)
    is_known[chance.permutation(len(children))[: len(children) // 2]] = True
    prior = _predicted(children, state, is_known)
    weights, offsets = zip(
        *(_evidence(children, figures, d, policy) for d in DEFINITIONS), strict=True
    )
    posterior = _sampled(prior, np.where(is_known, state, -1), weights, offsets, chance)
    involved = true[~is_known, 0].astype(bool)

    def correct(probability: np.ndarray) -> float:
        return float(((probability[~is_known, 1:].sum(axis=1) > 0.5) == involved).mean())

    return Found(
        by_attack=correct(posterior),
        by_guessing=float(max(involved.mean(), 1 - involved.mean())),
        by_outcomes=correct(prior),
    )


def _predicted(children: pd.DataFrame, state: np.ndarray, is_known: np.ndarray) -> np.ndarray:
    """The probability of each state, from the outcomes of the known children."""
    values = children[list(MEASURES)].astype(float)
    features = np.column_stack(
        [
            values.fillna(values.mean()).fillna(0),
            values.isna(),
            children.economic_status.astype(str) == "free",
        ]
    )
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9)
    model = LogisticRegression(C=0.3, max_iter=2000).fit(features[is_known], state[is_known])
    found = np.full((len(children), len(STATES)), 1e-3)
    found[:, model.classes_] = np.maximum(model.predict_proba(features), 1e-3)
    return found / found.sum(axis=1, keepdims=True)


def _evidence(
    children: pd.DataFrame, figures: pd.DataFrame, definition: str, policy: pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    """What all rows say of a set z of children: its log-likelihood is offsets·z − z·weights·z/2."""
    # The same sum with the same noise is one piece of evidence.
    pieces = {
        (sums.tobytes(), round(value, 6)): (sums, value, variance)
        for sums, value, variance in _sums(children, figures, definition, policy)
    }
    sums, values, variances = (np.array(part) for part in zip(*pieces.values(), strict=True))
    return (sums.T / variances) @ sums, (sums.T / variances) @ values


def _sums(
    children: pd.DataFrame, figures: pd.DataFrame, definition: str, policy: pd.Series
) -> Iterator[tuple[np.ndarray, float, float]]:
    """Sums over the involved children: what each adds, the shown sum, the noise's variance."""
    for row in figures[(figures.involvement == definition) & ~figures.is_suppressed].itertuples():
        values = children[row.measure].astype(float)
        counts = values.notna().to_numpy(float)
        if row.group_type != "all":
            counts *= (children[row.group_type].astype(str) == row.group_value).to_numpy(float)
        outcome = values.fillna(0).to_numpy()
        for side, sign in (("involved", 1), ("not_involved", -1)):
            n, value = getattr(row, f"n_{side}"), getattr(row, f"value_{side}")
            # The others are all children but the involved.
            rest = 0.0 if sign == 1 else 1.0
            yield sign * counts, n - rest * counts.sum(), policy.noise_variance
            rounding = (n * 10.0 ** -DECIMALS[row.measure]) ** 2 / 12
            if row.measure in RANGES:
                deviations = counts * (outcome - value)
                noise = (policy.mean_noise * RANGES[row.measure]) ** 2
                yield sign * deviations, -rest * deviations.sum(), noise + rounding
            elif not (row.is_coded and value in (0.05, 0.95)):
                with_outcome = counts * outcome
                shown = n * value - rest * with_outcome.sum()
                yield sign * with_outcome, shown, policy.noise_variance + rounding


def _sampled(
    prior: np.ndarray,
    known: np.ndarray,
    weights: tuple[np.ndarray, ...],
    offsets: tuple[np.ndarray, ...],
    chance: np.random.Generator,
) -> np.ndarray:
    """The probability of each state of each child; `known` is −1 for the unknown."""
    log_prior = np.log(prior)
    state = np.where(known >= 0, known, log_prior.argmax(axis=1))
    involved = STATES[state].T.astype(float)
    definitions = range(len(DEFINITIONS))
    fields = [offsets[d] - weights[d] @ involved[d] for d in definitions]
    diagonals = [np.diag(weights[d]).copy() for d in definitions]
    total = np.zeros_like(prior)
    unknown = np.flatnonzero(known < 0)
    for sweep in range(SWEEPS):
        # Hot at first, so that the search does not end in the nearest good set.
        heat = max(1.0, 8 * (1 - sweep / (0.4 * SWEEPS)))
        for child in chance.permutation(unknown):
            score = log_prior[child].copy()
            for d in definitions:
                own = diagonals[d][child]
                score += STATES[:, d] * (fields[d][child] + own * (involved[d][child] - 0.5))
            score /= heat
            probability = np.exp(score - score.max())
            probability /= probability.sum()
            new = int((probability.cumsum() > chance.random()).argmax())
            for d in definitions:
                change = STATES[new, d] - involved[d][child]
                if change:
                    fields[d] -= weights[d][child] * change
                    involved[d][child] = STATES[new, d]
            if sweep >= SWEEPS // 2:
                total[child] += probability
    return total / np.maximum(total.sum(axis=1, keepdims=True), 1e-12)
