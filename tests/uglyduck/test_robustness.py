"""`uglyduck robustness` on a run with crops."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from cv_folds.metrics import partial_auc
from ensemble.fusion import read_blend
from tests.uglyduck.conftest import Command
from uglyduck.studies.robustness import choose_lesions

KINDS = ["unchanged", "lighting", "white balance", "blur", "JPEG", "resolution", "rotation"]


@pytest.fixture(scope="module")
def measured(pictured: Path, tmp_path_factory: pytest.TempPathFactory, command: Command) -> SimpleNamespace:
    run = tmp_path_factory.mktemp("robust") / "run"
    shutil.copytree(pictured / "run", run)
    done = command("robustness", run, "--lesions", "64", "--json")
    return SimpleNamespace(run=run, result=json.loads(done.stdout))


def row(result: dict[str, list[dict[str, object]]], score: str, kind: str) -> dict[str, dict[str, float]]:
    found = [each for each in result["rows"] if (each["score"], each["kind"]) == (score, kind)]
    return found[0]  # type: ignore[return-value]


def test_every_score_is_measured_under_every_perturbation(measured: SimpleNamespace) -> None:
    rows = measured.result["rows"]
    assert [(each["score"], each["kind"], each["strength"]) for each in rows] == [
        (score, kind, strength)
        for score in ("image", "image, CLAHE", "blend")
        for kind in KINDS
        for strength in ((0,) if kind == "unchanged" else (1, 2, 3))
    ]
    assert json.loads((measured.run / "robustness.json").read_text()) == measured.result
    table = pl.read_csv(measured.run / "robustness.csv")
    assert table.height == len(rows)
    assert table["change"].null_count() == 3


def test_the_unchanged_crops_score_as_in_the_run(measured: SimpleNamespace) -> None:
    folds = pl.read_parquet(measured.run / "folds.parquet")
    chosen = choose_lesions(folds, 64, 0)
    assert (chosen.height, int(chosen["target"].sum())) == (measured.result["lesions"], measured.result["malignant"])
    oof = pl.read_parquet(measured.run / "oof.parquet").join(chosen.select("isic_id"), on="isic_id", how="semi")
    target = oof["target"].to_numpy()
    image = row(measured.result, "image", "unchanged")["pauc"]["estimate"]
    assert image == pytest.approx(partial_auc(target, oof["image"].to_numpy()))
    blend = read_blend(json.loads((measured.run / "blend.json").read_text()))
    blended = blend({name: oof[name].to_numpy() for name in blend.weights})
    found = row(measured.result, "blend", "unchanged")["pauc"]["estimate"]
    assert found == pytest.approx(partial_auc(target, blended))


def test_changes_are_paired_differences(measured: SimpleNamespace) -> None:
    for score in ("image", "image, CLAHE", "blend"):
        before = row(measured.result, score, "unchanged")["pauc"]["estimate"]
        after = row(measured.result, score, "blur")
        assert after["change"]["estimate"] == pytest.approx(after["pauc"]["estimate"] - before)
        assert after["change"]["low"] <= after["change"]["high"]
    gain = row(measured.result, "image, CLAHE", "JPEG")
    plain = row(measured.result, "image", "JPEG")
    assert gain["clahe_gain"]["estimate"] == pytest.approx(gain["pauc"]["estimate"] - plain["pauc"]["estimate"])


def test_the_run_itself_stays_as_it_was(measured: SimpleNamespace, pictured: Path) -> None:
    for name in ("manifest.json", "oof.parquet", "images/descriptors/spec.json", "images/descriptors/oof.parquet"):
        assert (measured.run / name).read_bytes() == (pictured / "run" / name).read_bytes()


def cohort(sizes: list[int], malignant: set[int]) -> pl.DataFrame:
    """Patients with so many lesions each; of those named, the first lesion is malignant."""
    pairs = [(patient, place) for patient, size in enumerate(sizes) for place in range(size)]
    return pl.DataFrame(
        {
            "isic_id": [f"{patient}-{place}" for patient, place in pairs],
            "patient_id": [str(patient) for patient, _ in pairs],
            "target": [int(place == 0 and patient in malignant) for patient, place in pairs],
        }
    )


def test_whole_patients_are_chosen_and_those_with_a_malignant_lesion_first() -> None:
    folds = cohort([5, 8, 3, 9, 6], {1, 2, 4})
    assert choose_lesions(folds, 31, 0).equals(folds)
    seen = set()
    for seed in range(20):
        # 18 lesions for patients 1, 2 and 4, who have 17; then 3, for which neither patient 0 nor 3 is small enough.
        found = dict(choose_lesions(folds, 20, seed).group_by("patient_id").len().iter_rows())
        assert {"1", "2", "4"} < set(found)
        assert len(found) == 4
        assert all(found[patient] == [5, 8, 3, 9, 6][int(patient)] for patient in found)
        seen |= set(found)
    assert seen == {"0", "1", "2", "3", "4"}


def test_where_every_lesion_is_a_patient_both_kinds_are_chosen() -> None:
    found = choose_lesions(cohort([1] * 100, set(range(30))), 20, 0)
    assert (found.height, found["target"].sum()) == (20, 18)


def test_a_run_of_tables_alone_is_refused(finished: Path, command: Command) -> None:
    done = command("robustness", finished, check=False)
    assert done.returncode == 2
    assert "this run scores no crops" in done.stderr
