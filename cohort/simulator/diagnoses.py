"""What is known only about labelled lesions: tags, diagnoses, melanoma depth, the vendor's lesion confidence.

Lesions tagged by hand are of interest to somebody: all malignant ones, all that automatic detection misses (below
2.5 mm, faint), and of the others the larger more often, as published for each hospital.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.interpolate import PchipInterpolator
from scipy.special import expit, logit

from cohort.simulator.calibration import Array, Index, WorldCalibration

_LEVELS = 5
_INVASIVE = "Melanoma Invasive"


def tag(  # noqa: PLR0917 - one lesion a row in each
    malignant: Index,
    stratum: Index,
    size: Array,
    hospital: Index,
    calibration: WorldCalibration,
    rng: np.random.Generator,
) -> Array:
    """(n,) bool: whether somebody tagged the lesion."""
    forced = (malignant == 1) | (stratum > 0)
    rule = calibration.facts["tagging"]
    wish = np.where(forced, 0.0, np.minimum(size, rule["size_cap"]) ** rule["size_power"])
    draws = rng.random(len(size))
    tagged = forced.copy()
    for index, place in enumerate(calibration.facts["hospitals"]):
        here = np.flatnonzero(hospital == index)
        wanted = place["tagged"] / place["lesions"] * len(here) - np.count_nonzero(forced[here])
        scale = max(wanted, 0.0) / max(float(wish[here].sum()), 1e-12)
        tagged[here] |= draws[here] < scale * wish[here]
    return np.asarray(tagged, dtype=np.bool_)


def diagnose(
    malignant: Index, tagged: Array, calibration: WorldCalibration, rng: np.random.Generator
) -> dict[str, pl.Series]:
    """The diagnosis columns, the melanoma columns and the vendor's confidence."""
    names = list(calibration.facts["diagnoses"])
    code = _codes(malignant, tagged, calibration, rng)
    parts = [name.split("::") for name in names]
    out = {"iddx_full": pl.Series(names).gather(code)}
    for level in range(_LEVELS):
        texts = [part[level] if level < len(part) else None for part in parts]
        out[f"iddx_{level + 1}"] = pl.Series(texts, dtype=pl.String).gather(code)
    invasive = np.flatnonzero(np.array([_INVASIVE in name for name in names])[code])
    out["mel_mitotic_index"] = _melanoma("mitotic_index", invasive, len(code), calibration, rng)
    out["mel_thick_mm"] = _melanoma("thickness_mm", invasive, len(code), calibration, rng).cast(pl.Float64)
    out["tbp_lv_dnn_lesion_confidence"] = pl.Series(_confidence(malignant, tagged, calibration, rng))
    return out


def _codes(malignant: Index, tagged: Array, calibration: WorldCalibration, rng: np.random.Generator) -> Index:
    """Index of the diagnosis; a benign lesion without a biopsy is just "Benign"."""
    counts = calibration.facts["diagnoses"]
    names, weight = list(counts), np.array([float(count) for count in counts.values()])
    bad = np.array([name.startswith("Malignant") for name in names])
    plain = names.index("Benign")
    code = np.full(len(malignant), plain, dtype=np.int64)
    cancer = np.flatnonzero(malignant)
    code[cancer] = rng.choice(np.flatnonzero(bad), len(cancer), p=weight[bad] / weight[bad].sum())
    other = np.flatnonzero(~bad & (np.arange(len(names)) != plain))
    candidates = np.flatnonzero(tagged & (malignant == 0))
    share = weight[other].sum() / calibration.facts["tagging"]["benign"]
    biopsied = candidates[rng.random(len(candidates)) < share]
    code[biopsied] = rng.choice(other, len(biopsied), p=weight[other] / weight[other].sum())
    return code


def _melanoma(key: str, invasive: Index, n: int, calibration: WorldCalibration, rng: np.random.Generator) -> pl.Series:
    """Published values for invasive melanomas, as often as published."""
    counts = calibration.facts[key]
    weight = np.array([float(count) for count in counts.values()])
    cases = sum(count for name, count in calibration.facts["diagnoses"].items() if _INVASIVE in name)
    known = invasive[rng.random(len(invasive)) < weight.sum() / cases]
    code = np.full(n, len(counts), dtype=np.int64)
    code[known] = rng.choice(len(counts), len(known), p=weight / weight.sum())
    return pl.Series([*counts, None], dtype=pl.String).gather(code)


def _confidence(malignant: Index, tagged: Array, calibration: WorldCalibration, rng: np.random.Generator) -> Array:
    """Per cent: stratified draws from the published quantiles of each group, interpolated on the logit scale."""
    group = np.where(malignant == 1, 0, np.where(tagged, 1, 2))
    out = np.empty(len(malignant))
    for index, name in enumerate(("malignant", "tagged", "untagged")):
        knots = calibration.facts["confidence"][name]
        heights = logit(np.clip(np.array(knots["value"]) / 100, 1e-9, 1 - 1e-9))
        rows = np.flatnonzero(group == index)
        curve = PchipInterpolator(knots["share"], heights)
        share = rng.permutation((np.arange(len(rows)) + rng.random(len(rows))) / max(len(rows), 1))
        out[rows] = 100.0 * expit(curve(share))
    return np.round(out, 6)
