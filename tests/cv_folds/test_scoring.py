import json

import numpy as np
import polars as pl
import pytest

from cv_folds.metrics import METRICS, SETOP15, nnt_at, partial_auc, roc_auc
from cv_folds.scoring import summarise
from engine.errors import InputError


@pytest.fixture
def frame(lesions) -> pl.DataFrame:  # noqa: ANN001
    sample = lesions(1, patients=240)
    return pl.DataFrame(
        {
            "isic_id": [f"ISIC_{row}" for row in range(sample.target.size)],
            "patient_id": sample.ids,
            "target": sample.target,
            "fold": sample.patient % 3,
            "blend": sample.score,
            "other": sample.other,
        }
    )


def test_estimates_are_the_metrics(frame: pl.DataFrame) -> None:
    result = summarise(frame, "blend", replicates=100)
    target, score, patient = frame["target"], frame["blend"], frame["patient_id"]
    assert result["pooled"]["pauc"]["estimate"] == pytest.approx(partial_auc(target, score), abs=1e-12)
    assert result["pooled"]["auc"]["estimate"] == pytest.approx(roc_auc(target, score), abs=1e-12)
    assert result["pooled"]["setop15"]["estimate"] == pytest.approx(SETOP15(target, score, patient), abs=1e-12)
    folds = [frame.filter(pl.col("fold") == fold) for fold in range(3)]
    aucs = [roc_auc(fold["target"], fold["blend"]) for fold in folds]
    assert [row["auc"]["estimate"] for row in result["by_fold"]] == pytest.approx(aucs, abs=1e-12)
    assert result["mean_over_folds"]["auc"]["estimate"] == pytest.approx(np.mean(aucs), abs=1e-12)
    assert [row["fold"] for row in result["by_fold"]] == [0, 1, 2]
    assert sum(row["malignant"] for row in result["by_fold"]) == result["malignant"]


def test_the_result_is_json_and_says_what_was_counted(frame: pl.DataFrame) -> None:
    result = summarise(frame, "blend", replicates=120, seed=3, level=0.9)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["lesions"] == frame.height
    assert result["malignant"] == frame["target"].sum()
    assert result["patients"] == 240
    assert result["malignant_patients"] == frame.filter(pl.col("target") == 1)["patient_id"].n_unique()
    assert (result["replicates"], result["seed"], result["level"]) == (120, 3, 0.9)
    assert (result["unit"], result["column"], result["notes"]) == ("patient", "blend", [])
    assert list(result["metrics"]) == ["pauc", "auc", "setop15"]
    cell = result["pooled"]["pauc"]
    assert cell["low"] < cell["estimate"] < cell["high"]
    assert cell["method"] == "bca"


def test_a_comparison_is_paired(frame: pl.DataFrame) -> None:
    result = summarise(frame, "blend", other="other", replicates=400)
    alone = summarise(frame, "blend", replicates=400)
    assert result["pooled"] == alone["pooled"]
    for view in ("pooled", "mean_over_folds"):
        for metric in ("pauc", "auc", "setop15"):
            cell = result["difference"][view][metric]
            assert cell["estimate"] == pytest.approx(
                result[view][metric]["estimate"] - result["other"][view][metric]["estimate"], abs=1e-12
            )
            assert cell["distinguishable"] is not (cell["low"] <= 0 <= cell["high"])
    assert result["difference"]["pooled"]["auc"]["distinguishable"]
    assert result["difference"]["pooled"]["auc"]["method"] == "percentile"
    assert len(result["difference"]["by_fold"]) == 3


def test_a_score_beside_itself(frame: pl.DataFrame) -> None:
    result = summarise(frame, "blend", other="blend", replicates=100)
    assert result["difference"]["pooled"]["pauc"]["estimate"] == 0
    assert not result["difference"]["pooled"]["pauc"]["distinguishable"]


def test_without_patients_lesions_are_drawn_and_it_says_so(frame: pl.DataFrame) -> None:
    result = summarise(frame.drop("patient_id"), "blend", replicates=100)
    assert result["unit"] == "lesion"
    assert result["patients"] is None
    assert list(result["pooled"]) == ["pauc", "auc"]
    assert "no patient ids" in result["notes"][0]


def test_without_folds_there_is_only_the_pooled_figure(frame: pl.DataFrame) -> None:
    result = summarise(frame.drop("fold"), "blend", replicates=100)
    assert result["mean_over_folds"] is None
    assert result["by_fold"] is None


def test_any_named_metric(frame: pl.DataFrame) -> None:
    result = summarise(frame, "blend", metrics=list(METRICS), replicates=100)
    assert list(result["pooled"]) == list(METRICS)
    nnt = nnt_at(0.9)(frame["target"], frame["blend"])
    assert result["pooled"]["nnt90"]["estimate"] == pytest.approx(nnt)
    with pytest.raises(InputError, match="no metric 'roc'"):
        summarise(frame, "blend", metrics=["roc"], replicates=100)


def test_a_fold_without_malignant_lesions_has_no_figures(frame: pl.DataFrame) -> None:
    benign = frame.with_columns(pl.when(pl.col("target") == 1).then(1).otherwise("fold").alias("fold"))
    result = summarise(benign, "blend", replicates=100)
    assert "fold 0, 2 lacks malignant or benign lesions" in result["notes"][0]
    assert result["by_fold"][0]["pauc"]["estimate"] is None
    assert result["mean_over_folds"]["pauc"]["estimate"] is None
    assert result["pooled"]["pauc"]["low"] is not None
    assert any("patients lie in several folds" in note for note in result["notes"])


def test_few_patients_are_noted(frame: pl.DataFrame) -> None:
    few = frame.filter(pl.col("patient_id") < "IP_0000040")
    assert any("patients have a malignant lesion" in note for note in summarise(few, "blend", replicates=100)["notes"])


def test_refusals(frame: pl.DataFrame) -> None:
    for broken, column, message in [
        (frame, "nope", "column nope is missing"),
        (frame.drop("target"), "blend", "column target is missing"),
        (frame.with_columns(pl.lit(None).alias("blend")), "blend", "blend: .* values are missing"),
        (frame.with_columns(pl.lit(0).alias("target")), "blend", "no malignant lesion"),
        (frame.with_columns(pl.col("blend") / 0), "blend", "not finite"),
        (frame.with_columns(pl.lit(None, pl.Int64).alias("fold")), "blend", "fold: .* values are missing"),
    ]:
        with pytest.raises(InputError, match=message):
            summarise(broken, column, replicates=100)


def test_retrieval_alone_needs_patients(frame: pl.DataFrame) -> None:
    with pytest.raises(InputError, match=r"setop15 cannot be measured\. give patient ids"):
        summarise(frame.drop("patient_id"), "blend", metrics=["setop15"], replicates=100)
