"""Ours next to peers on the same rows and folds, with the interval of recipes, each with time and memory.

What a simulated cohort gave is kept in the folder that the environment variable UGLYDUCK_PEERS names: all of them take
hours, and one that is there is not done again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import mean, median
from typing import Any

import polars as pl
import pytest

from cohort.lesions import read_rows
from cohort.simulator import write_folder
from cv_folds.formats import difference, with_interval
from cv_folds.metrics.partial_auc import partial_auc
from cv_folds.schemes import HOSPITAL
from engine.files import write_json
from ensemble.ablation import Variant, compare
from tests.benches.peers import (
    AUTOGLUON,
    AUTOGLUON_BENIGN,
    AUTOGLUON_PYTHON,
    AUTOGLUON_SECONDS,
    OURS,
    OWN,
    PEERS,
    WITH_HOSPITAL,
)
from tests.benches.performance import Measured, measure, over_cohorts, record
from uglyduck.run.run import Run, open_run

pytestmark = pytest.mark.bench
DOCUMENT = Path(__file__).parents[2] / "docs" / "peers.md"
HEAD = """# Next to peers

Tables are written by `make bench` (tests/benches/test_peers_bench.py). Each recipe scores the same rows in the same
patient folds, the table alone. Intervals include other patients, training patients, folds, seeds and drawn lesions:
[how to read them](reading-the-numbers.md). Peers are written from published facts; no code of theirs is here.

- **Ours** is the default run, with one seed. Another row averages the models of three seeds, as the re-implementation's
  shape averages three draws. A third also sees the hospital (the feature group `hospital.name`), as all peers but the
  plain LightGBM do and the default does not.
- **The shared public recipe**: 34 columns and 42 formulas of them, z-scores within the patient, lesions a patient, and
  the hospital one-hot; malignant rows oversampled to 0.3 % of the benign, then the benign undersampled until the
  malignant are 1 % of them; the mean probability of LightGBM, XGBoost and CatBoost with its parameters.
- **The shape of an open re-implementation**: 34 columns and nine formulas, z-scores and the place between least and
  most within the patient, z-scores within patient and body site, and the rank of size; the mean rank of the same three
  learners, each on three draws of the benign lesions, 50 for each malignant one (how many it does not state).
- **The plain LightGBM** sees the columns as they are, with the library's defaults on all rows. Where one lesion in a
  thousand is malignant, these break down: on the simulated cohorts it ranks below chance (0.02).
- **AutoGluon** has a test of its own there, which makes its environment; each real table takes half an hour of
  an idle machine, each cohort 20 minutes. It is fitted for the AUC, and its inner splits part a patient's lesions.
"""
AUTOGLUON_PACKAGE = "autogluon.tabular[lightgbm,catboost,xgboost]==1.6.3"
COHORTS, FULL, REPEATS = (31, 32, 33, 34, 35), 401_059, 3
OPTIMUM = "known optimum of the table"
SLICE_3D = (
    "*Real* SLICE-3D rows of patients at hand: every malignant lesion of theirs, of the benign ones a sample of about 1"
    " in 56, some 6 lesions a patient. So what a patient's other lesions tell is understated."
)
ISIC_2020 = "*Real* rows at hand of ISIC 2020: age, sex and body site are all that its table says of a lesion."
PAD_UFES_20 = (
    "*Real* rows of PAD-UFES-20, a smartphone study: what patients answered, and two diameters. Which cells are empty"
    " tells the label there ([data](data.md)), to every recipe alike."
)
SIMULATED = (
    f"*Simulated*, {FULL:,} lesions each, `uglyduck simulate` with the seed of the column; no search saw them. One"
    " repetition a cohort; the interval is Student's over cohorts. The optimum is the probability of malignancy given"
    " the table, which the simulator knows. Processor seconds are the median cohort's."
)
#: By section what it is, its table, and the list of duplicates.
REAL: dict[str, tuple[str, str, str | None]] = {
    "Real rows": (SLICE_3D, "slice3d/train-metadata.csv", None),
    "Real rows, ISIC 2020": (
        ISIC_2020,
        "isic2020/ISIC_2020_Training_GroundTruth_v2.csv",
        "isic2020/ISIC_2020_Training_Duplicates.csv",
    ),
    "Real rows, PAD-UFES-20": (PAD_UFES_20, "pad_ufes_20/metadata.csv", None),
}


def test_simulated(tmp_path: Path) -> None:
    """One repetition a cohort: what differs between cohorts includes all that differs between repetitions, and more."""
    record_simulated("Simulated cohorts", simulated((*OWN, *PEERS), tmp_path))


@pytest.mark.parametrize("section", REAL)
def test_real(section: str, real_data: Path, tmp_path: Path) -> None:
    about, table, duplicates = REAL[section]
    beside_peers(section, about, real_data / table, tmp_path, more=_duplicates_line(real_data, duplicates))


@pytest.fixture(scope="module")
def autogluon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An environment that has AutoGluon: the one that the variable names, or a new one."""
    with pytest.MonkeyPatch.context() as patched:
        if AUTOGLUON_PYTHON not in os.environ:
            folder = tmp_path_factory.mktemp("autogluon")
            venv.create(folder, with_pip=True)
            python = folder / "bin" / "python"
            subprocess.run([python, "-m", "pip", "install", "--quiet", AUTOGLUON_PACKAGE], check=True)
            patched.setenv(AUTOGLUON_PYTHON, str(python))
        yield


@pytest.mark.usefixtures("autogluon")
@pytest.mark.parametrize("section", REAL)
def test_autogluon(section: str, real_data: Path, tmp_path: Path) -> None:
    about, table, duplicates = REAL[section]
    about = f"{about} {AUTOGLUON_PACKAGE}, `best_quality`, {AUTOGLUON_SECONDS} s a fit on all cores."
    beside_peers(
        f"{section}, AutoGluon",
        about,
        real_data / table,
        tmp_path,
        more=_duplicates_line(real_data, duplicates),
        recipes=(OURS, *AUTOGLUON),
    )


@pytest.mark.usefixtures("autogluon")
def test_autogluon_simulated(tmp_path: Path) -> None:
    about = (
        f"{AUTOGLUON_PACKAGE}, `best_quality`, {AUTOGLUON_SECONDS} s a fit on all cores, trained on the malignant"
        f" lesions and {AUTOGLUON_BENIGN} benign ones for each."
    )
    record_simulated("Simulated cohorts, AutoGluon", simulated((OURS, *AUTOGLUON), tmp_path), about)


def simulated(recipes: tuple[str, ...], folder: Path) -> dict[int, dict[str, Any]]:
    """By seed of a cohort, what recipes reach on it."""
    kept = Path(os.environ.get("UGLYDUCK_PEERS", folder))
    return {seed: one_simulated(recipes, seed, kept / f"{seed}.json", folder / str(seed)) for seed in COHORTS}


def _duplicates_line(real_data: Path, duplicates: str | None) -> str:
    """The line of a run's configuration that names a list of duplicates, if there is one."""
    return f'duplicates = "{real_data / duplicates}"\n' if duplicates else ""


def beside_peers(
    section: str, about: str, metadata: Path, folder: Path, *, more: str, recipes: Iterable[str] = (*OWN, *PEERS)
) -> None:
    """Score by every recipe, and write a section of docs/peers.md."""
    run, took, scores = scored(recipes, metadata, folder, REPEATS, more=more)
    found = compare(
        [Variant(OURS, "all", ()), *(Variant(name, "run", (), OURS) for name in scores if name != OURS)],
        [{name: each[str(number)].to_numpy() for name, each in scores.items()} for number in range(REPEATS)],
        target=run.target,
        patient=run.folds.frame["patient_id"],
        replicates=2_000,
        seed=0,
    )
    figures = {OURS: [with_interval(found["baseline"]["pauc"]), ""]}
    figures |= {row["name"]: [with_interval(row["pauc"]), difference(row["difference"])] for row in found["rows"]}
    malignant, patients = int(run.target.sum()), run.lesions.frame["patient_id"].n_unique()
    record(
        section,
        f"{about} {len(run.target):,} lesions of {patients:,} patients, {malignant:,} malignant;"
        f" {REPEATS} repetitions.",
        ["recipe", "pAUC", "minus ours", "CPU seconds a repetition", "peak GB"],
        [
            [name, *cells, f"{took[name].cpu_seconds / REPEATS:.0f}", f"{took[name].peak_gb:.2f}"]
            for name, cells in figures.items()
        ],
        document=DOCUMENT,
        head=HEAD,
    )
    assert all(0.02 < row["pauc"]["estimate"] <= 0.2 for row in found["rows"])


def scored(
    recipes: Iterable[str], metadata: Path, folder: Path, repeats: int, *, more: str = ""
) -> tuple[Run, dict[str, Measured], dict[str, pl.DataFrame]]:
    """The run that makes rows and folds; by recipe what scoring took, and a column of scores for each repetition.

    Where no hospital is named, no recipe knows it: that one is left out.
    """
    settings = f'[data]\nmetadata = "{metadata}"\n{more}'
    run = with_features(settings, folder / "run")
    runs, took, scores = {"": run}, {}, {}
    for name in recipes:
        own, out = OWN.get(name, ""), folder / f"{name}.parquet"
        if name == WITH_HOSPITAL and HOSPITAL not in run.lesions.frame.columns:
            continue
        if own not in runs:
            runs[own] = with_features(settings + own, folder / name)
        took[name] = measure(
            sys.executable, "-m", "tests.benches.peers", name, runs[own].folder.root, out, str(repeats)
        )
        scores[name] = read_rows(out, run.lesions.checksum)
    return run, took, scores


def with_features(settings: str, folder: Path) -> Run:
    """A run that has its folds and features, and no models yet."""
    config = folder.with_suffix(".toml")
    config.write_text(settings)
    measure(Path(sys.executable).with_name("uglyduck"), "run", config, "--until", "features", "--out", folder)
    return open_run(folder)


def one_simulated(recipes: tuple[str, ...], seed: int, kept: Path, folder: Path) -> dict[str, Any]:
    """The pAUC of recipes on one cohort, their processor seconds and peak memory; read where they are there already."""
    found = dict(json.loads(kept.read_text("utf-8"))) if kept.exists() else {}
    if missing := [name for name in recipes if name not in found]:
        found |= measured_on_cohort(missing, seed, folder)
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_json(found, kept)
    return {name: found[name] for name in (*recipes, OPTIMUM)}


def measured_on_cohort(recipes: Iterable[str], seed: int, folder: Path) -> dict[str, Any]:
    """What recipes and the optimum reach on a new cohort, which is deleted again."""
    write_folder(folder, FULL, seed=seed, test_lesions=100)
    run, took, scores = scored(recipes, folder / "train-metadata.csv", folder, 1)
    known = run.lesions.frame.select("isic_id").join(
        pl.read_parquet(folder / "truth.parquet"), on="isic_id", how="left", maintain_order="left"
    )
    found = {
        name: [partial_auc(run.target, each["0"].to_numpy()), took[name].cpu_seconds, took[name].peak_gb]
        for name, each in scores.items()
    }
    shutil.rmtree(folder)
    return found | {OPTIMUM: [partial_auc(run.target, known["p_table"].to_numpy())]}


def record_simulated(section: str, by_seed: Mapping[int, dict[str, Any]], *more: str) -> None:
    """Write what the recipes reach on simulated cohorts; the interval is Student's over cohorts."""
    cohorts = list(by_seed.values())
    rows = []
    for name in cohorts[0]:
        pauc, *spent = zip(*(one[name] for one in cohorts), strict=True)
        gaps = [one[name][0] - one[OURS][0] for one in cohorts]
        rows.append(
            [
                name,
                *(f"{value:.4f}" for value in pauc),
                f"{mean(pauc):.4f}",
                "" if name == OURS else difference(over_cohorts(gaps)),
                *([f"{median(spent[0]):.0f}", f"{max(spent[1]):.2f}"] if spent else ["", ""]),
            ]
        )
    record(
        section,
        " ".join([SIMULATED, *more]),
        ["recipe", *map(str, by_seed), "mean", "minus ours", "CPU seconds", "peak GB"],
        rows,
        document=DOCUMENT,
        head=HEAD,
    )
    assert all(0.1 < one[OURS][0] < one[OPTIMUM][0] for one in cohorts)
