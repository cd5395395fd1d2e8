"""Every reader of a file that somebody else wrote, each with whole files to begin from."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import polars as pl

from cohort.duplicates import read_pairs
from cohort.reading import read_cohort
from cohort.stores.opening import open_store
from cohort.stores.protocol import ImageStore, try_read
from cv_folds.folds import Folds, make_folds
from cv_folds.scored import read_scored
from engine.manifest import Manifest
from features.patients.image_tables import has_image, read_image_table
from image_embeddings.spec import Spec
from submissions.validation import validate_submission
from tests.image_embeddings.conftest import some_spec
from tests.uglyduck.bad_inputs.images import PIXELS, dicom, picture
from tests.uglyduck.bad_inputs.predictions import LABELS, SCORES, scores_of
from tests.uglyduck.bad_inputs.tables import FRAME, WHOLE, parquet
from uglyduck.run.config import load_config


class Reader(NamedTuple):
    """What reads a file, the file's name, and a whole one."""

    read: Callable[[Path], object]
    name: str
    whole: bytes


def made(write: Callable[[Path], object], folder: Path, name: str) -> bytes:
    """The bytes that something writes."""
    write(folder / name)
    return (folder / name).read_bytes()


def crops(path: Path) -> None:
    """Every crop of a store, its names and its bytes."""
    with closing(open_store(path)) as store:
        for isic_id in [*store.ids, "ISIC_1"]:
            store.has(isic_id)
            try_read(store, isic_id)
            _encoded(store, isic_id)


def _encoded(store: ImageStore, isic_id: str) -> None:
    if not isinstance(try_read(store, isic_id), Exception):
        store.encoded(isic_id)


def in_folder(path: Path) -> None:
    """The crops of the folder that a file lies in."""
    crops(path.parent)


def some_hdf5(path: Path) -> None:
    """An HDF5 file of each kind of entry."""
    with h5py.File(path, "w") as file:
        file["ISIC_1"] = np.bytes_(picture())
        file["ISIC_2"] = np.frombuffer(picture("PNG"), np.uint8)
        file.create_dataset("a/ISIC_3.jpg", data=PIXELS, chunks=(8, 8, 3), compression="gzip")
        file["ISIC_4"] = h5py.SoftLink("/ISIC_1")


def readers(folder: Path) -> Iterator[tuple[str, Reader]]:
    """All of them, by name."""
    csv = WHOLE.encode()
    stage = {"fingerprint": "0", "outputs": {"a": "0"}, "made_from": {}}
    image_table = scores_of(isic_id=["A", "B"], score=[0.1, 0.2], embedding=[[0.1], [0.2]])
    labels, sample = folder / "labels.csv", folder / "sample.csv"
    labels.write_text(LABELS)
    sample.write_text(LABELS)
    frame = FRAME.select("isic_id", "patient_id", pl.col("target").cast(pl.Int8)).sort("patient_id", "isic_id")
    yield "table", Reader(read_cohort, "t.csv", csv)
    yield "table to score", Reader(lambda path: read_cohort(path, odd="missing"), "t.csv", csv)
    yield "packed table", Reader(read_cohort, "t.csv.gz", gzip.compress(csv))
    yield "Parquet table", Reader(lambda path: read_cohort(path, odd="missing"), "t.parquet", parquet(FRAME))
    yield "duplicates", Reader(read_pairs, "d.csv", b"image_name_1,image_name_2\nISIC_1,ISIC_2\n")
    yield "predictions", Reader(lambda path: read_scored(path, labels), "s.csv", SCORES.encode())
    yield "submission", Reader(lambda path: validate_submission(path, sample), "s.csv", LABELS.encode())
    yield (
        "image scores",
        Reader(lambda path: has_image(frame["isic_id"], read_image_table(path)), "i.parquet", image_table),
    )
    # A run's own tables are not here: they are compared with their SHA-256 before they are read.
    yield "folds", Reader(Folds.read, "f.parquet", made(make_folds(frame, n_folds=2).write, folder, "f"))
    yield "HDF5", Reader(crops, "x.hdf5", made(some_hdf5, folder, "x.hdf5"))
    yield "JPEG", Reader(in_folder, "images/ISIC_1.jpg", picture())
    yield "PNG", Reader(in_folder, "images/ISIC_1.png", picture("PNG"))
    yield (
        "DICOM",
        Reader(in_folder, "images/ISIC_1.dcm", made(dicom(lambda _: None, "").files["f/ISIC_1.dcm"], folder, "d")),
    )  # type: ignore[arg-type]
    config = b'[data]\nmetadata = "t.csv"\n[folds]\nn_folds = 3\n[ensemble]\nlearners = ["lightgbm"]\n'
    yield "configuration", Reader(load_config, "run.toml", config)
    yield "manifest", Reader(_manifest, "manifest.json", json.dumps({"stages": {"lesions": stage}}).encode())
    yield (
        "description of a model",
        Reader(lambda path: Spec.read(path.parent), "spec.json", some_spec().model_dump_json().encode()),
    )


def _manifest(path: Path) -> None:
    manifest = Manifest(path.parent)
    manifest.holds("lesions", "0")
    assert isinstance(manifest.recorded, dict)
