"""A report of scores that are the same for every lesion: of one learner, or of all."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import polars as pl
import pytest

from cv_folds.bootstrap import reliabilities
from cv_folds.scoring import summarise
from submissions.model_card import as_markdown, model_card
from submissions.report.artifacts import Artifacts
from submissions.report.building import build_report
from submissions.report.page import render_page
from submissions.report.poster import poster
from tests.submissions.report.conftest import SCORES, SETTINGS


@pytest.mark.parametrize("equal", [("lightgbm",), (*SCORES, "risk")], ids=["one learner", "everything"])
def test_equal_scores_end_in_no_traceback(artifacts: Artifacts, table: pl.DataFrame, equal: tuple[str, ...]) -> None:
    oof = artifacts.oof.with_columns(pl.lit(0.04).alias(name) for name in equal)
    calibrated = reliabilities(oof["target"], {"": oof["risk"]}, patient=oof["patient_id"], replicates=200)[""]
    metrics = {
        "scores": {name: summarise(oof, name, **SETTINGS) for name in SCORES},
        "calibration": {"method": "beta", "prevalence": 0.04, **calibrated.as_dict()},
    }
    content = build_report(replace(artifacts, oof=oof, metrics=metrics), table, {"kind": "unknown", "why": ""})
    json.dumps(content, allow_nan=False)
    for page in (render_page(content, {}), poster(content)):
        assert not re.search(r"\b(nan|NaN|None|inf)\b", page)
    assert as_markdown(model_card(content))
    rows = content["learners"]["correlations"]["rows"]
    assert rows[0] == [None] * 3
    assert (rows[1][1] is None) == (len(equal) > 1)
