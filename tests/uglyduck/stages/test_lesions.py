"""The lesions stage: what is drawn of the user's table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.files import read_json
from tests.uglyduck.conftest import QUICK


def test_a_share_of_the_benign_lesions_is_drawn_and_risks_are_those_of_the_whole_table(
    small: Path, finished: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    table = pl.read_csv(small / "data/train-metadata.csv", infer_schema=False).sample(fraction=1, shuffle=True, seed=1)
    table.write_csv(tmp_path / "shuffled.csv")
    drawn = {}
    for name, source in (("whole", small / "data/train-metadata.csv"), ("shuffled", tmp_path / "shuffled.csv")):
        text = QUICK.replace('"data/train-metadata.csv"', f'"{source}"\nbenign_share = 0.2')
        (tmp_path / f"{name}.toml").write_text(text)
        command("run", tmp_path / f"{name}.toml", "--out", tmp_path / name)
        drawn[name] = pl.read_parquet(tmp_path / name / "oof.parquet")
    thinned, before = drawn["whole"], pl.read_parquet(finished / "oof.parquet")
    assert drawn["shuffled"].equals(thinned)  # an id decides, not a place in the table
    assert thinned["target"].sum() == before["target"].sum()
    assert thinned.height - thinned["target"].sum() == pytest.approx(0.2 * len(before), rel=0.15)
    stands_for = np.where(thinned["target"] == 1, 1, 5)
    assert np.average(thinned["risk"], weights=stands_for) == pytest.approx(before["target"].mean(), rel=0.3)
    stated = read_json(tmp_path / "whole/metrics.json")["calibration"]
    assert stated["prevalence"] == pytest.approx(before["target"].mean())
    assert stated["measured_at_prevalence"] == pytest.approx(thinned["target"].mean())
