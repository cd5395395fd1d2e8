"""The sections that come straight from `metrics.json`: figures of every score, over the folds, and calibration."""

from __future__ import annotations

from typing import Any

from cv_folds.hospital_share import in_words
from submissions.report.artifacts import Artifacts

#: Labels for readers, of names that are not those of learners.
LABELS = {"blend": "Blend of the learners", "table": "Table alone", "image": "Image alone"}
NESTED = "Blend, fully nested"


def overview(run: Artifacts) -> dict[str, Any]:
    """Counts, and each score's figures with their intervals, the blend first."""
    scores = run.metrics["scores"]
    first = scores["blend"]
    names = sorted(scores, key=lambda name: name not in LABELS)
    rows = [_row(name, LABELS.get(name, name), scores[name]) for name in names]
    if nested := run.optional.get("nested"):
        rows.insert(1, _row("nested", NESTED, nested["scores"]["blend"]))
    return {
        **{key: first[key] for key in ("lesions", "malignant", "patients", "malignant_patients")},
        **{key: first[key] for key in ("level", "replicates", "unit", "seed")},
        "metrics": first["metrics"],
        "rows": rows,
        "comparisons": [
            {"first": _label(pair["first"]), "second": _label(pair["second"]), "difference": pair["difference"]}
            for pair in run.metrics.get("comparisons", [])
        ],
        "hospital": {
            _label(name): in_words(found)
            for name, found in run.metrics.get("hospital", {}).items()
            if found is not None
        },
        "optimum": run.metrics.get("optimum"),
        "notes": first["notes"],
        "images": any(feature["group"] == "image" for feature in run.features),
    }


def _row(name: str, label: str, measured: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "label": label} | {view: measured[view] for view in ("pooled", "mean_over_folds")}


def _label(name: str) -> str:
    return LABELS.get(name, name)


def folds(run: Artifacts) -> dict[str, Any]:
    """The blend's figures fold by fold."""
    blend = run.metrics["scores"]["blend"]
    return {
        "scheme": run.config["folds"]["scheme"],
        "metrics": blend["metrics"],
        "pooled": blend["pooled"],
        "mean": blend["mean_over_folds"],
        "rows": blend["by_fold"] or [],
    }
