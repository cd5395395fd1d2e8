"""A tiny cohort, what is asked of it, and what comes out undisturbed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cohort.simulator import write_folder
from tests.faults.process import Server

_CONFIG = """
[data]
metadata = "{data}/train-metadata.csv"
{images}
[folds]
n_folds = 3
[features]
groups = ["basic", "tbp"]
[ensemble]
learners = ["lightgbm", "xgboost", "catboost"]
[ensemble.parameters]
lightgbm = {{ n_trees = 8 }}
xgboost = {{ n_trees = 4 }}
catboost = {{ n_trees = 4 }}
[metrics]
replicates = 100
[compute]
threads = 2
"""
_NETWORK = """
[images.net]
preset = "tiny"
set = { epochs = 1 }
device = "cpu"
"""
NOTES = "what the user wrote down\n"
#: Times, process ids, and logs of work done in another order.
_VARYING = {"manifest.json", "config.toml", ".lock", "run.log", "journal.log", "notes.txt", "crops.json"}

#: Results, which have an order; scores that were remembered; models of other settings, which a run keeps.
_ASIDE = {"results", "scored", "images.kept"}


@dataclass(frozen=True)
class Command:
    """A command of the drill.

    Attributes:
        name: What the table calls it.
        arguments: Said in the folder of a trial, which holds `drill.toml`.
        out: What it makes, below that folder.
        needs: What must be there before, taken from the undisturbed world.
    """

    name: str
    arguments: tuple[str, ...]
    out: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class World:
    """Where things lie.

    Attributes:
        root: A folder with `data`, `drill.toml` and what each command made of them undisturbed.
        networks: Whether the cohort has crops, and a network is trained.
    """

    root: Path
    networks: bool = True
    reference: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def commands(self) -> dict[str, Command]:
        """Every command, in an order in which each finds what it needs."""
        data = self.root / "data"
        new = ["--metadata", f"{data}/test-metadata.csv", *self._crops(f"{data}/test-image.hdf5")]
        run = ("run", "drill.toml", "--out", "run")
        listed = [
            Command("run", run, "run"),
            Command("run --nested", (*run, "--nested"), "run", ("run",)),
            Command("tune", ("tune", "run", "--trials", "3"), "run/tuning", ("run",)),
            Command("ablate", ("ablate", "run", "--leave-out", "--learners", "lightgbm"), "run/ablation", ("run",)),
            Command("predict", ("predict", "run", *new, "--out", "out.csv"), "out.csv", ("run",)),
            Command("bundle", ("bundle", "run", "--out", "bundle", "--wheel", f"{self._wheel()}"), "bundle", ("run",)),
        ]
        if self.networks:
            listed.append(self._train_network())
        return {command.name: command for command in listed}

    def _train_network(self) -> Command:
        table = (
            "--metadata",
            f"{self.root}/data/train-metadata.csv",
            *self._crops(f"{self.root}/data/train-image.hdf5"),
        )
        cheap = ("--preset", "tiny", "--set", "epochs=1", "--device", "cpu", "--n-folds", "2", "--replicates", "100")
        return Command("images train", ("images", "train", *table, *cheap, "--out", "model", "--cores", "2"), "model")

    def _crops(self, path: str) -> list[str]:
        return ["--images", path] if self.networks else []

    def _wheel(self) -> Path:
        return self.root / "uglyduck-0-py3-none-any.whl"  # what it holds does not matter here

    def make(self, server: Server, *, seed: int = 3, only: Collection[str] = ()) -> None:
        """Simulate the cohort, run every command (or only some) undisturbed, and remember what each made."""
        self.root.mkdir(parents=True)
        write_folder(self.root / "data", 240, seed=seed, malignant=24, test_lesions=60, images=self.networks)
        images = f'images = "{self.root}/data/train-image.hdf5"' if self.networks else ""
        text = _CONFIG.format(data=self.root / "data", images=images) + _NETWORK * self.networks
        (self.root / "drill.toml").write_text(text, "utf-8")
        self._wheel().write_bytes(b"PK")
        for command in [self.commands[name] for name in only or self.commands]:
            trial = self.trial(self.root.parent / f"{self.root.name}-first", command)
            ended = server.run(command.arguments, trial)
            assert ended.status == 0, ended.stderr
            self.reference[command.name] = digests(trial / command.out)
            if command.name == "run":
                shutil.copytree(trial / "run", self.root / "run")

    def study(self, server: Server) -> None:
        """Also `studied`, the run after each study, and `other`, likewise of another cohort."""
        another = World(self.root / "another", self.networks)
        another.make(server, seed=4)
        for world, name in ((self, "studied"), (another, "other")):
            folder = self.root / f"making-{name}"
            world.trial(folder, world.commands["tune"])
            for study in ("run --nested", "tune", "ablate"):
                ended = server.run(world.commands[study].arguments, folder)
                assert ended.status == 0, ended.stderr
            (folder / "run").rename(self.root / name)

    def trial(self, folder: Path, command: Command) -> Path:
        """An empty folder with what a command needs, and a note of the user's wherever it writes."""
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "tmp").mkdir(parents=True)
        shutil.copy(self.root / "drill.toml", folder)
        for name in command.needs:
            shutil.copytree(self.root / name, folder / name)
        for place in notes(folder):
            if place.parent.is_dir():
                place.write_text(NOTES, "utf-8")
        return folder

    def is_touched(self, folder: Path, command: Command) -> bool:
        """Whether anything of the user's is not as it was: data, configuration, notes."""
        wanted = [folder / "notes.txt", *(folder / name / "notes.txt" for name in command.needs)]
        same = (folder / "drill.toml").read_bytes() == (self.root / "drill.toml").read_bytes()
        return not same or any(not path.is_file() or path.read_text("utf-8") != NOTES for path in wanted)

    def differs(self, folder: Path, command: Command) -> list[str]:
        """Files that are not, bit for bit, those of the undisturbed command."""
        found, wanted = digests(folder / command.out), self.reference[command.name]
        return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def notes(folder: Path) -> list[Path]:
    """Where the user keeps notes."""
    return [folder / "notes.txt", folder / "run" / "notes.txt"]


def digests(path: Path) -> dict[str, str]:
    """SHA-256 of a file, or of every file of a folder that must be the same each time."""
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    kept = [each for each in files if each.name not in _VARYING and _ASIDE.isdisjoint(each.relative_to(path).parts)]
    return {str(each.relative_to(path)): hashlib.sha256(_lasting(each)).hexdigest() for each in kept}


def _lasting(path: Path) -> bytes:
    """The content of a file; of what a search found without the numbers of its trials, and how many of them died."""
    content = path.read_bytes()
    with suppress(ValueError):
        if path.name == "tuning.json":
            told = json.loads(content, object_hook=_without_history)
            return json.dumps(told).encode()
    return content


def _without_history(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if not (key == "failed" or (key == "name" and "trial" in value))}
