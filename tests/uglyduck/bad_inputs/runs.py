"""Folders of runs and of models, and what commands that read them say."""

from __future__ import annotations

import json
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.uglyduck.bad_inputs.case import Case, Content

TABLE = "isic_id,patient_id,age_approx\nISIC_1,IP_1,40\n"


class Evil:
    """What a hostile pickle would run."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return exec, ("open('executed', 'w').close()",)


EVIL = pickle.dumps(Evil())


def of_run(name: str, content: Content, says: str, *, call: str = "predict {copied} --metadata t.csv --anyway") -> Case:
    """A finished run of which one file is another."""
    return Case(f"{call}", says, {f"copied/{name}": content, "t.csv": TABLE})


def gone(path: Path) -> None:
    """Remove a file."""
    path.unlink()


def cut(path: Path) -> None:
    """Leave the first half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def folder(path: Path) -> None:
    """A folder in the place of a file."""
    path.unlink()
    path.mkdir()


def swapped(other: str) -> Callable[[Path], object]:
    """Another file of the run in the place of one."""
    return lambda path: shutil.copy(path.parent / other, path)


LISTS = "[" * 20_000 + "]" * 20_000
MODEL = "models/lightgbm/fold0-seed0.txt"

RUNS = {
    "a run that is none": Case("predict none --metadata t.csv", "this folder holds no run", {}),
    "a run of a configuration alone": Case(
        "predict r --metadata t.csv",
        "the run is not finished",
        {"r/config.toml": '[data]\nmetadata = "t.csv"', "t.csv": TABLE},
    ),
    "a run whose configuration is none": of_run("config.toml", "no", "not valid TOML"),
    "a run whose configuration is of another version": of_run(
        "config.toml", '[data]\nmetadata = "x"\nage = 3', "unknown key 'age'"
    ),
    "a run without a manifest": of_run("manifest.json", gone, "the run is not finished"),
    "a manifest that is no JSON": of_run("manifest.json", "{", "manifest.json: the file is not the one the run wrote"),
    "a manifest in Latin-1": of_run("manifest.json", b'{"\xe9": 1}', "the file is not the one"),
    "a manifest of nothing": of_run("manifest.json", "{}", "manifest.json"),
    "a manifest that is a list": of_run("manifest.json", "[]", "manifest.json"),
    "a manifest of lists without end": of_run("manifest.json", LISTS, "manifest.json"),
    "a manifest of numbers": of_run("manifest.json", '{"stages": {"lesions": 3}}', "manifest.json"),
    "a manifest that is a folder": of_run("manifest.json", folder, "manifest.json"),
    "a manifest without sums": of_run(
        "manifest.json", '{"stages": {"models": {"outputs": {}}}}', "not the manifest of a run"
    ),
    "a model cut off": of_run(MODEL, cut, "SHA-256 differs"),
    "a model that is gone": of_run(MODEL, gone, "is missing"),
    "a model that is a folder": of_run(MODEL, folder, "is missing"),
    "a model of another fold": of_run(MODEL, swapped("fold1-seed0.txt"), "SHA-256 differs"),
    "a model that is a pickle": of_run(MODEL, EVIL, "SHA-256 differs"),
    "models without a list": of_run("models/manifest.json", gone, "the run is not finished"),
    "models of another list": of_run("models/manifest.json", '{"models": {}}', "SHA-256 differs"),
    "a blend cut off": of_run("blend.json", cut, "SHA-256 differs"),
    "a blend that is the calibration": of_run("blend.json", swapped("calibration.json"), "SHA-256 differs"),
    "a calibration that is gone": of_run("calibration.json", gone, "the run is not finished"),
    "a dictionary of nothing": of_run("features.json", "{}", "SHA-256 differs"),
    "lesions cut off": of_run("lesions.parquet", cut, "lesions.parquet", call="rank {copied}"),
    "lesions that are features": of_run(
        "lesions.parquet", swapped("features.parquet"), "lesions.parquet", call="rank {copied}"
    ),
    "scores out of fold cut off": of_run("oof.parquet", cut, "oof.parquet", call="rank {copied}"),
    "scores out of fold that are lesions": of_run(
        "oof.parquet", swapped("lesions.parquet"), "oof.parquet", call="rank {copied}"
    ),
    "a report of figures that are none": of_run(
        "metrics.json", "{", "metrics.json", call="report {copied} --out r.html"
    ),
    "a report of no figures": of_run("metrics.json", gone, "metrics.json", call="report {copied} --out r.html"),
    "a card of no figures": of_run("metrics.json", gone, "metrics.json", call="card {copied} --out c.md"),
    "a card of a list": of_run("metrics.json", "[]", "metrics.json", call="card {copied} --out c.md"),
    "an explanation of features cut off": of_run("features.parquet", cut, "features.parquet", call="explain {copied}"),
    "a bundle of a run that is not finished": of_run(
        "blend.json", gone, "the run is not finished", call="bundle {copied} --out b"
    ),
    "lesions to score: no such table": Case("predict {finished} --metadata none.csv", "none.csv: no such file", {}),
    "lesions to score: no ids": Case(
        "predict {finished} --metadata t.csv",
        "the columns of no known dataset",
        {"t.csv": "patient_id,age_approx\nIP_1,4\n"},
    ),
    "lesions to score: no rows": Case(
        "predict {finished} --metadata t.csv", "a header and no rows", {"t.csv": TABLE.splitlines()[0]}
    ),
    "lesions to score: an id with a path": Case(
        "predict {finished} --metadata t.csv --anyway",
        "holds odd characters",
        {"t.csv": TABLE.replace("ISIC_1", "../x")},
    ),
    "lesions to score: an id twice": Case(
        "predict {finished} --metadata t.csv --anyway", "appears 2 times", {"t.csv": TABLE + "ISIC_1,IP_1,40\n"}
    ),
    "lesions to score: another dataset": Case(
        "predict {finished} --metadata t.csv", "columns are absent or empty", {"t.csv": TABLE}
    ),
    "lesions to score: strictly": Case(
        "predict {finished} --metadata t.csv --anyway --strict",
        "is not a number",
        {"t.csv": TABLE.replace("40", "old")},
    ),
    "lesions to score: crops for a run without": Case(
        "predict {finished} --metadata t.csv --images x.hdf5", "this run has no image model", {"t.csv": TABLE}
    ),
}


def of_model(name: str, content: Content, says: str) -> Case:
    """A model of crops of which one file is another."""
    call = "images apply model --images {pictured}/data/test-image.hdf5 --out s.parquet --cores 1"
    return Case(call, says, {f"model/{name}": content})


def saying(**changes: object) -> Callable[[Path], object]:
    """A description of a model with some entries changed."""
    return lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def safetensors(header: bytes, length: int | None = None, data: bytes = b"") -> bytes:
    """A file of tensors with any header."""
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def tensor(begin: int, end: int, shape: tuple[int, ...] = (2,), dtype: str = "F32") -> bytes:
    """The header of one tensor."""
    return json.dumps({"a": {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}}).encode()


def weights(name: str, content: Content, says: str = "") -> Case:
    """First weights of a network."""
    data = "--metadata {pictured}/data/train-metadata.csv --images {pictured}/data/train-image.hdf5"
    call = f"images train {data} --preset tiny --weights {name} --out m --cores 1 --set epochs=1"
    return Case(call, says or f"{name}: not a weights file", {name: content})


def arrays_with_objects(path: Path) -> None:
    """Arrays that hold pickled objects."""
    np.savez(path, allow_pickle=True, model=np.array([Evil()], dtype=object))


MODELS = {
    "a model without a description": of_model("spec.json", gone, "not a model folder"),
    "a description that is no JSON": of_model("spec.json", "{", "not valid JSON"),
    "a description of nothing": of_model("spec.json", "{}", "spec.json"),
    "a description that is a list": of_model("spec.json", "[]", "spec.json"),
    "a description of lists without end": of_model("spec.json", LISTS, "spec.json"),
    "a description with a path": of_model("spec.json", saying(files={"../../etc/passwd": "0"}), "missing or changed"),
    "a description of no files": of_model("spec.json", saying(files={}), "training has not ended"),
    "a description of a kind of no name": of_model("spec.json", saying(kind="oracle"), "spec.json"),
    "a part that is gone": of_model("fold0.npz", gone, "missing or changed since training"),
    "a part cut off": of_model("fold0.npz", cut, "missing or changed since training"),
    "a part that is a pickle": of_model("fold0.npz", EVIL, "missing or changed since training"),
    "weights: no such file": Case(weights("x.pt", "").call.replace("x.pt", "none.pt"), "no such weights file", {}),
    "weights: a pickle that runs something": weights("evil.pth", EVIL, "holds more than tensors and is not opened"),
    "weights: arrays that run something": weights("evil.npz", arrays_with_objects),
    "weights: text": weights("x.pt", "weights", "x.pt: this checkpoint holds more than tensors"),
    "weights: empty": weights("x.safetensors", b""),
    "weights: a header longer than the file": weights("x.safetensors", safetensors(b"{}", 2**40)),
    "weights: a header longer than all numbers": weights("x.safetensors", safetensors(b"{}", 2**64 - 1)),
    "weights: a header that is no JSON": weights("x.safetensors", safetensors(b"no JSON!")),
    "weights: a tensor beyond the file": weights("x.safetensors", safetensors(tensor(0, 2**40), data=bytes(8))),
    "weights: a tensor that ends before it begins": weights("x.safetensors", safetensors(tensor(8, 0), data=bytes(8))),
    "weights: a shape that lies": weights("x.safetensors", safetensors(tensor(0, 8, (2**40,)), data=bytes(8))),
    "weights: a shape beyond all numbers": weights(
        "x.safetensors", safetensors(tensor(0, 8, (2**40, 2**40)), data=bytes(8))
    ),
    "weights: numbers of no kind": weights("x.safetensors", safetensors(tensor(0, 8, dtype="F99"), data=bytes(8))),
    "weights: of another network": weights("x.safetensors", safetensors(tensor(0, 8), data=bytes(8)), "tensors fit"),
    "weights: lists without end": weights("x.safetensors", safetensors(LISTS.encode())),
}

FOLDERS = RUNS | MODELS
