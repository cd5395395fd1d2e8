"""One simulated cohort: patients, their lesions, the table, and the known probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit

from cohort.columns import SLICE3D
from cohort.errors import InputError
from cohort.simulator.calibration import Array, Calibration, load
from cohort.simulator.diagnoses import diagnose
from cohort.simulator.latents import draw_latents
from cohort.simulator.linear import cholesky, colour
from cohort.simulator.measures import measure
from cohort.simulator.patients import Index, Patients, draw_patients
from cohort.simulator.places import body_site, draw_places, simple_location

_SMALLEST = 50
_IDS = 10_000_000


@dataclass(frozen=True)
class Simulated:
    """A simulated cohort.

    Attributes:
        metadata: The 55 official columns in official order, sorted by isic_id; dtypes of `cohort.columns`.
        truth: One row a lesion in the same order: isic_id, target, p_table, p_crop, p_both (the known probabilities of
            malignancy given the table, the crop, both) and the latents that the crop shows (crop_sign, ...).
    """

    metadata: pl.DataFrame
    truth: pl.DataFrame


def simulate(n_lesions: int, *, seed: int = 0, malignant: int | None = None, part: str = "train") -> Simulated:
    """Simulate a cohort shaped like SLICE-3D.

    Args:
        n_lesions: Lesions, at least 50.
        seed: Same seed, same bits, at any thread count.
        malignant: Malignant lesions; by default the published 393 in 401,059, at least 2.
        part: "train" or "test": other patients, other ids, same population.

    Raises:
        InputError: Fewer than 50 lesions, or more malignant lesions than a tenth of them.
    """
    calibration = load()
    if n_lesions < _SMALLEST or n_lesions > _IDS // 2:
        raise InputError(f"cannot simulate {n_lesions} lesions", remedy=f"ask for {_SMALLEST} to {_IDS // 2}")
    totals = calibration.raw["totals"]
    n_malignant = max(2, round(n_lesions * totals["malignant"] / totals["lesions"])) if malignant is None else malignant
    if not 1 <= n_malignant <= n_lesions // 10:
        raise InputError(
            f"{n_malignant} malignant of {n_lesions} lesions", remedy="ask for 1 to a tenth of the lesions"
        )
    streams = iter(np.random.SeedSequence([seed, ("train", "test").index(part)]).spawn(8))

    def rng() -> np.random.Generator:
        return np.random.Generator(np.random.Philox(next(streams)))

    patients = draw_patients(n_lesions, n_malignant, calibration, rng())
    patient: Index = np.repeat(np.arange(len(patients), dtype=np.int64), patients.size)
    order = np.arange(n_lesions) - np.repeat(np.cumsum(patients.size) - patients.size, patients.size)
    target = (order < patients.malignant[patient]).astype(np.int64)
    places = draw_places(patient, target, len(patients), calibration, rng())
    level = _levels(patients, calibration, rng())[patient]
    height = (places.y - 1039.6) / 409.8
    level = level + np.outer(np.clip(height, -3, 3), calibration.vector("on_height"))
    latents = draw_latents(level, target, calibration, rng())
    numbers = measure(latents, calibration, rng())
    numbers |= {"tbp_lv_x": places.x, "tbp_lv_y": places.y, "tbp_lv_z": places.z, "age_approx": patients.age[patient]}
    sign_shift = calibration.raw["crop_sign_shift"]
    draws = rng()
    sign = draws.standard_normal(n_lesions) + sign_shift * target
    prior = np.log(patients.expected / np.maximum(patients.size - patients.expected, 1e-9))[patient]
    table = prior + places.log_ratio + latents.log_ratio
    sign_ratio = sign_shift * sign - 0.5 * sign_shift**2
    base = np.log(n_malignant / (n_lesions - n_malignant))
    after = diagnose(target, latents.stratum, calibration, rng())
    ids = _ids(n_lesions, len(patients), part, seed)
    numbers["target"] = target.astype(np.float64)
    frame = _table(numbers, patients, patient, places.location, calibration)
    frame = frame.with_columns(ids["isic_id"], ids["patient_id"].gather(patient), **after)
    truth = pl.DataFrame(
        {
            "isic_id": ids["isic_id"],
            "target": target.astype(np.int8),
            "p_table": expit(table),
            "p_crop": expit(base + latents.log_ratio + sign_ratio),
            "p_both": expit(table + sign_ratio),
            "crop_sign": sign,
            "texture_seed": draws.integers(0, 2**62, n_lesions),
        }
    )
    columns = [pl.col(column.name).cast(column.dtype) for column in SLICE3D]
    return Simulated(frame.select(columns).sort("isic_id"), truth.sort("isic_id"))


def _levels(patients: Patients, calibration: Calibration, rng: np.random.Generator) -> Array:
    own = colour(cholesky(calibration.between), rng.standard_normal((len(patients), len(calibration.latents))))
    own += np.outer(patients.age_score, calibration.vector("on_age"))
    lit = (patients.white - 0.287) / np.sqrt(0.287 * 0.713)
    return own + np.outer(lit, calibration.vector("on_white"))


def _ids(n_lesions: int, n_patients: int, part: str, seed: int) -> dict[str, pl.Series]:
    """Ids without meaning: numbers below (train) or above (test) the middle, without repetition, in random order."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, 7])))
    out = {}
    for name, prefix, count in (("isic_id", "ISIC", n_lesions), ("patient_id", "IP", n_patients)):
        step = 2 * int(rng.integers(_IDS // 20, _IDS // 10) * 5) + 1
        pool = (np.arange(_IDS // 2, dtype=np.int64) * 2 + ("train", "test").index(part)) * step % _IDS
        numbers = rng.permutation(rng.permutation(pool)[:count])
        out[name] = pl.Series(name, numbers).cast(pl.String).str.zfill(7)
        out[name] = (prefix + "_" + out[name]).alias(name)
    return out


def _table(
    numbers: dict[str, Array],
    patients: Patients,
    patient: Index,
    location: Index,
    calibration: Calibration,
) -> pl.DataFrame:
    frame = pl.DataFrame(numbers).with_columns(pl.col("age_approx").fill_nan(None))
    names = list(calibration.raw["places"])
    hospitals = calibration.raw["hospitals"]
    lookup = {
        "tbp_lv_location": (names, location),
        "tbp_lv_location_simple": ([simple_location(name) for name in names], location),
        "anatom_site_general": ([body_site(name) for name in names], location),
        "sex": (["male", "female", None], patients.sex[patient]),
        "tbp_tile_type": (["3D: XP", "3D: white"], patients.white[patient]),
        "attribution": ([h["name"] for h in hospitals], patients.hospital[patient]),
        "copyright_license": ([h["licence"] for h in hospitals], patients.hospital[patient]),
    }
    texts = [pl.Series(values, dtype=pl.String).gather(index).alias(name) for name, (values, index) in lookup.items()]
    return frame.with_columns(*texts, pl.lit("TBP tile: close-up").alias("image_type"))
