"""What another camera would do to the descriptors' scores of real crops."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benches.performance import measure, record

DOCUMENT = Path(__file__).parents[2] / "docs" / "images-real.md"
CONFIG = """
[data]
metadata = "{crops}/crops.csv"
images = "{crops}/train-image.hdf5"
ungrouped = true
[features]
groups = ["image"]
[ensemble]
learners = ["lightgbm"]
"""


@pytest.mark.bench
def test_real_crops_from_another_camera(real_data: Path, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("uglyduck")
    (tmp_path / "crops.toml").write_text(CONFIG.format(crops=real_data / "slice3d"))
    measure(program, "run", tmp_path / "crops.toml", "--out", tmp_path / "run")
    measure(program, "robustness", tmp_path / "run")
    result = json.loads((tmp_path / "run" / "robustness.json").read_text("utf-8"))
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in result["rows"]:
        if row["score"] != "blend":  # of these crops alone it is the image score again
            rows.setdefault((row["score"], row["kind"]), []).append(row)
    record(
        "Crops from another camera",
        f"`uglyduck robustness` on {result['lesions']:,} real SLICE-3D crops, {result['malignant']} malignant, scored"
        " by descriptors out of fold (`ungrouped`, 5 folds), without and with equalised contrast (CLAHE). pAUC and its"
        " change from the crops as they are, paired bootstrap; ≈ cannot be told from no change. The changes are"
        " simulated, one at a time; [what they are](robustness.md).",
        ["score", "crops", "slight", "clear", "strong"],
        [[*key, *map(cell, found), *[""] * (3 - len(found))] for key, found in rows.items()],
        document=DOCUMENT,
    )
    plain = rows["image", "unchanged"][0]["pauc"]["estimate"]
    assert plain >= 0.135
    assert rows["image", "blur"][-1]["pauc"]["estimate"] < plain


def cell(row: dict[str, Any]) -> str:
    """The pAUC, and how far it moved."""
    pauc, change = row["pauc"], row.get("change")
    if change is None:
        return f"{pauc['estimate']:.4f} ({pauc['low']:.4f} to {pauc['high']:.4f})"
    sign = "" if change["distinguishable"] else "≈ "
    moved = f"{sign}{change['estimate']:+.4f} ({change['low']:+.4f} to {change['high']:+.4f})"
    return f"{pauc['estimate']:.4f}, {moved}"
