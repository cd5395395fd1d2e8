"""What the page of one patient shows, as one JSON-able dict."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from cohort.columns import SLICE3D
from engine.errors import shorten
from submissions.report.body import LOCATION, POSITION, SITE
from submissions.report.body_map import body_dots
from submissions.risk_words import risk_as_number, risk_in_words
from submissions.shortlist import Shortlist
from submissions.suitability import Caution

NEIGHBOURS = 4
_DESCRIBED = {column.name: column for column in SLICE3D}
_DIAMETER = "clin_size_long_diam_mm"
_FEW = 5  # with fewer lesions, nothing can be compared within the patient


def patient_content(
    lesions: pl.DataFrame, *, shortlist: Shortlist, cautions: Sequence[Caution], needed: Collection[str], crops: bool
) -> dict[str, Any]:
    """Assemble one patient's page.

    Args:
        lesions: The patient's rows of a ranking, by rank, with reasons, the columns of the canonical frame and
            `has_crop`.
        shortlist: Which lesions are listed, and what that promises.
        cautions: How the whole table differs from training.
        needed: Columns that the models rely on.
        crops: Whether crops were given.
    """
    first = lesions.row(0, named=True)
    listed, name = lesions.filter("shortlist"), first["patient_id"]
    return {
        "patient": name,
        "place": first["patient_rank"],
        "about": _person(lesions),
        "lesions": lesions.height,
        "listed": [_entry(row, _neighbours(lesions, row)) for row in listed.iter_rows(named=True)],
        "others": [_entry(row, []) for row in lesions.filter(~pl.col("shortlist")).iter_rows(named=True)],
        "risk": in_words(any_malignant(lesions)),
        "withheld": first.get("risk_withheld"),
        "cautions": [one.words for one in cautions if one.concerns(name)],
        "input": list(_unusual_input(lesions, needed, crops=crops)),
        "shortlist": shortlist.as_dict(is_all=listed.height == lesions.height),
        "all_listed": listed.height == lesions.height,
        "body": (body := body_dots(lesions)),
        "by_site": sum(not dot["measured"] for view in ("front", "back") for dot in body[view]),
        "side_unknown": LOCATION not in lesions.columns or bool(lesions[LOCATION].null_count()),
    }


def any_malignant(lesions: pl.DataFrame) -> float | None:
    """The chance that any of a patient's lesions is malignant if they are independent; None if a risk is missing."""
    if lesions["risk"].null_count():
        return None
    return float(-np.expm1(np.log1p(-lesions["risk"].to_numpy().clip(0, 1 - 1e-12)).sum()))


def in_words(risk: float | None) -> dict[str, str] | None:
    """A risk as `words` and `number`; None if there is none."""
    return None if risk is None else {"words": risk_in_words(risk), "number": risk_as_number(risk)}


def _person(lesions: pl.DataFrame) -> list[str]:
    """Sex and age, as far as they are stated."""
    known = {name: lesions[name].drop_nulls() for name in ("sex", "age_approx") if name in lesions.columns}
    stated = {name: values[0] for name, values in known.items() if len(values)}
    words = [str(stated["sex"]).capitalize()] if "sex" in stated else []
    return words + ([f"{stated['age_approx']:.0f} years"] if "age_approx" in stated else [])


def _entry(row: dict[str, Any], neighbours: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rank": row["rank"],
        "isic_id": row["isic_id"],
        "risk": in_words(row["risk"]),
        "score": row["score"],
        "mm": row.get(_DIAMETER),
        "site": row.get(LOCATION) or row.get(SITE) or "",
        "reasons": row["reason"].split("; "),
        "neighbours": neighbours,
    }


def _neighbours(lesions: pl.DataFrame, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The nearest lesions on the body, with the distance in cm; without coordinates, by rank at the same site."""
    others = lesions.filter(pl.col("rank") != row["rank"])
    if set(POSITION) <= set(lesions.columns) and all(row[axis] is not None for axis in POSITION):
        squares = [(pl.col(axis) - row[axis]) ** 2 for axis in POSITION]
        near = others.with_columns(away=pl.sum_horizontal(squares, ignore_nulls=False).sqrt() / 10).drop_nulls("away")
        chosen = near.sort("away", "rank").head(NEIGHBOURS)
    else:
        site = LOCATION if row.get(LOCATION) else SITE
        same = others.filter(pl.col(site) == row[site]) if row.get(site) else others
        next_ranks = same.with_columns(away=pl.lit(None, pl.Float64), gap=(pl.col("rank") - row["rank"]).abs())
        chosen = next_ranks.sort("gap", "rank").head(NEIGHBOURS)
    return chosen.select("rank", "isic_id", "away").to_dicts()


def _unusual_input(lesions: pl.DataFrame, needed: Collection[str], *, crops: bool) -> Iterator[str]:
    """What is missing or unusual in the data of this patient."""
    empty = [name for name in sorted(needed) if name not in lesions.columns or lesions[name].is_null().all()]
    if empty:
        yield f"empty for every lesion, counted as missing: {shorten(empty, 12)}"
    for name in sorted(set(needed) & set(lesions.columns) & set(_DESCRIBED)):
        column, some = _DESCRIBED[name], lesions[name].null_count()
        if 0 < some < lesions.height:
            yield f"{name} is missing for {some} of {lesions.height} lesions"
        if column.low is not None and (odd := (~lesions[name].is_between(column.low, column.high)).sum()):
            unit = f" {column.unit}" if column.unit else ""
            yield f"{name} lies outside {column.low:g} to {column.high:g}{unit} for {odd} lesions"
    if crops and (without := lesions.height - lesions["has_crop"].sum()):
        yield f"{without} of {lesions.height} lesions have no crop that can be read: scored from the table alone"
    if lesions.height < _FEW:
        yield f"{lesions.height} lesions are too few to compare with one another"
