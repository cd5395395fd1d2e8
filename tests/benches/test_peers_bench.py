"""Ours next to peers on the same rows and folds, with the interval of recipes, each with time and memory."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

import pytest

from cohort.lesions import read_rows
from cohort.simulator import write_folder
from cv_folds.formats import difference, with_interval
from ensemble.ablation import Variant, compare
from tests.benches.peers import AUTOGLUON, AUTOGLUON_PYTHON, AUTOGLUON_SECONDS, OURS, PEERS
from tests.benches.performance import measure, record
from uglyduck.run.run import open_run

pytestmark = pytest.mark.bench
DOCUMENT = Path(__file__).parents[2] / "docs" / "peers.md"
HEAD = """# Next to peers

Tables are written by `make bench` (tests/benches/test_peers_bench.py). Each recipe scores the same rows in the same
patient folds, the table alone. Intervals include other patients, training patients, folds, seeds and drawn lesions:
[how to read them](reading-the-numbers.md). Peers are written from published facts; no code of theirs is here.

- **The shared public recipe**: 34 columns and 42 formulas of them, z-scores within the patient, lesions a patient, and
  the hospital one-hot; malignant rows oversampled to 0.3 % of the benign, then the benign undersampled until the
  malignant are 1 % of them; the mean probability of LightGBM, XGBoost and CatBoost with its parameters.
- **The plain LightGBM** sees the columns as they are.
- **AutoGluon** has a test of its own there, which makes its environment; it wants half an hour of an idle machine.
"""
AUTOGLUON_PACKAGE = "autogluon.tabular[lightgbm,catboost,xgboost]==1.6.3"
COHORTS, LESIONS, REPEATS = (31, 32, 33, 34, 35), 100_000, 3
SLICE_3D = (
    "*Real* SLICE-3D rows of patients at hand: every malignant lesion of theirs, of the benign ones a sample of about 1"
    " in 56, some 6 lesions a patient. So what a patient's other lesions tell is understated."
)
ISIC_2020 = "*Real* rows at hand of ISIC 2020: age, sex and body site are all that its table says of a lesion."
PAD_UFES_20 = (
    "*Real* rows of PAD-UFES-20, a smartphone study: what patients answered, and two diameters. Which cells are empty"
    " tells the label there ([data](data.md)), to every recipe alike."
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


@pytest.mark.parametrize("seed", COHORTS)
def test_simulated(seed: int, tmp_path: Path) -> None:
    write_folder(tmp_path / "data", LESIONS, seed=seed, test_lesions=100)
    about = f"*Simulated*, `uglyduck simulate --lesions {LESIONS} --seed {seed}`."
    beside_peers(f"Simulated cohort of seed {seed}", about, tmp_path / "data" / "train-metadata.csv", tmp_path)


@pytest.mark.parametrize("section", REAL)
def test_real(section: str, real_data: Path, tmp_path: Path) -> None:
    about, table, duplicates = REAL[section]
    more = f'duplicates = "{real_data / duplicates}"\n' if duplicates else ""
    beside_peers(section, about, real_data / table, tmp_path, more=more)


def test_autogluon(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv.create(tmp_path / "autogluon", with_pip=True)
    python = tmp_path / "autogluon" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", AUTOGLUON_PACKAGE], check=True)
    monkeypatch.setenv(AUTOGLUON_PYTHON, str(python))
    about = f"{SLICE_3D} {AUTOGLUON_PACKAGE}, `best_quality`, {AUTOGLUON_SECONDS} s a fit on all cores."
    beside_peers("Real rows, AutoGluon", about, real_data / REAL["Real rows"][1], tmp_path, peers=AUTOGLUON)


def beside_peers(
    section: str, about: str, metadata: Path, folder: Path, *, more: str = "", peers: Iterable[str] = tuple(PEERS)
) -> None:
    """Score by every recipe, and write a section of docs/peers.md."""
    program = Path(sys.executable).with_name("uglyduck")
    (folder / "run.toml").write_text(f'[data]\nmetadata = "{metadata}"\n{more}')
    measure(program, "run", folder / "run.toml", "--until", "features", "--out", folder / "run")
    run = open_run(folder / "run")
    took, scores = {}, {}
    for name in (OURS, *peers):
        out = folder / f"{name}.parquet"
        command = (sys.executable, "-m", "tests.benches.peers", name, folder / "run", out, str(REPEATS))
        took[name] = measure(*command)
        scores[name] = read_rows(out, run.lesions.checksum).drop("isic_id").iter_columns()
    found = compare(
        [Variant(OURS, "all", ()), *(Variant(name, "run", (), OURS) for name in peers)],
        [
            dict(zip(scores, (column.to_numpy() for column in one), strict=True))
            for one in zip(*scores.values(), strict=True)
        ],
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
