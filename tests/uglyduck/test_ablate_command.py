"""`uglyduck ablate` on the small run: its scores are those of separate runs, and what it writes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from engine.files import read_json

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def ablated(finished: Path, command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished run, its groups basic and patient tried."""
    run = tmp_path_factory.mktemp("ablate") / "run"
    shutil.copytree(finished, run)
    command("ablate", run, "--groups", "basic,patient", "--pairs")
    return run


def scores(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / "ablation" / "groups" / "scores.parquet")


def test_the_run_is_the_variant_with_all_features(ablated: Path) -> None:
    own = pl.read_parquet(ablated / "oof.parquet")
    assert scores(ablated)["isic_id"].equals(own["isic_id"])
    assert scores(ablated)["all"].equals(own["blend"], check_names=False)
    assert read_json(ablated / "ablation" / "groups" / "ablation.json")["baseline_is_the_run"] is True


def test_only_what_is_new_is_trained(finished: Path, command: Command, tmp_path: Path) -> None:
    """The run has every model of all features; one more variant trains that variant alone."""
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    done = command("ablate", run, "--groups", "basic", "--leave-out")
    assert "all features: the blend equals the run's" in done.stdout
    assert "9 of 18 there already" in done.stderr
    assert "18 of 18 there already" in command("ablate", run, "--groups", "basic", "--leave-out").stderr
    more = command("ablate", run, "--groups", "basic,patient", "--leave-out")
    assert "18 of 27 there already" in more.stderr


def test_without_the_runs_results_it_scores_as_the_run_does(finished: Path, command: Command, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    shutil.rmtree(run / "results")
    done = command("ablate", run, "--groups", "basic", "--leave-out")
    assert "there already" not in done.stderr
    assert "all features: the blend equals the run's" in done.stdout


def test_basic_alone_scores_as_a_run_of_basic_alone(
    ablated: Path, small: Path, command: Command, tmp_path: Path
) -> None:
    toml = (small / "quick.toml").read_text().replace('"basic", "tbp", "patient.z", "context"', '"basic"')
    config = tmp_path / "basic.toml"
    config.write_text(toml.replace('"data/', f'"{small}/data/'))
    command("run", config, "--out", tmp_path / "run")
    own = pl.read_parquet(tmp_path / "run" / "oof.parquet")
    assert scores(ablated)["only basic"].equals(own["blend"], check_names=False)
    report = read_json(ablated / "ablation" / "groups" / "ablation.json")
    alone = next(row for row in report["rows"] if row["name"] == "only basic")
    pooled = read_json(tmp_path / "run" / "metrics.json")["scores"]["blend"]["pooled"]["pauc"]
    assert {end: alone["pauc"][end] for end in ("estimate", "low", "high")} == {
        end: pooled[end] for end in ("estimate", "low", "high")
    }


def names_of_rows(folder: Path) -> list[str]:
    return [row["name"] for row in read_json(folder / "ablation.json")["rows"]]


def test_a_repeat_is_further_jobs(copied: Path, command: Command) -> None:
    arguments = ("ablate", copied, "--groups", "basic", "--leave-out", "--learners", "lightgbm", "--json")
    once = json.loads(command(*arguments).stdout)
    done = command(*arguments, "--repeats", "2")
    assert "6 of 6 there already" in done.stderr  # the run's own folds and seeds are the first repetition
    twice = json.loads(done.stdout)
    assert "6 of 6 there already" in command(*arguments, "--repeats", "2").stderr.rsplit("ablation", 1)[1]
    scores = pl.read_parquet(copied / "ablation/groups/scores.parquet")
    assert scores.columns[1:] == ["all", "without basic", "all, repetition 1", "without basic, repetition 1"]
    assert not scores["all"].equals(scores["all, repetition 1"], check_names=False)
    first, second = (report["rows"][0]["difference"] for report in (once, twice))
    assert first["estimate"] != second["estimate"]
    assert "training patients" in " ".join(twice["notes"])
    assert "--repeats" in " ".join(once["notes"])


def test_the_files_agree(ablated: Path) -> None:
    folder = ablated / "ablation" / "groups"
    tables = ["ablation.csv", "ablation.json", "ablation.md", "ablation.tex"]
    figures = ["forest.pdf", "forest.png", "forest.svg"]
    assert sorted(path.name for path in folder.iterdir()) == [*tables, *figures, "scores.parquet"]
    assert [(folder / name).read_bytes()[:4] for name in figures[:2]] == [b"%PDF", b"\x89PNG"]
    for name in names_of_rows(folder):
        assert f"| {name} |" in (folder / "ablation.md").read_text()
        assert f"{name} & " in (folder / "ablation.tex").read_text()
    assert "simulated data" in (folder / "forest.svg").read_text()  # its truth lies next to the table, not in the TOML
    report = read_json(folder / "ablation.json")
    names = ["without basic", "without patient", "without basic + patient", "only basic + tbp", "only basic"]
    names += ["only patient", "basic + tbp plus patient"]
    assert [row["name"] for row in report["rows"]] == names
    assert report["counts"]["lesions"] == 3000
    assert report["families"] == {"basic": 4, "patient": 77}
    table = pl.read_csv(folder / "ablation.csv")
    assert table["name"].to_list() == names
    assert table["difference"].to_list() == [row["difference"]["estimate"] for row in report["rows"]]
    picture = ET.parse(folder / "forest.svg").getroot()  # noqa: S314 - our own
    assert set(names) <= {element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")}


def test_asked_again_it_gives_the_same_and_trains_nothing(ablated: Path, command: Command) -> None:
    before = read_json(ablated / "ablation" / "groups" / "ablation.json")
    done = command("ablate", ablated, "--groups", "basic,patient", "--pairs", "--json")
    assert json.loads(done.stdout) == before
    assert "72 of 72 there already" in done.stderr  # 8 variants, 3 learners, 3 folds


def test_organisers_table_quick_with_one_learner(ablated: Path, command: Command) -> None:
    done = command("ablate", ablated, "--preset", "organisers", "--quick", "--learners", "xgboost").stdout
    assert "not applicable: only tiles (the run has no features of tiles)" in done
    assert "all features: the blend differs from the run's" in done
    report = read_json(ablated / "ablation" / "organisers-quick" / "ablation.json")
    assert report["settings"]["benign_per_malignant"] == 20
    assert list(report["settings"]["learners"]) == ["xgboost"]
    assert "only TBP measurements + patient context" in [row["name"] for row in report["rows"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--groups", "pattient"], "did you mean 'patient'"),
        (["--base", "site"], "no features of 'site'"),
        (["--learners", "forest"], "choose among lightgbm, xgboost, catboost"),
        (["--preset", "organisers", "--pairs"], "the organisers' table has rows of its own"),
        (["--out", "../elsewhere"], "is no folder name"),
    ],
)
def test_wrong_input_is_one_line(ablated: Path, command: Command, arguments: list[str], said: str) -> None:
    done = command("ablate", ablated, *arguments, check=False)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_folder_without_a_run(command: Command, tmp_path: Path) -> None:
    done = command("ablate", tmp_path, check=False)
    assert done.returncode == 2
    assert "this folder holds no run" in done.stderr
