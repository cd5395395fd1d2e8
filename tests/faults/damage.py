"""One byte flipped, a file cut off, swapped with another run's, or deleted, for every kind of file of a run."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.faults.trials import LOST, REFUSED, WENT_ON, Bench, Outcome
from tests.faults.world import NOTES, Command, digests

FAULTS = ("a byte flipped", "cut off", "another run's", "deleted")
#: Pictures, and what saves time: no score depends on them, and nobody reads them back.
_ASIDE = {"history.json", "curves.png", "contact.png", "crops.json"}
_MAKER = {"tuning": "tune", "ablation": "ablate", "nested": "run --nested"}


def kinds(run: Path) -> dict[str, Path]:
    """A file of each kind below a run, by the kind's name."""
    found: dict[str, Path] = {}
    for path in sorted(
        each for each in run.rglob("*") if each.is_file() and each.name not in {".lock", "run.log", "notes.txt"}
    ):
        name = path.relative_to(run).as_posix()
        kind = re.sub(r"results/(asked/)?.*", r"results/\1*", re.sub(r"fold\d+(-seed\d+)?", "fold*", name))
        found.setdefault(kind, path.relative_to(run))
    return found


def maker(kind: str) -> str:
    """The command that makes files of a kind."""
    return next((command for start, command in _MAKER.items() if kind.startswith(start)), "run")


def inflict(fault: str, path: Path, other: Path, chance: random.Random) -> None:
    """Damage a file."""
    content = path.read_bytes()
    if fault == "deleted":
        path.unlink()
    elif fault == "another run's":
        shutil.copyfile(other, path)
    elif fault == "cut off":
        path.write_bytes(content[: chance.randrange(len(content))])
    else:
        place = chance.randrange(len(content))
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :])


def damaged(bench: Bench, kind: str, fault: str) -> Outcome:
    """Score with the damaged run, let its maker go over it, and score again."""
    world, commands = bench.world, bench.world.commands
    predict, again = commands["predict"], commands[maker(kind)]
    trial = bench.prepared(predict)
    shutil.rmtree(trial / "run")
    shutil.copytree(world.root / "studied", trial / "run")
    (trial / "run" / "notes.txt").write_text(NOTES, "utf-8")
    path, other = (folder / kinds(trial / "run")[kind] for folder in (trial / "run", world.root / "other"))
    if kind.startswith("results/"):  # names there are of content: another result's
        alike = (each for each in sorted(path.parent.parent.rglob(f"*{path.suffix}")) if each.is_file())
        other = next(each for each in alike if each != path)
    inflict(fault, path, other, random.Random(f"{kind} {fault}"))
    refused = ""
    for line in _lines(bench, predict, again, trial, path):
        if line.startswith(LOST):
            return Outcome(LOST, line)
        refused = refused or line
    return Outcome(REFUSED, refused) if refused else Outcome(WENT_ON)


def _lines(bench: Bench, predict: Command, again: Command, trial: Path, path: Path) -> Iterator[str]:
    """Lines that refused something on the way; one that begins with "lost" ends it."""
    world = bench.world
    scored = bench.server.run(predict.arguments, trial)
    if scored.is_refusal:
        yield scored.said[0]
    elif scored.status or world.differs(trial, predict):
        yield f"lost: predict: status {scored.status}: {scored.said[-3:]}"
    mended = bench.server.run(again.arguments, trial)
    if mended.is_refusal:  # as its line says
        yield mended.said[0]
        path.unlink()
        mended = bench.server.run(again.arguments, trial)
    if mended.status:
        yield f"lost: {again.name}: status {mended.status}: {mended.said[-3:]}"
    last = bench.server.run(predict.arguments, trial)
    if last.status or world.differs(trial, predict) or world.is_touched(trial, predict):
        yield f"lost: predict at last: status {last.status}: {last.said[-3:]}"
    found, wanted = digests(trial / "run"), digests(world.root / "studied")
    other = [name for name in found | wanted if found.get(name) != wanted.get(name)]
    if any(Path(name).name not in _ASIDE for name in other):
        yield f"lost: other bits: {other[:5]}"
