"""The image stage asked from another process."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import polars as pl
import pytest

from engine.console import log
from engine.errors import InputError
from engine.progress import listening
from image_embeddings import process as process_module
from image_embeddings.descriptors import model
from image_embeddings.process import call
from image_embeddings.requests import ApplyRequest, TrainRequest, answer

pytestmark = pytest.mark.usefixtures("one_image_process")


@pytest.fixture(scope="module")
def trained(crops: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A descriptor model of ten folds: numpy sums eight numbers and more in another order where they lie in a row."""
    out = tmp_path_factory.mktemp("process") / "m"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.DescriptorModel.fit.__func__, "__kwdefaults__", {"seed": 0, "threads": 1, "trees": 10})
        answer(request(crops, out, n_folds=10))
    return out


def request(crops: SimpleNamespace, out: Path, n_folds: int) -> TrainRequest:
    given = {"metadata": crops.metadata, "images": crops.images, "out": out}
    return TrainRequest.model_validate({**given, "n_folds": n_folds, "cores": 1, "replicates": 100})


def apply_to(trained: Path, images: Path, out: Path, ids: tuple[str, ...] | None = None) -> pl.DataFrame:
    answer(ApplyRequest(models=(trained,), images=images, out=out, ids=ids, cores=1))
    return pl.read_parquet(out)


def test_a_model_is_trained_in_another_process(crops: SimpleNamespace, tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    with listening(lambda *report: heard.append(report)):
        figures = call(request(crops, tmp_path / "m", n_folds=2))
    assert heard == [("describe", 64, 80), ("describe", 80, 80)]
    assert figures["model"] == str(tmp_path / "m")
    assert figures["scores"]["image"]["pooled"]["auc"]["estimate"] > 0.9


def test_an_input_error_arrives_in_all_its_parts(tmp_path: Path) -> None:
    asked = ApplyRequest(models=(tmp_path / "a. b",), images=tmp_path, out=tmp_path / "s.parquet")
    with pytest.raises(InputError) as here:
        answer(asked)
    with pytest.raises(InputError) as there:
        call(asked)
    assert (there.value.what, there.value.where, there.value.remedy) == (
        here.value.what,
        here.value.where,
        here.value.remedy,
    )


def of_descriptors(trained: Path, crops: SimpleNamespace, out: Path) -> ApplyRequest:
    return ApplyRequest(models=(trained,), images=crops.images, out=out, ids=tuple(crops.store.ids[:3]), cores=1)


def the_idle_one() -> int:
    (process,) = process_module._idle
    return int(process._process.pid)


def test_the_process_is_kept_for_the_next_request(trained: Path, crops: SimpleNamespace, tmp_path: Path) -> None:
    asked = of_descriptors(trained, crops, tmp_path / "s.parquet")
    call(asked)
    first = the_idle_one()
    assert the_asked_one(tmp_path) == first
    call(asked)
    assert the_idle_one() == first


def test_what_was_asked_before_changes_no_bit(crops: SimpleNamespace, tmp_path: Path) -> None:
    trained = []
    for place, seed in enumerate((5, 6, 5)):
        asked = request(crops, tmp_path / f"m{place}", n_folds=2).model_dump()
        call(TrainRequest.model_validate({**asked, "preset": "tiny", "settings": {"epochs": 1}, "seed": seed}))
        trained.append([(tmp_path / f"m{place}" / f"fold{fold}.safetensors").read_bytes() for fold in range(2)])
    assert trained[0] == trained[2] != trained[1]


def the_asked_one(folder: Path) -> int:
    """The process that answers next, with the least of work: the request is refused at once."""
    with pytest.raises(InputError, match="no images in this folder"):
        call(ApplyRequest(models=(folder / "none",), images=folder, out=folder / "s.parquet"))
    return the_idle_one()


def test_other_surroundings_or_a_killed_process_ask_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [the_asked_one(tmp_path)]
    (idle,) = process_module._idle
    idle._process.kill()
    idle._process.wait()
    known.append(the_asked_one(tmp_path))
    monkeypatch.setenv("UGLYDUCK_OF_A_TEST", "1")
    known.append(the_asked_one(tmp_path))
    monkeypatch.chdir(tmp_path)
    known.append(the_asked_one(tmp_path))
    assert len(set(known)) == 4


def test_it_ends_when_nothing_is_asked() -> None:
    code = (
        "from image_embeddings import process as p; p.KEPT_SECONDS = 1\nimport image_embeddings.__main__ as m; m.main()"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", code], stdin=subprocess.PIPE) as idle:
        assert idle.wait(120) == 0  # its input is still open


def test_one_that_may_be_about_to_end_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = the_asked_one(tmp_path)
    monkeypatch.setattr(process_module, "KEPT_SECONDS", 0)  # as if it had waited for so long
    assert the_asked_one(tmp_path) != first


def test_a_defect_arrives_with_its_traceback(tmp_path: Path) -> None:
    broken = ApplyRequest.model_construct(models=(tmp_path,), images=tmp_path, out=tmp_path / "s", cores=-1)
    with pytest.raises(RuntimeError, match=r"(?s)Traceback.*greater than or equal to 1"):
        call(broken)
    assert process_module._idle == []  # whatever state it left is not trusted


def test_log_lines_arrive(
    trained: Path,
    crops: SimpleNamespace,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log, "propagate", True)
    ids = (str(crops.store.ids[0]), "ISIC_absent")
    asked = ApplyRequest(models=(trained,), images=crops.images, out=tmp_path / "s.parquet", ids=ids, cores=1)
    with caplog.at_level(logging.WARNING, "uglyduck"):
        found = call(asked)
    assert found["missing"] == {"ISIC_absent": "no crop of this id"}
    assert "1 of 2 lesions have no crop (ISIC_absent); the nearest names there are " in caplog.text
    assert found == answer(asked)


def test_a_crop_has_the_same_bits_with_any_others_read_or_not(
    trained: Path, crops: SimpleNamespace, tmp_path: Path
) -> None:
    ids = list(crops.store.ids)
    whole = dict(apply_to(trained, crops.images, tmp_path / "all.parquet").iter_rows())
    chosen = [ids[place] for place in np.random.default_rng(0).permutation(len(ids))[:70]]
    with h5py.File(tmp_path / "holes.hdf5", "w") as file:
        for place, isic_id in enumerate(chosen):
            data = crops.store.encoded(isic_id)
            if place % 3:
                file[isic_id] = np.bytes_(data if place % 5 else data[:100])
    some = dict(apply_to(trained, tmp_path / "holes.hdf5", tmp_path / "some.parquet", tuple(chosen)).iter_rows())
    for place, isic_id in enumerate(chosen):
        assert some[isic_id] == (whole[isic_id] if place % 3 and place % 5 else None)
    for isic_id in chosen[:3]:
        alone = apply_to(trained, crops.images, tmp_path / "one.parquet", (isic_id,))
        assert alone.row(0) == (isic_id, whole[isic_id])


def test_scores_are_remembered_while_nothing_that_decides_them_changes(
    trained: Path, crops: SimpleNamespace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model, images, out = tmp_path / "m", tmp_path / "images.hdf5", tmp_path / "s.parquet"
    shutil.copytree(trained, model)
    shutil.copy(crops.images, images)
    with h5py.File(images) as store:
        ids = tuple(store)[:20]

    def scores(*ids: str) -> tuple[pl.DataFrame, bool]:
        caplog.clear()
        answer(ApplyRequest(models=(model,), images=images, out=out, ids=ids, cores=1, remember=True))
        return pl.read_parquet(out), "there already" in caplog.text

    with caplog.at_level(logging.INFO, logger=log.name):
        first, _ = scores(*ids)
        assert not scores(*ids[1:])[1]  # of other lesions
        again, remembered = scores(*ids)
        assert remembered
        assert again.equals(first)

        for each in (model / "scored").glob("*.parquet"):
            each.write_bytes(each.read_bytes()[:-1])
        again, remembered = scores(*ids)
        assert not remembered  # a damaged table counts as absent
        assert again.equals(first)

        for each in (model / "scored").glob("*.json"):
            each.write_text("[]")
        assert not scores(*ids)[1]
        shutil.rmtree(model / "scored")
        (model / "scored").write_text("a file, so nothing can be remembered")
        again, remembered = scores(*ids)
        assert not remembered
        assert again.equals(first)
        (model / "scored").unlink()

        with h5py.File(images, "r+") as store:
            content = store[ids[0]][()]
            del store[ids[0]]
            store[ids[0]] = store[ids[1]][()]
        changed, remembered = scores(*ids)
        assert not remembered
        assert changed["score"][0] == first["score"][1]
        assert changed["score"][1:].equals(first["score"][1:])
        with h5py.File(images, "r+") as store:
            del store[ids[0]]
            store[ids[0]] = content
        again, remembered = scores(*ids)
        assert not remembered  # that was forgotten above
        assert scores(*ids)[1]
        assert again.equals(first)
