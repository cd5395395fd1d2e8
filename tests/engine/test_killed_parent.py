"""Worker processes end with the process that started them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from engine import executors

_SCRIPT = """
import os
import time
from engine.executors import LocalExecutor


def wait(_shared: None, _item: int, _cores: int) -> None:
    os.write(1, b"at work\\n")  # in one piece: another process writes there too
    time.sleep(600)


if __name__ == "__main__":
    list(LocalExecutor(2).map(wait, None, range(2), processes=True))
"""


def test_workers_of_a_killed_process_end(tmp_path: Path) -> None:
    script = tmp_path / "endless.py"
    script.write_text(_SCRIPT)
    root = str(Path(executors.__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"at work\n"
        process.kill()
        # The output ends once nobody holds it any more: the workers have it, too.
        process.communicate(timeout=60)
