"""The whole drill: every trial that is not in build/drill.jsonl yet, then the table of docs/trust.md."""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults import damage, trials
from tests.faults.process import Server
from tests.faults.trials import LOST, MOMENTS, REFUSED, WENT_ON, Bench, Outcome, Trial
from tests.faults.world import World

ROOT = Path(__file__).parents[2]
DONE, DOCUMENT = ROOT / "build" / "drill.jsonl", ROOT / "docs" / "trust.md"
PROGRAM = Path(sys.executable).with_name("uglyduck")
_ONCE = {"output read-only": trials.read_only, "clock set back": trials.clock_set_back}
_AT_MOMENTS = {"killed": trials.killed_at_random, "disk full": trials.disk_full_at_random}


@dataclass(frozen=True)
class Named:
    """A trial, and what tells it from others: its fault, what it is tried on, and the moment."""

    fault: str
    on: str
    moment: int
    trial: Trial


def listed(bench: Bench, moments: int) -> list[Named]:
    """Every trial; shuffled, so that a part of them is a fair one."""
    found: list[Named] = []
    for command in bench.world.commands.values():
        said = f"{command.name}, crops and network" if bench.world.networks else command.name
        found += [Named(fault, said, 0, partial(trial, bench, command)) for fault, trial in _ONCE.items()]
        found.append(Named("half the memory", said, 0, partial(trials.short_of_memory, bench, command, PROGRAM)))
        if command.name not in {"predict", "bundle"}:  # these hold nothing: what they write is whole in the end
            found.append(Named("two at once", said, 0, partial(trials.two_at_once, bench, command)))
        for fault, disturb in _AT_MOMENTS.items():
            drawn = random.Random(f"{fault} {command.name}").sample(range(MOMENTS), moments)
            found += [Named(fault, said, moment, partial(disturb, bench, command, moment)) for moment in drawn]
    for fault in damage.FAULTS:
        kinds = damage.kinds(bench.world.root / "studied")
        found += [Named(f"file {fault}", kind, 0, partial(damage.damaged, bench, kind, fault)) for kind in kinds]
    random.Random(0).shuffle(found)
    return found


def main() -> None:
    """Run what is missing, a line of JSON for each trial; write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("/tmp/uglyduck-drill"), help="where a disk is mounted")  # noqa: S108
    parser.add_argument("--only", default="", help="regular expression of faults, a space, and what they are tried on")
    parser.add_argument("--moments", type=int, default=MOMENTS, help="how many of the twenty moments of a command")
    parser.add_argument("--no-crops", action="store_true", help="leave crops and the network out: a third of the time")
    parser.add_argument("--table", action="store_true", help="only write the table")
    asked = parser.parse_args()
    if not asked.table:
        DONE.parent.mkdir(exist_ok=True)
        with Server(networks=not asked.no_crops) as server, trials.disk(asked.scratch) as folder:
            world = World(folder / "world", networks=not asked.no_crops)
            world.make(server)
            world.study(server)
            wanted = listed(Bench(server, world, folder), asked.moments)
            _run_all([each for each in wanted if re.search(asked.only, f"{each.fault} {each.on}")])
    write_table(_done())


def _run_all(wanted: list[Named]) -> None:
    known = {(entry["fault"], entry["on"], entry["moment"]) for entry in _done()}
    for each in wanted:
        entry = {"fault": each.fault, "on": each.on, "moment": each.moment}
        if tuple(entry.values()) in known:
            continue
        try:
            outcome = each.trial()
        except Exception as error:  # noqa: BLE001 - the drill goes on
            outcome = Outcome(LOST, f"the drill itself: {error!r}")
        with DONE.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({**entry, **vars(outcome)}) + "\n")


def _done() -> list[dict[str, Any]]:
    return [json.loads(line) for line in DONE.read_text("utf-8").splitlines()] if DONE.is_file() else []


def write_table(done: list[dict[str, Any]]) -> None:
    """Put the counts into the document; those of damaged files are taken together."""
    done = [
        entry | {"on": "one of each kind of file"} if entry["fault"].startswith("file ") else entry for entry in done
    ]
    rows = ["| fault | on | tried | went on | refused | lost |", "|---|---|---|---|---|---|"]
    for fault in sorted({entry["fault"] for entry in done}):
        for name in sorted({entry["on"] for entry in done if entry["fault"] == fault}):
            verdicts = Counter(entry["verdict"] for entry in done if (entry["fault"], entry["on"]) == (fault, name))
            counts = [verdicts.total(), *(verdicts[verdict] for verdict in (WENT_ON, REFUSED, LOST))]
            rows.append(f"| {fault} | {name} | {' | '.join(map(str, counts))} |")
    between = re.compile(r"(<!-- drill -->\n).*?(<!-- end of drill -->)", re.DOTALL)
    text = "\n".join(rows)
    DOCUMENT.write_text(
        between.sub(lambda match: f"{match[1]}{text}\n{match[2]}", DOCUMENT.read_text("utf-8")), "utf-8"
    )


if __name__ == "__main__":
    main()
