"""The same submission, bit for bit, however the work was done. Killed runs: test_run.py; other Pythons: the benches."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.uglyduck.conftest import PICTURED, Command

TABLE = PICTURED.replace('images = "data/train-image.hdf5"\n', "").replace("data/", "DATA/")
LEARNERS = '["lightgbm", "xgboost", "catboost", "logistic"]'


def submission(folder: Path, data: Path, compute: str, command: Command, *, shuffled: bool, in_two: bool) -> bytes:
    """Train, score the test lesions, and give what was written; the rows of both tables shuffled if wanted."""
    for name in ("train-metadata.csv", "test-metadata.csv"):
        rows = pl.read_csv(data / name, infer_schema=False)
        (rows.sample(fraction=1, shuffle=True, seed=7) if shuffled else rows).write_csv(folder / name)
    config = TABLE.replace("DATA", str(folder)).replace('["lightgbm", "xgboost"]', LEARNERS)
    config = config.replace("xgboost = { n_trees = 10 }", "xgboost = { n_trees = 10 }\ncatboost = { n_trees = 10 }")
    (folder / "run.toml").write_text(f"{config}[compute]\n{compute}\n")
    for more in (["--until", "features"], []) if in_two else ([],):
        command("run", folder / "run.toml", "--out", folder / "run", *more)
    command("predict", folder / "run", "--metadata", folder / "test-metadata.csv", "--out", folder / "s.csv")
    return pl.read_csv(folder / "s.csv", infer_schema=False).sort("isic_id").write_csv().encode()


@pytest.fixture(scope="module")
def plain(pictured: Path, tmp_path_factory: pytest.TempPathFactory, command: Command) -> bytes:
    folder = tmp_path_factory.mktemp("plain")
    return submission(folder, pictured / "data", "threads = 1", command, shuffled=False, in_two=False)


@pytest.mark.parametrize(
    ("compute", "shuffled", "in_two"),
    [
        pytest.param("threads = 4", True, False, id="four threads, shuffled rows"),
        pytest.param("threads = 2", False, True, id="two threads, resumed"),
        pytest.param('threads = 2\nengine = "ray"', True, False, id="Ray, shuffled rows"),
    ],
)
def test_threads_order_resuming_and_ray_change_no_bit(
    plain: bytes, pictured: Path, tmp_path: Path, command: Command, compute: str, *, shuffled: bool, in_two: bool
) -> None:
    if "ray" in compute:
        pytest.importorskip("ray")
    assert submission(tmp_path, pictured / "data", compute, command, shuffled=shuffled, in_two=in_two) == plain
