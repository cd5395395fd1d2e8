"""From drawn lesions to the official table."""

from __future__ import annotations

import numpy as np
import polars as pl

from cohort.columns import SLICE3D
from cohort.simulator.calibration import SIZE, Index
from cohort.simulator.diagnoses import diagnose, tag
from cohort.simulator.patients import SEXES, TILES
from cohort.simulator.places import body_site, simple_location
from cohort.simulator.world import World

_NUMBERS = 10_000_000
_IMAGE_TYPE = "TBP tile: close-up"


def official_table(
    lesions: pl.DataFrame, target: Index, world: World, ids: dict[str, pl.Series], rng: np.random.Generator
) -> pl.DataFrame:
    """The 55 official columns of `cohort.columns.SLICE3D`, in the order of the lesions.

    Args:
        lesions: All lesions, as `world.draw_class` gives them.
        target: (n,) 1 for malignant lesions.
        world: Their patients.
        ids: `isic_id` and `lesion_id` (one per lesion, the latter used if tagged), `patient_id` (one per patient).
        rng: Source of tags, diagnoses and confidences.
    """
    calibration = world.calibration
    places, hospitals = list(calibration.facts["places"]), calibration.facts["hospitals"]
    patient, location, stratum = (lesions[name].to_numpy() for name in ("patient", "location", "stratum"))
    hospital = world.patients.hospital[patient]
    tagged = tag(target, stratum, lesions[SIZE].to_numpy(), hospital, calibration, rng)
    texts: dict[str, tuple[list[str | None], Index]] = {
        "tbp_lv_location": (list(places), location),
        "tbp_lv_location_simple": ([simple_location(name) for name in places], location),
        "anatom_site_general": ([body_site(name) for name in places], location),
        "sex": ([*SEXES[:2], None], world.patients.sex[patient]),
        "tbp_tile_type": (list(TILES), world.patients.white[patient]),
        "attribution": ([place["name"] for place in hospitals], hospital),
        "copyright_license": ([place["licence"] for place in hospitals], hospital),
        "image_type": ([_IMAGE_TYPE], np.zeros(len(target), dtype=np.int64)),
        "patient_id": (ids["patient_id"].to_list(), patient),
    }
    columns = lesions.with_columns(pl.col("age_approx").fill_nan(None)).to_dict()
    columns |= {name: pl.Series(values, dtype=pl.String).gather(index) for name, (values, index) in texts.items()}
    columns |= diagnose(target, tagged, calibration, rng)
    columns |= {"isic_id": ids["isic_id"], "target": pl.Series(target)}
    columns["lesion_id"] = pl.select(pl.when(pl.lit(pl.Series(tagged))).then(pl.lit(ids["lesion_id"]))).to_series()
    return pl.DataFrame({column.name: columns[column.name].cast(column.dtype) for column in SLICE3D})


def draw_ids(n_lesions: int, n_patients: int, seed: int, *, test: bool) -> dict[str, pl.Series]:
    """Ids without meaning or repetition; those of train and test never coincide.

    Number i of the cohort gets a * i + b modulo ten million, with a coprime to it; train counts i from below, test from
    above, and within each the order is random.
    """
    shared = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, 2])))
    own = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, 3, int(test)])))
    out = {}
    kinds = (("isic_id", "ISIC", n_lesions), ("lesion_id", "IL", n_lesions), ("patient_id", "IP", n_patients))
    for name, prefix, count in kinds:
        factor = 10 * int(shared.integers(100_000, _NUMBERS // 10)) + 3
        offset = int(shared.integers(_NUMBERS))
        place = np.arange(_NUMBERS - count, _NUMBERS) if test else np.arange(count)
        numbers = own.permutation((place * factor + offset) % _NUMBERS)
        digits = pl.Series(numbers).cast(pl.String).str.zfill(7)
        out[name] = pl.Series(name, f"{prefix}_" + digits)
    return out
