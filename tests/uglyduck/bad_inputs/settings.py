"""Configurations and options."""

from __future__ import annotations

import os

from tests.uglyduck.bad_inputs.case import Case, Content
from tests.uglyduck.bad_inputs.tables import WHOLE

DATA = '[data]\nmetadata = "table.csv"\n'


def configured(text: Content, says: str, *, more: str = "") -> Case:
    """A configuration."""
    return Case(f"run run.toml --out run {more}", says, {"run.toml": text, "table.csv": WHOLE})


def with_settings(text: str, says: str) -> Case:
    """A configuration of a table that is there."""
    return configured(DATA + text, says)


CONFIGURATIONS = {
    "no configuration": Case("run none.toml", "no such configuration file", {}),
    "a folder as configuration": configured(lambda path: path.mkdir(), "no such configuration file"),
    "an empty configuration": configured("", "'data' is missing"),
    "no TOML": configured("metadata: table.csv", "not valid TOML"),
    "a configuration in Latin-1": configured(DATA.encode() + b"# \xe9", "not valid TOML"),
    "a configuration in UTF-16": configured(DATA.encode("utf-16"), "not valid TOML"),
    "zero bytes": configured(bytes(50), "not valid TOML"),
    "a key twice": configured(DATA + 'metadata = "x"', "not valid TOML"),
    "lists in lists without end": configured(DATA + "x = " + "[" * 5000 + "]" * 5000, "not valid TOML"),
    "a number without end": configured(DATA + "[folds]\nseed = " + "9" * 5000, "not valid TOML"),
    "an unknown section": with_settings("[fold]\nn_folds = 3", "did you mean 'folds'"),
    "an unknown key": with_settings("[folds]\nn_fold = 3", "did you mean 'n_folds'"),
    "data as a word": configured('data = "table.csv"', "data"),
    "a number as path": configured("[data]\nmetadata = 3", "data.metadata"),
    "a zero byte in a path": configured('[data]\nmetadata = "a\\u0000b"', "a path with a zero byte"),
    "a line break in a path": configured('[data]\nmetadata = "a\\nb"', "no such file"),
    "an escape sequence in a path": configured('[data]\nmetadata = "\\u001b[31m"', "no such file"),
    "a path of ten thousand letters": configured(f'[data]\nmetadata = "{"x" * 10_000}"', "ile name too long"),
    "an empty path": configured('[data]\nmetadata = ""', "no known table in this folder"),
    "a word as number": with_settings('[folds]\nn_folds = "many"', "folds.n_folds"),
    "one fold": with_settings("[folds]\nn_folds = 1", "folds.n_folds"),
    "half a fold": with_settings("[folds]\nn_folds = 2.5", "folds.n_folds"),
    "a scheme of no name": with_settings('[folds]\nscheme = "random"', "random"),
    "a seed below zero": with_settings("[folds]\nseed = -1", "folds.seed"),
    "a group of no name": with_settings('[features]\ngroups = ["patint"]', "patint"),
    "no learners": with_settings("[ensemble]\nlearners = []", "ensemble.learners"),
    "a learner of no name": with_settings('[ensemble]\nlearners = ["lightbgm"]', "lightbgm"),
    "parameters of no learner": with_settings("[ensemble.parameters]\nlightbgm = {}", "lightbgm"),
    "a parameter of no name": with_settings(
        '[ensemble]\nlearners = ["lightgbm"]\n[ensemble.parameters]\nlightgbm = { no_such = 1 }', "no_such"
    ),
    "a share that is no number": with_settings("[ensemble]\nbenign_per_malignant = nan", "benign_per_malignant"),
    "noise below zero": with_settings("[ensemble]\nimage_noise = -1", "image_noise"),
    "a prevalence of 2": with_settings("[calibration]\nprevalence = 2", "calibration.prevalence"),
    "a calibration of no name": with_settings('[calibration]\nmethod = "hope"', "calibration.method"),
    "too few draws": with_settings("[metrics]\nreplicates = 3", "metrics.replicates"),
    "threads below zero": with_settings("[compute]\nthreads = -1", "compute.threads"),
    "an engine of no name": with_settings('[compute]\nengine = "spark"', "compute.engine"),
    "images and their scores": with_settings(
        'images = "a.hdf5"\nimage_scores = "b.parquet"', "both images and image_scores"
    ),
    "crops that are required and not given": with_settings('crops = "required"', "crops are required"),
    "image models without crops": with_settings("[images.a]\nseed = 1", "image models without crops"),
    "an image model with a path as name": with_settings(
        'images = "a.hdf5"\n[images."../x"]\nseed = 1', "not a name for an image model"
    ),
    "an image model with an absolute path as name": with_settings(
        'images = "a.hdf5"\n[images."/tmp/x"]\nseed = 1', "not a name"
    ),
    "a stage of no name": configured(DATA, "there is no stage 'end'", more="--until end"),
    "nested before the end": configured(DATA, "--nested needs every stage", more="--nested --until folds"),
}

OPTIONS = {
    "a cohort of no lesions": Case("simulate out --lesions 0", "cannot simulate 0 lesions", {}),
    "a cohort of fewer than none": Case("simulate out --lesions -5", "cannot simulate -5 lesions", {}),
    "a list of no lesions": Case("rank {finished} --top 0", "a short list of 0 lesions", {}),
    "a list of fewer than none": Case("rank {finished} --top -3", "a short list of -3 lesions", {}),
    "a sensitivity of 2": Case("rank {finished} --sensitivity 2", "2.0 is outside (0, 1)", {}),
    "a sensitivity that is no number": Case("rank {finished} --sensitivity nan", "nan is outside (0, 1)", {}),
    "a confidence in nothing": Case("rank {finished} --confidence 0.9", "a confidence in nothing", {}),
    "a confidence of 1": Case("rank {finished} --sensitivity 0.8 --confidence 1", "1.0 is outside (0, 1)", {}),
    "a number and a sensitivity": Case(
        "rank {finished} --top 3 --sensitivity 0.8", "a number of lesions and a sensitivity", {}
    ),
    "a ranking as PDF": Case("rank {finished} --out ranking.pdf", "ranking.pdf", {}),
    "images of no table": Case("rank {finished} --images x.hdf5", "no table to read so", {}),
    "a bundle under a path": Case("bundle {finished} --out b --user ../x", "cannot be part of an address", {}),
    "a bundle with a short name": Case("bundle {finished} --out b --name a", "which the upload client refuses", {}),
    "a bundle of no wheels": Case("bundle {finished} --out b --wheels none", "no wheels in this folder", {}),
    "a bundle of a wheel that is not there": Case("bundle {finished} --out b --wheel none.whl", "none.whl", {}),
    "a bundle over something": Case("bundle {finished} --out full", "something is there already", {"full/mine": "x"}),
    "trials of no learner": Case("tune {finished} --learner mine --trials 1", "mine", {}),
    "three views": Case("images apply m --images x --out s.parquet --flips 3", "3 views", {}),
    "a setting without a value": Case("images train --metadata t --images x --out m --set epochs", "'epochs'", {}),
    "a model that is none": Case(
        "images apply none --images {pictured}/data/test-image.hdf5 --out s.parquet", "not a model folder", {}
    ),
    "models that are none": Case("images compare none", "not a model folder", {}),
    "ids that are none": Case("images apply m --images x --ids none.parquet --out s.parquet", "none.parquet", {}),
    "ids from a named pipe": Case(
        "images apply m --images {pictured}/data/test-image.hdf5 --ids ids --out s.parquet",
        "ids: not a regular file",
        {"ids": os.mkfifo},
    ),
    "folds from a named pipe": Case(
        "images train --metadata {pictured}/data/train-metadata.csv --images {pictured}/data/train-image.hdf5 "
        "--preset descriptors --folds folds --out m",
        "folds: not a regular file",
        {"folds": os.mkfifo},
    ),
    "images of nothing": Case("images describe --images none.hdf5 --out d.parquet", "no such file or folder", {}),
}

SETTINGS = CONFIGURATIONS | OPTIONS
