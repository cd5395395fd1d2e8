"""Runs `uglyduck` as a user does, over and over, in processes forked from one that has imported everything.

Importing takes longer than the commands of a tiny cohort. A line of JSON in for each command, two out: its process id,
and its exit status once it has ended (negative for a signal).
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

_HEAVY = (
    *("uglyduck.cli", "uglyduck.stages.running", "uglyduck.studies.nested", "uglyduck.studies.tuning"),
    *("uglyduck.studies.ablation", "uglyduck.studies.export", "uglyduck.terminal.metrics"),
    *("submissions.submission", "submissions.bundle.writing", "lightgbm", "xgboost", "catboost"),
)
_NETWORKS = ("image_embeddings.networks.backend", "image_embeddings.pictures", "uglyduck.commands.images")


def serve(*, networks: bool) -> None:
    """Answer until stdin ends."""
    for name in (*_HEAVY, *(_NETWORKS if networks else ())):
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(json.loads(line))
        _say(child)
        _say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _become(asked: dict[str, Any]) -> None:
    """The command itself, in a process group of its own."""
    os.setsid()
    for number, name in ((0, os.devnull), (1, asked["stdout"]), (2, asked["stderr"])):
        opened = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(asked["folder"])
    os.environ.update(asked["environment"])
    sys.stdin, sys.argv = Path(os.devnull).open(), ["uglyduck", *asked["arguments"]]  # noqa: SIM115 - to the end
    status = 1
    try:
        _watch()
        importlib.import_module("uglyduck.cli").main()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _watch() -> None:
    import tempfile

    tempfile.tempdir = None  # asked for anew: TMPDIR is the trial's
    if "DRILL_COUNTER" in os.environ:
        importlib.import_module("tests.faults.hook.sitecustomize")


if __name__ == "__main__":
    serve(networks="networks" in sys.argv[1:])
