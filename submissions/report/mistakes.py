"""What the ranking got most wrong: malignant lesions it put last, benign ones it put first."""

from __future__ import annotations

from typing import Any

import polars as pl

from cohort.frames import collect

SHOWN = 10
#: What a reader wants to know about a lesion, if the table has it, and how it is written.
_DETAILS = {
    "iddx_full": "{}",
    "diagnosis": "{}",
    "dx": "{}",
    "clin_size_long_diam_mm": "{:.1f} mm",
    "age_approx": "{:.0f} years",
    "sex": "{}",
    "anatom_site_general": "{}",
    "tbp_tile_type": "tile {}",
    "attribution": "{}",
}


def placed(lesions: pl.DataFrame) -> pl.DataFrame:
    """Add each lesion's place by `blend`, 1 the most suspicious, equal scores sharing the better place.

    Args:
        lesions: isic_id, patient_id, target and blend.

    Returns:
        The same rows with `place` among all, `rank` within the patient and `of`, the patient's number of lesions.
    """
    place = pl.col("blend").rank("min", descending=True)
    return collect(
        lesions.lazy().with_columns(
            place.alias("place"), place.over("patient_id").alias("rank"), pl.len().over("patient_id").alias("of")
        )
    )


def mistakes(lesions: pl.DataFrame) -> dict[str, Any]:
    """The `SHOWN` worst misses and the worst false alarms.

    Args:
        lesions: As `placed` gives them, with whatever columns the table has.

    Returns:
        `lesions` (how many there are), and `misses` and `alarms`, each a list of lesions with place, rank, of, blend,
        `risk` if there is one, and what is `known` about it, in words.
    """
    misses = lesions.filter(pl.col("target") == 1).sort("blend", "isic_id").head(SHOWN)
    alarms = lesions.filter(pl.col("target") == 0).sort(["blend", "isic_id"], descending=[True, False]).head(SHOWN)
    chosen = {"misses": misses, "alarms": alarms}
    return {"lesions": lesions.height} | {
        kind: [_entry(row) for row in rows.iter_rows(named=True)] for kind, rows in chosen.items()
    }


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("isic_id", "place", "rank", "of", "blend", "risk")
    known = [text.format(row[name]) for name, text in _DETAILS.items() if row.get(name) is not None]
    return {key: row[key] for key in keys if key in row} | {"known": [text.replace("::", " › ") for text in known]}
