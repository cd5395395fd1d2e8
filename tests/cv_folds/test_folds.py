from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cv_folds.folds import METADATA, Folds, check_folds, make_folds
from engine.errors import InputError

Cohort = Callable[..., pl.DataFrame]


@pytest.fixture
def frame(cohort: Cohort) -> pl.DataFrame:
    generator = np.random.default_rng(0)
    sizes = 2 + generator.poisson(generator.exponential(20, 60))
    return cohort([(int(size), int(number % 4 == 0)) for number, size in enumerate(sizes)], ["Aarhus", "Bern", "Cork"])


def patients_by_fold(folds: Folds) -> list[set[str]]:
    return [set(folds.frame.filter(pl.col("fold") == fold)["patient_id"]) for fold in range(len(folds.names))]


@pytest.mark.parametrize("scheme", ["stratified", "balanced-size", "leave-one-hospital-out"])
def test_patients_stay_together_and_every_lesion_is_held_out_once(frame: pl.DataFrame, scheme: str) -> None:
    folds = make_folds(frame, scheme=scheme)
    assert folds.frame.columns == ["isic_id", "patient_id", "target", "fold"]
    assert folds.frame.schema["fold"] == pl.Int8
    assert set(folds.frame["isic_id"]) == set(frame["isic_id"])
    groups = patients_by_fold(folds)
    assert sum(map(len, groups)) == 60
    assert set.union(*groups) == set(frame["patient_id"])


def test_stratified_folds_hold_equal_shares(frame: pl.DataFrame) -> None:
    summary = make_folds(frame).summary()
    # 15 malignant patients with one malignant lesion each, 60 patients: 3 and 12 a fold.
    assert summary["malignant_lesions"].to_list() == [3] * 5
    assert summary["malignant_patients"].to_list() == [3] * 5
    assert summary["patients"].to_list() == [12] * 5
    assert summary["rows"].sum() == frame.height
    assert summary["rows"].max() < 1.1 * frame.height / 5
    assert summary["name"].to_list() == [f"fold {fold}" for fold in range(5)]


def test_repeats_are_columns_of_their_own(frame: pl.DataFrame) -> None:
    folds = make_folds(frame, scheme="repeated", n_folds=4, n_repeats=3, seed=5)
    assert folds.frame.columns == ["isic_id", "patient_id", "target", "fold", "fold_1", "fold_2"]
    assert [series.name for series in folds.assignments()] == ["fold", "fold_1", "fold_2"]
    assert not folds.frame["fold"].equals(folds.frame["fold_1"])
    assert not folds.frame["fold_1"].equals(folds.frame["fold_2"])
    assert folds.summary()["repeat"].to_list() == [0] * 4 + [1] * 4 + [2] * 4
    single = make_folds(frame, n_folds=4, seed=5)
    assert folds.frame["fold"].equals(single.frame["fold"])


def test_the_order_of_rows_and_other_columns_do_not_matter(frame: pl.DataFrame) -> None:
    folds = make_folds(frame)
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1).with_columns(pl.lit(1.0).alias("age_approx"))
    assert make_folds(shuffled).frame.equals(folds.frame)
    assert make_folds(shuffled).sha256 == folds.sha256


def test_the_hash_does_not_speak_of_order(frame: pl.DataFrame) -> None:
    folds = make_folds(frame)
    shuffled = folds.frame.sample(fraction=1, shuffle=True, seed=1).select("fold", "target", "isic_id", "patient_id")
    assert Folds(shuffled, folds.scheme, folds.names).sha256 == folds.sha256


def test_the_hash_speaks_of_ids_patients_targets_and_folds(frame: pl.DataFrame) -> None:
    folds = make_folds(frame)
    assert len(folds.sha256) == 64
    assert make_folds(frame, seed=1).sha256 != folds.sha256
    for change in (
        pl.col("target").reverse(),
        pl.col("isic_id").reverse(),
        pl.col("patient_id") + "x",
        (4 - pl.col("fold")).alias("fold"),
    ):
        changed = Folds(folds.frame.with_columns(change), folds.scheme, folds.names)
        assert changed.sha256 != folds.sha256


def test_folds_survive_writing_and_reading(frame: pl.DataFrame, tmp_path: Path) -> None:
    folds = make_folds(frame, scheme="leave-one-hospital-out")
    folds.write(tmp_path / "folds.parquet")
    again = Folds.read(tmp_path / "folds.parquet")
    assert again.frame.equals(folds.frame)
    assert (again.sha256, again.scheme, again.names) == (folds.sha256, folds.scheme, ("Aarhus", "Bern", "Cork"))
    folds.write(tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "folds.parquet").read_bytes()


def test_changed_folds_are_refused(frame: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "folds.parquet"
    make_folds(frame).write(path)
    facts = pl.read_parquet_metadata(path)
    moved = pl.read_parquet(path).with_columns((4 - pl.col("fold")).cast(pl.Int8))
    moved.write_parquet(path, metadata={METADATA: facts[METADATA]})
    with pytest.raises(InputError, match="the folds were changed after they were made"):
        Folds.read(path)


def test_a_patient_in_two_folds_is_refused_even_with_a_good_hash(frame: pl.DataFrame, tmp_path: Path) -> None:
    folds = make_folds(frame)
    fold = folds.frame["fold"].to_list()
    fold[0] = (fold[0] + 1) % 5
    split = Folds(folds.frame.with_columns(pl.Series("fold", fold, dtype=pl.Int8)), folds.scheme, folds.names)
    split.write(tmp_path / "folds.parquet")
    with pytest.raises(InputError, match=r"fold: patient IP_0000 lies in two folds \(1 such patients\)"):
        Folds.read(tmp_path / "folds.parquet")


@pytest.mark.parametrize("content", ["nothing", "text", "plain", "columns", "facts"])
def test_only_folds_files_are_read(frame: pl.DataFrame, tmp_path: Path, content: str) -> None:
    path = tmp_path / "folds.parquet"
    if content == "text":
        path.write_text("isic_id,fold\n")
    elif content == "plain":
        make_folds(frame).frame.write_parquet(path)
    elif content == "columns":
        frame.write_parquet(path, metadata={METADATA: "{}"})
    elif content == "facts":
        make_folds(frame).frame.write_parquet(path, metadata={METADATA: "{}"})
    with pytest.raises(InputError, match="no such file" if content == "nothing" else "not a folds file"):
        Folds.read(path)


def test_more_folds_than_malignant_patients_are_refused(cohort: Cohort) -> None:
    frame = cohort([(5, 1), (9, 2), (4, 1), (8, 0), (7, 0)])
    with pytest.raises(
        InputError, match=r"n_folds: 5 folds are not possible.* 3 have a malignant.*use at most 3 folds"
    ):
        make_folds(frame)
    assert make_folds(frame, n_folds=3).summary()["malignant_patients"].to_list() == [1, 1, 1]


@pytest.mark.parametrize("patients", [[(5, 1), (4, 0), (3, 0)], [(5, 0), (4, 0)], [(2, 2), (3, 3)]])
def test_no_folds_at_all_are_possible(cohort: Cohort, patients: list[tuple[int, int]]) -> None:
    with pytest.raises(InputError, match="no folds are possible"):
        make_folds(cohort(patients), n_folds=2)


def test_a_fold_without_a_benign_lesion_is_refused(cohort: Cohort) -> None:
    # Four patients whose lesions are all malignant, two with benign ones: 2 folds are possible, 4 are not.
    frame = cohort([(2, 2), (2, 2), (1, 1), (1, 1), (6, 0), (5, 0)])
    with pytest.raises(InputError, match=r"4 have a malignant and 2 a benign one\. use at most 2 folds"):
        make_folds(frame, n_folds=4)
    make_folds(frame, n_folds=2)


def test_linked_patients_stay_in_one_fold(cohort: Cohort) -> None:
    # Duplicates link 0-1 and 1-2; 3-4 are linked through one lesion only; the rest stand for themselves.
    frame = cohort([(4, 1)] * 12).sort("isic_id")
    group = {"IP_0000": "a", "IP_0001": "a", "IP_0002": "b"}
    frame = frame.with_columns(pl.col("patient_id").replace_strict(group, default=None).alias("group"))
    first_of = {patient: frame.filter(pl.col("patient_id") == patient)["isic_id"][0] for patient in frame["patient_id"]}
    second_of = {
        patient: frame.filter(pl.col("patient_id") == patient)["isic_id"][1] for patient in frame["patient_id"]
    }
    extra = {first_of["IP_0001"]: "b", second_of["IP_0003"]: "c", first_of["IP_0004"]: "c"}
    frame = frame.with_columns(pl.col("isic_id").replace_strict(extra, default=pl.col("group")).alias("group"))
    for seed in range(8):
        fold = dict(make_folds(frame, n_folds=3, seed=seed).frame.select("patient_id", "fold").unique().iter_rows())
        assert len(fold) == 12
        assert fold["IP_0000"] == fold["IP_0001"] == fold["IP_0002"]
        assert fold["IP_0003"] == fold["IP_0004"]


def test_groups_named_after_patients_change_nothing_when_nobody_is_linked(frame: pl.DataFrame) -> None:
    named = frame.with_columns(pl.col("patient_id").alias("group"))
    assert make_folds(named).sha256 == make_folds(frame).sha256


def test_one_fold_for_each_hospital(frame: pl.DataFrame) -> None:
    folds = make_folds(frame, scheme="leave-one-hospital-out")
    assert folds.names == ("Aarhus", "Bern", "Cork")
    joined = folds.frame.join(frame.select("isic_id", "attribution"), on="isic_id", validate="1:1")
    pairs = joined.select("fold", "attribution").unique().sort("fold")
    assert pairs.rows() == [(0, "Aarhus"), (1, "Bern"), (2, "Cork")]
    assert folds.notes == ()


def test_a_hospital_without_malignant_lesions_is_refused_or_merged(cohort: Cohort) -> None:
    # Aarhus has 3 malignant lesions, Bern none, Cork 1, Delft none.
    frame = cohort([(5, 3), (4, 0), (6, 1), (3, 0)], ["Aarhus", "Bern", "Cork", "Delft"])
    with pytest.raises(
        InputError, match=r"Bern, Delft; 2 folds are possible. .* \[folds\] without_malignant = .merge."
    ):
        make_folds(frame, scheme="leave-one-hospital-out")
    folds = make_folds(frame, scheme="leave-one-hospital-out", without_malignant="merge")
    assert folds.names == ("Aarhus", "Cork + Bern + Delft")
    assert folds.summary()["rows"].to_list() == [5, 13]
    assert "held out with Cork: Bern, Delft" in folds.notes[0]


def test_hospitals_need_a_malignant_lesion_in_two_places(cohort: Cohort) -> None:
    frame = cohort([(5, 3), (4, 0)], ["Aarhus", "Bern"])
    with pytest.raises(InputError, match="1 of 2 hospitals have malignant and benign lesions"):
        make_folds(frame, scheme="leave-one-hospital-out", without_malignant="merge")


def test_a_patient_of_two_hospitals_is_held_out_with_most_of_the_lesions(cohort: Cohort) -> None:
    frame = cohort([(5, 1), (5, 1), (5, 1)], ["Aarhus", "Bern", "Cork"])
    # Patient 0 has 2 of 5 lesions at Bern; patient 1 has 2 at Cork and 1 unknown, so 2 and 2: Bern comes first.
    places = ["Aarhus"] * 3 + ["Bern"] * 4 + ["Cork"] * 2 + [None] + ["Cork"] * 5
    folds = make_folds(frame.with_columns(pl.Series("attribution", places)), scheme="leave-one-hospital-out")
    fold = dict(folds.frame.select("patient_id", "fold").unique().iter_rows())
    assert fold == {"IP_0000": 0, "IP_0001": 1, "IP_0002": 2}
    assert "2 further visits" in folds.notes[0]


def test_hospitals_must_be_known(frame: pl.DataFrame) -> None:
    with pytest.raises(InputError, match="attribution: there is no such column"):
        make_folds(frame.drop("attribution"), scheme="leave-one-hospital-out")
    unknown = pl.when(pl.col("patient_id") == "IP_0001").then(None).otherwise("attribution")
    with pytest.raises(InputError, match="lesions belong to patients without a hospital"):
        make_folds(frame.with_columns(unknown.alias("attribution")), scheme="leave-one-hospital-out")


def test_parameters_that_make_no_sense(frame: pl.DataFrame) -> None:
    for arguments, message in [
        ({"scheme": "random"}, "no scheme 'random'. choose from stratified, repeated"),
        ({"n_folds": 1}, "1 folds leave nothing to train on"),
        ({"seed": -1}, "seed: -1 is negative"),
        ({"scheme": "repeated"}, "n_repeats: 1 repeats with the scheme 'repeated'"),
        ({"n_repeats": 2}, "n_repeats: 2 repeats with the scheme 'stratified'"),
    ]:
        with pytest.raises(InputError, match=message):
            make_folds(frame, **arguments)


def test_too_many_hospitals(cohort: Cohort) -> None:
    frame = cohort([(2, 1)] * 130, [f"H{number:03d}" for number in range(130)])
    with pytest.raises(InputError, match=r"130 folds are too many\. use at most 127"):
        make_folds(frame, scheme="leave-one-hospital-out")


def test_frames_that_can_not_be_split(frame: pl.DataFrame) -> None:
    for broken, message in [
        (frame.drop("target"), "column target is missing"),
        (frame.drop("patient_id"), "column patient_id is missing"),
        (frame.with_columns(pl.lit(None, pl.String).alias("patient_id")), "patient_id: .* values are missing"),
        (frame.with_columns(pl.col("target") * 2), "target: holds other values than 0 and 1"),
        (pl.concat([frame, frame.head(1)]), "a lesion is listed twice"),
        (frame.head(0), "no folds are possible"),
        (frame.head(0).with_columns(pl.lit("a").alias("group")), "no folds are possible"),
    ]:
        with pytest.raises(InputError, match=message):
            make_folds(broken)


def test_a_poor_fold_is_named() -> None:
    frame = pl.DataFrame(
        {"isic_id": list("abcd"), "patient_id": list("pqrs"), "target": [0, 1, 0, 0], "fold": [0, 0, 1, 1]}
    )
    with pytest.raises(InputError, match="fold 1 lacks malignant or benign lesions"):
        check_folds(frame, ["fold"], where="x")


def test_real_isic2020(real_data: Path) -> None:
    table = real_data / "isic2020" / "ISIC_2020_Training_GroundTruth.csv"
    frame = pl.read_csv(table, columns=["image_name", "patient_id", "target"]).rename({"image_name": "isic_id"})
    summary = make_folds(frame).summary()
    for column, most in [("malignant_lesions", 1), ("malignant_patients", 2), ("patients", 2)]:
        assert summary[column].max() - summary[column].min() <= most, column
    assert summary["rows"].max() / summary["rows"].mean() < 1.02
