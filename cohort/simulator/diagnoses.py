"""What is known after the biopsy: tags, diagnoses, melanoma depth, the vendor's lesion confidence."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.special import expit

from cohort.simulator.calibration import Array, Calibration
from cohort.simulator.patients import Index

_LEVELS = 5


def diagnose(
    malignant: Index, stratum: Index, calibration: Calibration, rng: np.random.Generator
) -> dict[str, pl.Series]:
    """The 11 columns that only labelled tables have, but for the target."""
    n = len(malignant)
    tagged = (malignant == 1) | (stratum > 0) | (rng.random(n) < 0.041)
    number = rng.permutation(10_000_000)[: int(tagged.sum())]
    lesion_id = np.full(n, None, dtype=object)
    lesion_id[tagged] = [f"IL_{value:07d}" for value in number]
    full = _diagnosis(malignant, tagged, calibration, rng)
    parts = {name: name.split("::") for name in calibration.raw["diagnoses"]}
    out = {
        "lesion_id": pl.Series(lesion_id.tolist(), dtype=pl.String),
        "iddx_full": pl.Series(full.tolist(), dtype=pl.String),
    }
    for level in range(_LEVELS):
        names = {name: (part[level] if level < len(part) else None) for name, part in parts.items()}
        out[f"iddx_{level + 1}"] = out["iddx_full"].replace_strict(names, return_dtype=pl.String)
    out["mel_mitotic_index"], out["mel_thick_mm"] = _melanoma(full, calibration, rng)
    out["tbp_lv_dnn_lesion_confidence"] = pl.Series(_confidence(malignant, tagged, rng))
    return out


def _diagnosis(malignant: Index, tagged: Array, calibration: Calibration, rng: np.random.Generator) -> Array:
    counts = calibration.raw["diagnoses"]
    full = np.full(len(malignant), "Benign", dtype=object)
    names = [name for name in counts if name.startswith("Malignant")]
    weight = np.array([counts[name] for name in names], dtype=np.float64)
    cancer = np.flatnonzero(malignant)
    full[cancer] = np.array(names, dtype=object)[rng.choice(len(names), len(cancer), p=weight / weight.sum())]
    names = [name for name in counts if not name.startswith("Malignant") and name != "Benign"]
    weight = np.array([counts[name] for name in names], dtype=np.float64)
    candidates = np.flatnonzero(tagged & (malignant == 0))
    biopsied = candidates[rng.random(len(candidates)) < weight.sum() / 21665]
    full[biopsied] = np.array(names, dtype=object)[rng.choice(len(names), len(biopsied), p=weight / weight.sum())]
    return full


def _melanoma(full: Array, calibration: Calibration, rng: np.random.Generator) -> tuple[pl.Series, pl.Series]:
    mitoses, depth = np.full(len(full), None, dtype=object), np.full(len(full), None, dtype=object)
    invasive = np.array([index for index in range(len(full)) if "Melanoma Invasive" in full[index]], dtype=np.int64)
    for target, key, share in ((mitoses, "mitotic_index", 53 / 63), (depth, "thickness_mm", 1.0)):
        counts = calibration.raw[key]
        weight = np.array(list(counts.values()), dtype=np.float64)
        drawn = np.array(list(counts), dtype=object)[rng.choice(len(counts), len(invasive), p=weight / weight.sum())]
        known = rng.random(len(invasive)) < share
        target[invasive[known]] = drawn[known]
    return pl.Series(mitoses.tolist(), dtype=pl.String), pl.Series(depth.tolist(), dtype=pl.String).cast(pl.Float64)


def _confidence(malignant: Index, tagged: Array, rng: np.random.Generator) -> Array:
    centre = np.where(malignant == 1, 5.0, np.where(tagged, 9.0, 8.5))
    spread = np.where(malignant == 1, 5.0, np.where(tagged, 4.5, 3.0))
    value = 100.0 * expit(centre + spread * rng.standard_normal(len(malignant)))
    detected = np.maximum(value, 50.58 + 5.0 * rng.random(len(malignant)))
    return np.asarray(np.where(tagged, value, detected), dtype=np.float64)
