"""Ours next to peers on the same rows and folds, with the interval of recipes, each with time and memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cohort.simulator import write_folder
from cv_folds.formats import difference, with_interval
from ensemble.ablation import Variant, compare
from tests.benches.peers import OURS, PEERS
from tests.benches.performance import measure, record
from uglyduck.run.run import open_run

pytestmark = pytest.mark.bench
DOCUMENT = Path(__file__).parents[2] / "docs" / "peers.md"
HEAD = """# Next to peers

Written by `make bench` (tests/benches/test_peers_bench.py). Each recipe scores the same rows in the same patient folds,
the table alone. Intervals include other patients, training patients, folds, seeds and drawn lesions:
[how to read them](reading-the-numbers.md). Peers are written from published facts; no code of theirs is here.
"""
COHORTS, LESIONS, REPEATS = (31, 32, 33, 34, 35), 100_000, 3


@pytest.mark.parametrize("seed", COHORTS)
def test_simulated(seed: int, tmp_path: Path) -> None:
    write_folder(tmp_path / "data", LESIONS, seed=seed, test_lesions=100)
    about = f"*Simulated*, `uglyduck simulate --lesions {LESIONS} --seed {seed}`."
    beside_peers(f"Simulated cohort of seed {seed}", about, tmp_path / "data" / "train-metadata.csv", tmp_path)


def test_real(real_data: Path, tmp_path: Path) -> None:
    about = (
        "*Real* SLICE-3D rows of patients at hand: every malignant lesion of theirs, of the benign ones a sample of"
        " about 1 in 56, some 6 lesions a patient. So what a patient's other lesions tell is understated."
    )
    beside_peers("Real rows", about, real_data / "slice3d" / "train-metadata.csv", tmp_path)


def beside_peers(section: str, about: str, metadata: Path, folder: Path) -> None:
    """Score by every recipe, and write a section of docs/peers.md."""
    program = Path(sys.executable).with_name("uglyduck")
    (folder / "run.toml").write_text(f'[data]\nmetadata = "{metadata}"\n')
    measure(program, "run", folder / "run.toml", "--until", "features", "--out", folder / "run")
    run = open_run(folder / "run")
    took, scores = {}, {}
    for name in (OURS, *PEERS):
        out = folder / f"{name}.parquet"
        command = (sys.executable, "-m", "tests.benches.peers", name, folder / "run", out, str(REPEATS))
        took[name] = measure(*command)
        scores[name] = run.read_rows(out).drop("isic_id").iter_columns()
    found = compare(
        [Variant(OURS, "all", ()), *(Variant(name, "run", (), OURS) for name in PEERS)],
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
        ["recipe", "pAUC", "minus ours", "seconds a repetition", "peak GB"],
        [
            [name, *cells, f"{took[name].seconds / REPEATS:.0f}", f"{took[name].peak_gb:.2f}"]
            for name, cells in figures.items()
        ],
        document=DOCUMENT,
        head=HEAD,
    )
    assert all(0.02 < row["pauc"]["estimate"] <= 0.2 for row in found["rows"])
