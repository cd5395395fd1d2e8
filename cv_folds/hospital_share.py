"""How much of a score's AUC over all lesions is due to knowing the hospital."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import kruskal, norm, rankdata

from cv_folds.bootstrap import POOLED, replicate
from cv_folds.formats import estimate, with_interval
from cv_folds.metrics import AUC

Scores = npt.NDArray[np.float64]

HOSPITAL = "attribution"
"""Column that names the hospital, if a table has it."""
FEWEST = 10
"""Lesions of each class that a hospital needs to count."""
_AS_IS, _LEVELLED, _WITHIN = "as it is", "levelled", "within hospitals"


def hospital_share(
    lesions: pl.DataFrame, score: Scores, hospital: pl.Series, *, replicates: int, seed: int = 0
) -> dict[str, Any] | None:
    """Compare a score's AUC over all lesions with what is left once every hospital's level is removed.

    Scores become normal deviates of their ranks, and each hospital's mean over its benign lesions is subtracted: then
    the score cannot put one hospital's lesions above another's. Benign lesions may truly differ between hospitals,
    so a share says that the hospital matters, not that it should not.

    Args:
        lesions: target, patient_id.
        score: Shape (lesions,); a lesion whose score is NaN is left out.
        hospital: Hospital of each lesion; one with null is left out.
        replicates: Patient-bootstrap draws, at least 100.
        seed: Bootstrap seed.

    Returns:
        Ready for JSON, None if fewer than two hospitals have `FEWEST` malignant and `FEWEST` benign lesions. `pooled`,
        `levelled` and `within` (the mean of the hospitals' own AUCs): AUC with its interval, on lesions of these
        hospitals; `difference`: pooled minus levelled, paired; `share`: that as a share of the pooled AUC
        above chance; `told`: the share of the spread of benign lesions' ranks that lies between hospitals, 0 to 1.
    """
    known = lesions.select("target", "patient_id", hospital=hospital, score=pl.Series(score))
    known = known.filter(pl.col("hospital").is_not_null() & pl.col("score").is_finite())
    counts = known.group_by("hospital").agg(malignant=pl.col("target").sum(), benign=(1 - pl.col("target")).sum())
    names = sorted(counts.filter(pl.min_horizontal("malignant", "benign") >= FEWEST)["hospital"])
    if len(names) < 2:
        return None
    rows = known.filter(pl.col("hospital").is_in(names))
    deviate = norm.ppf((rankdata(rows["score"].to_numpy()) - 0.5) / rows.height)
    rows = rows.with_columns(deviate=pl.Series(deviate))
    levels = rows.filter(pl.col("target") == 0).group_by("hospital").agg(level=pl.col("deviate").mean())
    level = rows["hospital"].replace_strict(levels["hospital"], levels["level"], return_dtype=pl.Float64).to_numpy()
    drawn = replicate(
        rows["target"].to_numpy(),
        {_AS_IS: deviate, _LEVELLED: deviate - level},
        metrics=[AUC],
        patient=rows["patient_id"],
        views={f"hospital {name}": (rows["hospital"] == name).to_numpy() for name in names},
        means={_WITHIN: [f"hospital {name}" for name in names]},
        replicates=replicates,
        seed=seed,
    )
    gap = drawn.difference(POOLED, AUC.name, _AS_IS, _LEVELLED)
    pooled = drawn.interval(POOLED, AUC.name, _AS_IS)
    return {
        "hospitals": names,
        "lesions": rows.height,
        "pooled": pooled.as_dict(),
        "levelled": drawn.interval(POOLED, AUC.name, _LEVELLED).as_dict(),
        "within": drawn.interval(_WITHIN, AUC.name, _AS_IS).as_dict(),
        "difference": gap.as_dict(),
        "share": gap.estimate / (pooled.estimate - 0.5) if pooled.estimate > 0.5 else 0.0,
        "told": _between_hospitals(rows, names),
    }


def _between_hospitals(rows: pl.DataFrame, names: list[str]) -> float:
    """Kruskal-Wallis epsilon squared on benign lesions."""
    benign = rows.filter(pl.col("target") == 0)
    groups = [benign.filter(pl.col("hospital") == name)["deviate"].to_numpy() for name in names]
    if benign["deviate"].n_unique() == 1:
        return 0.0
    excess = float(kruskal(*groups).statistic) - (len(names) - 1)
    return max(0.0, excess / (benign.height - len(names)))


def in_words(found: dict[str, Any]) -> str:
    """What `hospital_share` found, in one line."""
    doubt = "" if found["difference"]["distinguishable"] else " (not distinguishable from none)"
    return (
        f"AUC {with_interval(found['pooled'])} over {len(found['hospitals'])} hospitals, "
        f"{estimate(found['levelled'])} with their levels taken out "
        f"(difference {with_interval(found['difference'], signed=True)}), "
        f"{estimate(found['within'])} on average within one: "
        f"{100 * min(max(found['share'], 0.0), 1.0):.0f} % of what is above chance is the hospital{doubt}; "
        f"{100 * found['told']:.0f} % of the spread of benign lesions' scores lies between hospitals"
    )
