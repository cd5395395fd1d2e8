"""A table of another dataset is refused where it lacks most of what the models go by, and told what it lacks else."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from tests.uglyduck.conftest import Command


@pytest.fixture
def ham10000(tmp_path: Path) -> Path:
    """40 rows of HAM10000's metadata, made up."""
    rows = [f"HAM_{n // 2},ISIC_{n},{'mel' if n % 9 == 0 else 'nv'},histo,{n},male,back" for n in range(40)]
    path = tmp_path / "ham.csv"
    path.write_text("lesion_id,image_id,dx,dx_type,age,sex,localization\n" + "\n".join(rows) + "\n")
    return path


def hollow(small: Path, tmp_path: Path) -> Path:
    """The test table with every measurement of its own columns empty."""
    table = pl.read_csv(small / "data/test-metadata.csv", infer_schema=False)
    empty = [name for name in table.columns if name.startswith("tbp_lv_")]
    table.with_columns(pl.lit(None, pl.String).alias(name) for name in empty).write_csv(tmp_path / "hollow.csv")
    return tmp_path / "hollow.csv"


@pytest.mark.parametrize("kind", ["another dataset", "empty columns"])
def test_a_table_that_lacks_most_is_refused_unless_told_otherwise(
    *, finished: Path, small: Path, ham10000: Path, tmp_path: Path, command: Command, kind: str
) -> None:
    table = ham10000 if kind == "another dataset" else hollow(small, tmp_path)
    for call in (["predict"], ["rank"], ["explain"], ["patients"]):
        out = tmp_path / f"{call[0]}.csv"
        done = command(*call, finished, "--metadata", table, "--out", out, check=False)
        assert done.returncode == 2
        assert re.search(
            r"^uglyduck: \d\d columns are absent or empty \(.*\), \d\d% of what the models go by\. .* say --anyway",
            done.stderr,
            re.MULTILINE,
        )
        assert not out.exists()
    command("predict", finished, "--metadata", table, "--out", tmp_path / "predict.csv", "--anyway")
    assert pl.read_csv(tmp_path / "predict.csv")["target"].is_between(0, 1).all()
    command("rank", finished, "--metadata", table, "--out", tmp_path / "rank.parquet", "--anyway")
    ranked = pl.read_parquet(tmp_path / "rank.parquet")
    assert ranked["risk"].null_count() == ranked.height > 0
    assert ranked["score"].is_finite().all()


def test_what_is_lacking_is_stated_as_a_share_of_the_gain(
    finished: Path, small: Path, tmp_path: Path, command: Command
) -> None:
    table = pl.read_csv(small / "data/test-metadata.csv", infer_schema=False)
    table.drop("tbp_lv_stdL").write_csv(tmp_path / "test.csv")
    call = ["rank", finished, "--metadata", tmp_path / "test.csv", "--out", tmp_path / "rank.parquet"]
    said = command(*call).stderr
    (share,) = re.findall(r"1 column is absent or empty \(tbp_lv_stdL\), (\d+)% of what the models go by", said)
    assert 0 < int(share) < 50
    ranked = pl.read_parquet(tmp_path / "rank.parquet")
    assert ranked["score"].null_count() == 0
    # A third of what these small models go by is absent: scores move, and their risks are not shown.
    assert "risks mean nothing here and are withheld" in said
    assert ranked["risk"].null_count() == ranked.height
    whole = command("predict", finished, "--metadata", small / "data/test-metadata.csv", "--out", tmp_path / "s.csv")
    assert "absent" not in whole.stderr


@pytest.mark.parametrize(("name", "factor"), [("clin_size_long_diam_mm", 0.1), ("tbp_lv_areaMM2", 0.01)])
def test_another_unit_is_told_from_the_median(
    *, finished: Path, small: Path, tmp_path: Path, command: Command, name: str, factor: float
) -> None:
    table = pl.read_csv(small / "data/test-metadata.csv", infer_schema=False)
    assert "another unit?" not in _predicted(finished, table, tmp_path, command)
    other = table.with_columns((pl.col(name).cast(pl.Float64) * factor).cast(pl.String))
    said = _predicted(finished, other, tmp_path, command)
    assert said.count("another unit?") == 1
    assert f"{name}: the median is" in said


def _predicted(run: Path, table: pl.DataFrame, folder: Path, command: Command) -> str:
    table.write_csv(folder / "test.csv")
    return command("predict", run, "--metadata", folder / "test.csv", "--out", folder / "submission.csv").stderr
