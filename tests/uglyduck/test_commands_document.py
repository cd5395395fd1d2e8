"""docs/commands.md says what `--help` says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "commands.md"
COMMAND = ["typer", "uglyduck.cli", "utils", "docs", "--name", "uglyduck", "--title", "Every command"]


def test_the_document_is_up_to_date() -> None:
    program = Path(sys.executable).with_name(COMMAND[0])
    made = subprocess.run([program, *COMMAND[1:]], check=True, capture_output=True, encoding="utf-8")
    wanted = "run: " + " ".join([*COMMAND[:-1], f"'{COMMAND[-1]}'", "--output docs/commands.md"])
    assert DOCUMENT.read_text("utf-8").strip() == made.stdout.strip(), wanted
