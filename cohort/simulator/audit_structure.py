"""The audit's chapters on all but single numeric columns: relations, categories, patients, tags, ugly ducklings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy.stats import binom

from cohort.simulator.audit_columns import POINT
from cohort.simulator.calibration import CONTRAST, SIZE, published
from cohort.simulator.findings import AuditFinding, near
from cohort.simulator.places import body_site, simple_location

EXACT = 1e-4
PATIENT_TOLERANCE = 0.10
DUCKLING_TOLERANCE = 5.0
_LEVEL = 0.99
_CATEGORIES = {
    "sex": "sexes",
    "anatom_site_general": "sites",
    "tbp_lv_location": "locations",
    "tbp_lv_location_simple": "simple_locations",
    "tbp_tile_type": "tiles",
    "attribution": "hospitals",
    "copyright_license": "licences",
}
_COUNTED = ("anatom_site_general", "tbp_tile_type", "attribution")


def relations(frame: pl.DataFrame) -> Iterator[AuditFinding]:
    """The exact relations between columns, to 1e-4, and those of text columns, without exception."""
    c = {name.removeprefix("tbp_lv_"): pl.col(name) for name in frame.columns}
    gaps = {"area_perim_ratio = perimeter² / area": c["area_perim_ratio"] - c["perimeterMM"].pow(2) / c["areaMM2"]}
    for side in ("", "ext"):
        red, blue = c[f"A{side}"], c[f"B{side}"]
        gaps[f"C{side} = hypot(A{side}, B{side})"] = c[f"C{side}"] - (red.pow(2) + blue.pow(2)).sqrt()
        gaps[f"H{side} = atan2(B{side}, A{side})"] = c[f"H{side}"] - pl.arctan2(blue, red).degrees()
    for axis in "ABL":
        gaps[f"delta{axis} = {axis} - {axis}ext"] = c[f"delta{axis}"] - (c[axis] - c[f"{axis}ext"])
    for what, gap in gaps.items():
        largest = float(frame.select(gap.abs().max()).item())
        yield AuditFinding("exact relations", what, 0.0, largest, 0.0, EXACT, exact=True)
    places = frame["tbp_lv_location"].unique().to_list()
    texts = {
        "anatom_site_general follows from location": pl.col("anatom_site_general").ne_missing(
            pl.col("tbp_lv_location").replace_strict({name: body_site(name) for name in places})
        ),
        "location_simple follows from location": pl.col("tbp_lv_location_simple")
        != pl.col("tbp_lv_location").replace_strict({name: simple_location(name) for name in places}),
        "iddx_1 is Malignant where target is 1": (pl.col("iddx_1") == "Malignant") != (pl.col("target") == 1),
        "iddx_full joins its levels": pl.col("iddx_full")
        != pl.concat_str([f"iddx_{level}" for level in range(1, 6)], separator="::", ignore_nulls=True),
    }
    for what, broken in texts.items():
        yield AuditFinding("exact relations", what, 0.0, float(frame.select(broken.sum()).item()), 0.0, 0.0, exact=True)


def categories(frame: pl.DataFrame) -> Iterator[AuditFinding]:
    """Shares of every level, within a percentage point; missing values are a level."""
    facts = published()
    for name, key in _CATEGORIES.items():
        total = sum(level["lesions"] for level in facts[key].values())
        values = frame[name].fill_null("missing")
        for level, counts in facts[key].items():
            have = float((values == level).mean() or 0.0)
            yield near("categories", f"{name}: {level}", counts["lesions"] / total, have, POINT)
    lesions = facts["totals"]["lesions"]
    for name, missing in facts["missing"].items():
        have = frame[name].null_count() / len(frame)
        yield near("categories", f"{name}: missing", missing / lesions, have, POINT)


def malignant_counts(frame: pl.DataFrame) -> Iterator[AuditFinding]:
    """Malignant lesions by site, lighting and hospital, within 99 % binomial bounds around the published share."""
    facts = published()
    cancers = frame.filter(target=1)
    for name in _COUNTED:
        levels = facts[_CATEGORIES[name]]
        total = sum(level["malignant"] for level in levels.values())
        values = cancers[name].fill_null("missing")
        for level, counts in levels.items():
            share = counts["malignant"] / total
            low, high = binom.interval(_LEVEL, len(cancers), share) if share > 0 else (0.0, 0.0)
            have = float((values == level).sum())
            yield AuditFinding(
                "malignant counts", f"{name}: {level}", share * len(cancers), have, float(low), float(high)
            )


def patients(frame: pl.DataFrame) -> Iterator[AuditFinding]:
    """Quantiles of lesions per patient within 10 %; how the malignant lesions spread over the patients."""
    facts = published()
    table = frame.group_by("patient_id", maintain_order=True).agg(size=pl.len(), cases=pl.col("target").sum())
    sizes, cases = table["size"].to_numpy(), table["cases"].to_numpy()
    wanted = facts["patients"]
    for percent, value in wanted["size"].items():
        have = float(np.quantile(sizes, float(percent) / 100))
        yield near("patients", f"lesions per patient, {percent} %", value, have, PATIENT_TOLERANCE * value)
    mean, largest = wanted["mean"], wanted["largest"]
    yield near("patients", "lesions per patient, mean", mean, float(sizes.mean()), PATIENT_TOLERANCE * mean)
    yield near("patients", "lesions per patient, largest", largest, float(sizes.max()), 0.25 * largest)
    positive = facts["totals"]["patients_with_malignant"] / facts["totals"]["patients"]
    have = float((cases > 0).mean())
    yield near("patients", "share with a malignant lesion", positive, have, PATIENT_TOLERANCE * positive)
    some = cases[cases > 0]
    counts = {"1": some == 1, "2-4": (some >= 2) & (some <= 4), "5+": some >= 5}
    for label, hit in counts.items():
        share = wanted["cases"][label] / facts["totals"]["patients_with_malignant"]
        what = f"share of these with {label} malignant"
        yield near("patients", what, share, float(hit.mean()), 0.05)
    thirds = np.array_split(cases[np.argsort(sizes, kind="stable")] > 0, 3)
    for label, third, count in zip(("fewest", "middle", "most"), thirds, wanted["positive_by_size_third"], strict=True):
        share = count / facts["totals"]["patients_with_malignant"]
        what = f"share of these in the third with the {label} lesions"
        yield near("patients", what, share, float(third.sum() / max(some.size, 1)), 0.07)


def tagging(frame: pl.DataFrame) -> Iterator[AuditFinding]:
    """The manual-tagging artefact: what automatic detection misses is in the table only if somebody tagged it."""
    facts = published()
    wanted = facts["tagged"]
    tagged = pl.col("lesion_id").is_not_null()
    benign = frame.filter(target=0)
    rules = {
        "malignant lesions without a tag": (pl.col("target") == 1) & ~tagged,
        "lesions below 2.5 mm without a tag": (pl.col(SIZE) < wanted["smallest_untagged"]) & ~tagged,
        "lesions of a contrast below the floor without a tag": (pl.col(CONTRAST) < wanted["contrast_floor"]) & ~tagged,
    }
    for what, rule in rules.items():
        yield AuditFinding("tagging", what, 0.0, float(frame.select(rule.sum()).item()), 0.0, 0.0, exact=True)
    share = wanted["benign"] / wanted["benign_lesions"]
    have = benign.select(tagged.mean()).item()
    yield near("tagging", "share of benign lesions with a tag", share, have, POINT)
    small = float((benign[SIZE] < wanted["smallest_untagged"]).mean() or 0.0)
    yield near("tagging", "share of benign lesions below 2.5 mm", wanted["below_floor_benign"], small, POINT)
    for name, hospital in facts["hospitals"].items():
        here = frame.filter(attribution=name)
        have = here.select(tagged.mean()).item() if len(here) else 0.0
        share = hospital["tagged"] / hospital["lesions"]
        yield near("tagging", f"share of lesions with a tag: {name}", share, have, POINT)
    sizes = benign.filter(tagged)[SIZE].to_numpy()
    for percent, value in wanted["size"].items():
        have = float(np.quantile(sizes, float(percent) / 100))
        what = f"size of tagged benign lesions, {percent} % (published of 307)"
        yield near("tagging", what, value, have, wanted["size_tolerance"][percent])


def ugly_ducklings(frame: pl.DataFrame) -> Iterator[AuditFinding]:
    """How malignant lesions rank by size among their patient's lesions, within 5 points."""
    wanted = published()["ugly_duckling"]
    rank = 100.0 * pl.col(wanted["column"]).rank("average").over("patient_id") / pl.len().over("patient_id")
    ranks = frame.select("target", rank=rank).filter(target=1)["rank"].to_numpy()
    figures = {
        "median percentile of malignant lesions within their patient": (wanted["median_percentile"], np.median(ranks)),
        "per cent in their patient's top decile": (100 * wanted["top_decile_share"], 100 * (ranks > 90.0).mean()),
    }
    for what, (figure, have) in figures.items():
        yield near("ugly ducklings", what, figure, float(have), DUCKLING_TOLERANCE)
