"""Single trials: a command is disturbed, then started again; what became of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine.files import TEMPORARY
from tests.faults.process import Ended, Server
from tests.faults.world import Command, World

WENT_ON, REFUSED, LOST = "went on", "refused", "lost"
MOMENTS = 20
"""Into how many parts the work of a command is cut; it is disturbed at a random moment in each."""


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Attributes:
        verdict: "went on": the same bits in the end; "refused": so too, after one line that said what was wrong;
            "lost": anything else.
        why: What was lost, or the line.
    """

    verdict: str
    why: str = ""


@dataclass(frozen=True)
class Needs:
    """What a command needs undisturbed.

    Attributes:
        changes: Changes to files.
        seconds: Time.
        room: The most bytes that it ever takes on its disk.
    """

    changes: int
    seconds: float
    room: int


@dataclass(frozen=True)
class Bench:
    """What trials are made with.

    Attributes:
        server: Starts commands.
        world: What they work on.
        folder: Where trials lie; for those that fill a disk a file system of its own.
        needs: What commands need undisturbed, as far as it is known.
    """

    server: Server
    world: World
    folder: Path
    needs: dict[str, Needs] = field(default_factory=dict)

    def prepared(self, command: Command) -> Path:
        """A trial's folder."""
        return self.world.trial(self.folder / "trial", command)

    def judged(self, command: Command, trial: Path, disturbed: Ended, *, killed: bool = False) -> Outcome:
        """Start the command again, and compare with the undisturbed one."""
        if not (killed or disturbed.status == 0 or disturbed.is_refusal):
            return Outcome(LOST, f"status {disturbed.status}: {' | '.join(disturbed.said[-3:])}")
        if self.world.is_touched(trial, command):
            return Outcome(LOST, "something of the user's was touched")
        if killed or disturbed.status:
            again = self.server.run(command.arguments, trial)
            if again.status:
                return Outcome(LOST, f"then: status {again.status}: {' | '.join(again.said[-3:])}")
        return self.compared(command, trial, disturbed)

    def compared(self, command: Command, trial: Path, disturbed: Ended) -> Outcome:
        """What a command that is done at last has made, against the undisturbed one."""
        if self.world.is_touched(trial, command):
            return Outcome(LOST, "something of the user's was touched at last")
        if other := self.world.differs(trial, command):
            return Outcome(LOST, f"other bits: {', '.join(other[:5])}")
        if left := [str(path) for path in trial.rglob(f"{TEMPORARY}*")] + [
            str(path) for path in (trial / "tmp").iterdir()
        ]:
            return Outcome(LOST, f"left behind: {', '.join(left[:3])}")
        return Outcome(REFUSED, disturbed.said[0]) if disturbed.is_refusal else Outcome(WENT_ON)


def undisturbed(bench: Bench, command: Command) -> Needs:
    """What a command needs; measured once."""
    if command.name not in bench.needs:
        count, trial, most = bench.folder / "count", bench.prepared(command), [0]
        before, over = used(bench.folder), threading.Event()

        def watch() -> None:
            while not over.wait(0.02):
                most[0] = max(most[0], used(bench.folder) - before)

        watcher = threading.Thread(target=watch)
        watcher.start()
        ended = bench.server.run(command.arguments, trial, count=count)
        over.set()
        watcher.join()
        assert ended.status == 0, ended.stderr
        bench.needs[command.name] = Needs(count.stat().st_size, ended.seconds, most[0])
    return bench.needs[command.name]


def _share(command: Command, moment: int) -> float:
    """How much of a command's work is done at a random moment in one of its parts."""
    return (moment + random.Random(f"{command.name} {moment}").random()) / MOMENTS


def killed_at_random(bench: Bench, command: Command, moment: int) -> Outcome:
    """Killed in one of the twenty parts of the work: by turns right before a change, or at any time."""
    needs, share = undisturbed(bench, command), _share(command, moment)
    if moment % 2:
        return killed_after(bench, command, share * needs.seconds)
    return killed_at_change(bench, command, 1 + int(share * needs.changes))


def killed_at_change(bench: Bench, command: Command, change: int) -> Outcome:
    """The machine goes down right before a file is changed."""
    trial = bench.prepared(command)
    ended = bench.server.run(command.arguments, trial, count=bench.folder / "count", last=change)
    return bench.judged(command, trial, ended, killed=ended.status < 0)


def killed_after(bench: Bench, command: Command, seconds: float) -> Outcome:
    """The process alone is killed at some time; what it started may live on."""
    trial = bench.prepared(command)

    def later(pid: int) -> None:
        timer = threading.Timer(seconds, lambda: _kill_one(pid))
        timer.daemon = True
        timer.start()

    ended = bench.server.run(command.arguments, trial, meanwhile=later, orphans=True)
    return bench.judged(command, trial, ended, killed=ended.status < 0)


def _kill_one(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def disk_full_at_random(bench: Bench, command: Command, moment: int) -> Outcome:
    """The disk is full after some of the bytes that the command needs; then there is room again."""
    room = int(_share(command, moment) * undisturbed(bench, command).room)
    trial = bench.prepared(command)
    with limited(bench.folder, f"size={used(bench.folder) + room}"):
        ended = bench.server.run(command.arguments, trial)
    return bench.judged(command, trial, ended)


def read_only(bench: Bench, command: Command) -> Outcome:
    """Nothing can be written where the command is to write."""
    trial = bench.prepared(command)
    with limited(bench.folder, "ro"):
        # Scratch files are another matter: the system's folder for them stays as it is.
        ended = bench.server.run(command.arguments, trial, environment={"TMPDIR": str(bench.world.root.parent)})
    return bench.judged(command, trial, ended)


def short_of_memory(bench: Bench, command: Command, program: Path) -> Outcome:
    """The command gets half the address space that it needs, started as a user does."""
    trial = bench.prepared(command)
    limit = address_space(trial, command, program) // 2
    trial = bench.prepared(command)
    with (bench.folder / "stderr.txt").open("w+") as said:
        line = ["bash", "-c", f'ulimit -v {limit // 1024} && exec "$@"', "bash", str(program), *command.arguments]
        environment = {**os.environ, "TMPDIR": str(trial / "tmp")}
        done = subprocess.run(line, cwd=trial, stdout=subprocess.DEVNULL, stderr=said, env=environment, check=False)
        said.seek(0)
        ended = Ended(done.returncode, said.read(), 0.0)
        # A library that gets no memory may end the process, which is then as good as killed.
        by_openmp = bool(ended.said) and ended.said[-1].startswith("libgomp: Thread creation failed")
        return bench.judged(command, trial, ended, killed=done.returncode < 0 or by_openmp)


def address_space(trial: Path, command: Command, program: Path) -> int:
    """The most bytes of address space that any process of a command needs."""
    most = 0
    with subprocess.Popen(
        [program, *command.arguments], cwd=trial, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            for pid in (process.pid, *_children(process.pid)):
                with suppress(OSError, StopIteration):
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                    most = max(most, int(next(line for line in lines if line.startswith("VmPeak")).split()[1]) * 1024)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
    return most


def clock_set_back(bench: Bench, command: Command) -> Outcome:
    """Everything that is there is from the future, as after a clock was set back by a year."""
    trial = bench.prepared(command)
    for path in (bench.world.root / "data", trial):
        for each in path.rglob("*"):
            os.utime(each, (later := time.time() + 365 * 24 * 3600, later))
    return bench.judged(command, trial, bench.server.run(command.arguments, trial))


def two_at_once(bench: Bench, command: Command) -> Outcome:
    """The command is started a second time while the first one works; a locked folder names its process."""
    trial = bench.prepared(command)
    found: list[Ended] = []

    def start_second(pid: int) -> None:
        locks = [trial / place / ".lock" for place in (command.out, "run", "run/tuning/lightgbm")]
        until = time.monotonic() + 60
        while not any(path.is_file() and f"process {pid} " in path.read_text() for path in locks):
            if time.monotonic() > until or _has_ended(pid):
                return
            time.sleep(0.005)
        os.kill(pid, signal.SIGSTOP)  # so that it is still there
        try:
            with Server() as other:
                found.append(other.run(command.arguments, trial))
        finally:
            os.kill(pid, signal.SIGCONT)
        if not (found[0].is_refusal and f"process {pid} " in found[0].said[0]):
            found[0] = Ended(1, "the second one was not refused: " + found[0].stderr, 0.0)

    first = bench.server.run(command.arguments, trial, meanwhile=start_second)
    if first.status:
        return Outcome(LOST, f"the first one: status {first.status}: {' | '.join(first.said[-3:])}")
    if found and not found[0].is_refusal:
        return Outcome(LOST, found[0].stderr[-300:])
    return bench.compared(command, trial, found[0] if found else first)


def _has_ended(pid: int) -> bool:
    with suppress(OSError):
        return " Z " in Path(f"/proc/{pid}/stat").read_text()
    return True


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def used(folder: Path) -> int:
    """Bytes in use on the file system of a folder."""
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A file system in memory; needs root."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2g", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def limited(folder: Path, option: str) -> Iterator[None]:
    """Mount a disk anew with an option, until the block ends."""
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw,size=2g", str(folder)], check=True)


Trial = Callable[[], Outcome]
