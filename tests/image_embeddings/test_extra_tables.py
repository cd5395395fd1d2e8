"""Extra tables: models learn from their lesions and never score them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import polars as pl
import pytest

from cohort.stores.protocol import CropError
from engine.errors import InputError
from image_embeddings.descriptors import model
from image_embeddings.frozen.head import Head, HeadSettings
from image_embeddings.joined_store import JoinedStore, extra_id, own_ids
from image_embeddings.measuring import class_figures
from image_embeddings.networks.backend import inner_split
from image_embeddings.overlap import is_named, names_in, refuse_own_lesions
from image_embeddings.presets import PRESETS
from image_embeddings.spec import Spec
from tests.image_embeddings.conftest import run, simulate, write_table

FAST = ["--cores", "1", "--n-folds", "2", "--replicates", "100"]


@pytest.fixture(scope="module", autouse=True)
def few_trees() -> None:  # type: ignore[misc]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.DescriptorModel.fit.__func__, "__kwdefaults__", {"seed": 0, "threads": 1, "trees": 20})
        yield


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The table that is scored."""
    return simulate(tmp_path_factory.mktemp("few"), n_benign=16, n_malignant=12)


@pytest.fixture(scope="module")
def inverted(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Many lesions of other patients whose labels say the opposite of the scored table's."""
    found = simulate(tmp_path_factory.mktemp("inverted"), n_benign=100, n_malignant=100, first=5_000)
    frame = found.frame.with_columns(target=1 - pl.col("target"))
    write_table(frame, found.metadata)
    return SimpleNamespace(metadata=found.metadata, images=found.images, frame=frame, store=found.store)


@pytest.fixture(scope="module")
def taught(few: SimpleNamespace, inverted: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that learnt from both."""
    folder = tmp_path_factory.mktemp("taught") / "model"
    train(few, folder, *extra(inverted))
    return folder


def train(few: SimpleNamespace, out: Path, *more: object) -> dict[str, Any]:
    tables = ["--metadata", few.metadata, "--images", few.images]
    found: dict[str, Any] = json.loads(run("train", *tables, "--out", out, "--json", *FAST, *more))
    return found


def extra(table: SimpleNamespace) -> list[object]:
    return ["--extra-metadata", table.metadata, "--extra-images", table.images]


def test_models_learn_from_extra_lesions_and_score_none(
    few: SimpleNamespace, inverted: SimpleNamespace, taught: Path, tmp_path: Path
) -> None:
    alone = train(few, tmp_path / "alone")
    figures = json.loads((taught / "metrics.json").read_text("utf-8"))
    assert alone["scores"]["image"]["pooled"]["auc"]["estimate"] > 0.9
    assert figures["scores"]["image"]["pooled"]["auc"]["estimate"] < 0.1
    assert figures["lesions"] == len(few.frame)
    for name in ("oof", "folds"):
        assert sorted(pl.read_parquet(taught / f"{name}.parquet")["isic_id"]) == sorted(few.frame["isic_id"])
    listed = pl.read_parquet(taught / "extra.parquet")
    assert sorted(listed["isic_id"]) == sorted(inverted.frame["isic_id"])
    assert sorted(listed["patient_id"].unique()) == sorted(inverted.frame["patient_id"].unique())


def test_lesions_and_patients_that_are_scored_are_left_out(
    few: SimpleNamespace, inverted: SimpleNamespace, tmp_path: Path
) -> None:
    own, other = few.frame, inverted.frame
    one_lesion = own.head(1).with_columns(patient_id=pl.lit("IP_7777777"))
    one_patient = other.head(1).with_columns(patient_id=own["patient_id"][-1:])
    mixed = SimpleNamespace(
        metadata=write_table(pl.concat([one_lesion, one_patient, other[1:]]), tmp_path / "mixed.csv"),
        images=inverted.images,
    )
    train(few, tmp_path / "model", *extra(mixed))
    assert set(pl.read_parquet(tmp_path / "model/extra.parquet")["isic_id"]) == set(other["isic_id"][1:])
    with pytest.raises(InputError, match="all of its lesions are of patients that are scored"):
        train(few, tmp_path / "none", *extra(few))


def test_other_extra_crops_are_another_model(few: SimpleNamespace, inverted: SimpleNamespace, taught: Path) -> None:
    before = Spec.read(taught)
    train(few, taught, *extra(inverted))
    assert Spec.read(taught) == before
    with pytest.raises(InputError, match="crops differ"):
        train(few, taught)
    fewer = inverted.metadata.with_name("fewer.csv")
    write_table(inverted.frame[2:], fewer)
    with pytest.raises(InputError, match="another model"):
        train(few, taught, *extra(SimpleNamespace(metadata=fewer, images=inverted.images)))


def test_what_a_model_learnt_from_is_never_new_to_it(inverted: SimpleNamespace, taught: Path) -> None:
    for shared in (inverted.frame[:1], inverted.frame[:1].with_columns(isic_id=pl.lit("ISIC_1234567"))):
        with pytest.raises(InputError, match="trained on 1"):
            refuse_own_lesions(taught, shared, table="run", where="here", remedy="mend")
    new = inverted.frame[:1].with_columns(isic_id=pl.lit("ISIC_1234567"), patient_id=pl.lit("IP_1234567"))
    refuse_own_lesions(taught, new, table="run", where="here", remedy="mend")


@pytest.mark.parametrize("preset", ["tiny", "frozen"])
def test_networks_and_heads_learn_from_them_too(
    preset: str, few: SimpleNamespace, inverted: SimpleNamespace, tmp_path: Path
) -> None:
    kind = {
        "tiny": ["--labels", "diagnosis"],
        "frozen": ["--backbone", "test_efficientnet", "--size", "64"],
    }
    how = ["--preset", preset, *kind[preset], "--device", "cpu"]
    for name, more in (("alone", []), ("both", extra(inverted))):
        assert train(few, tmp_path / name, *how, *more)["lesions"] == len(few.frame)
    alone, both = (pl.read_parquet(tmp_path / name / "oof.parquet") for name in ("alone", "both"))
    assert alone["isic_id"].equals(both["isic_id"])
    assert not np.isclose(alone["score"], both["score"]).any()


def test_the_choice_of_a_head_is_not_judged_by_extra_lesions() -> None:
    chance = np.random.default_rng(0)
    target = np.tile([0, 1], 150).astype(np.int8)
    is_extra = np.arange(300) >= 40
    # What the scored lesions say is noise; a head that is judged by the extra ones as well would look good.
    values = chance.normal(size=(300, 3)) + 6 * (target * is_extra)[:, None]
    frame = pl.DataFrame(
        {
            "isic_id": [f"ISIC_{row}" for row in range(300)],
            "patient_id": [f"IP_{row // 2}" for row in range(300)],
            "is_extra": is_extra,
        }
    )
    judged = [
        float(Head.fit(values, table, target, HeadSettings(3, 3, 0)).inner_pauc)
        for table in (frame, frame.drop("is_extra"))
    ]
    assert judged[0] < 0.1
    assert judged[1] > 0.12


def test_a_class_of_extra_tables_alone_is_never_decided_for() -> None:
    probabilities = np.array([[0.3, 0.1, 0.6], [0.2, 0.5, 0.3]])
    figures = class_figures(np.array([0, 1]), probabilities, ("nevus", "melanoma", "theirs"), pl.Series(["a", "b"]))
    assert figures["balanced_accuracy"]["estimate"] == 1
    assert figures["lesions"] == {"nevus": 1, "melanoma": 1}


@pytest.mark.parametrize("name", ["isic_id", "patient_id", "lesion_id"])
def test_one_name_is_enough_to_be_left_out(name: str) -> None:
    own = pl.DataFrame({"isic_id": ["ISIC_1"], "patient_id": ["IL_7"]})
    other = {"isic_id": ["ISIC_2", "ISIC_3"], "patient_id": ["IP_2", "IP_3"], "lesion_id": [None, "IL_3"]}
    found = pl.DataFrame(other | {name: ["IL_7", other[name][1]]})
    assert found.select(is_named(found, names_in(own))).to_series().to_list() == [True, False]


def test_lesions_without_a_label_are_left_out_and_one_class_will_do(
    few: SimpleNamespace, inverted: SimpleNamespace, tmp_path: Path
) -> None:
    # The archive's own export, of malignant lesions and one of unknown diagnosis.
    ids = inverted.frame["isic_id"][:6]
    pl.DataFrame({"isic_id": ids, "diagnosis_1": ["Malignant"] * 5 + [""]}).write_csv(tmp_path / "archive.csv")
    train(few, tmp_path / "m", *extra(SimpleNamespace(metadata=tmp_path / "archive.csv", images=inverted.images)))
    assert sorted(pl.read_parquet(tmp_path / "m/extra.parquet")["isic_id"]) == sorted(ids[:5])


def test_crops_that_cannot_be_read_are_named(
    few: SimpleNamespace, inverted: SimpleNamespace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ids = inverted.frame["isic_id"].to_list()
    with h5py.File(inverted.images) as file, h5py.File(tmp_path / "damaged.hdf5", "w") as damaged:
        for isic_id in ids[2:]:
            damaged[isic_id] = np.bytes_(b"no image") if isic_id in ids[2:4] else file[isic_id][()]
    table = SimpleNamespace(metadata=inverted.metadata, images=tmp_path / "damaged.hdf5")
    for number, kind in enumerate(([], ["--preset", "tiny", "--device", "cpu", "--set", "benign_ratio=99"])):
        caplog.clear()
        train(few, tmp_path / f"m{number}", *extra(table), "--on-bad", "missing", *kind)
        assert "2 of 200 lesions have no crop" in caplog.text
        assert f"1:{ids[2]}" in caplog.text
        assert f"1:{ids[3]}" in caplog.text
    nothing = SimpleNamespace(metadata=inverted.metadata, images=few.images)
    with pytest.raises(InputError, match="200 of 200 lesions have no crop"):
        train(few, tmp_path / "none", *extra(nothing), "--on-bad", "missing")


def test_a_model_that_lost_its_list_of_extra_lesions_is_refused(
    few: SimpleNamespace, taught: Path, tmp_path: Path
) -> None:
    shutil.copytree(taught, tmp_path / "model")
    (tmp_path / "model/extra.parquet").unlink()
    with pytest.raises(InputError, match=r"extra\.parquet"):
        refuse_own_lesions(tmp_path / "model", few.frame[:0], table="run", where="here", remedy="mend")


def test_early_stopping_is_not_judged_by_extra_lesions() -> None:
    rows = range(60)
    frame = pl.DataFrame(
        {
            "isic_id": [f"ISIC_{row}" for row in rows],
            "patient_id": [f"IP_{row // 2}" for row in rows],
            "target": [row % 2 for row in rows],
            "is_extra": [row >= 20 for row in rows],
        }
    )
    kept, inner = inner_split(frame, np.arange(60), PRESETS["tiny"].model_copy(update={"patience": 1}), 0)
    assert sorted([*kept, *inner]) == list(rows)
    assert len(inner) > 0
    assert max(inner) < 20


def test_a_joined_store_reads_each_crop_where_it_lies(few: SimpleNamespace, inverted: SimpleNamespace) -> None:
    store = JoinedStore(few.store, {"older": inverted.store})
    own, theirs = few.frame["isic_id"][0], inverted.frame["isic_id"][0]
    renamed = extra_id("older", theirs)
    assert store.read(own).isic_id == own
    assert store.read(renamed).isic_id == renamed
    assert np.array_equal(store.read(renamed).pixels, inverted.store.read(theirs).pixels)
    with pytest.raises(CropError) as caught:
        store.read(extra_id("older", own))
    assert caught.value.isic_id == extra_id("older", own)
    assert own_ids(pl.Series([renamed, extra_id("older", "a:b")])).to_list() == [theirs, "a:b"]


def test_tables_and_images_come_in_pairs(few: SimpleNamespace, inverted: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 extra tables and images of 0"):
        train(few, tmp_path / "model", "--extra-metadata", inverted.metadata)
    unlabelled = write_table(inverted.frame.drop("target"), tmp_path / "unlabelled.csv")
    with pytest.raises(InputError, match="there is no column target"):
        train(few, tmp_path / "model", *extra(SimpleNamespace(metadata=unlabelled, images=inverted.images)))
    assert not (tmp_path / "model").exists()
