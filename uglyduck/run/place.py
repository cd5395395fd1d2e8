"""Whether a folder holds a run: checked before anything heavy is imported."""

from __future__ import annotations

from pathlib import Path

from engine.errors import InputError


def holding_a_run(folder: Path) -> Path:
    """The folder, if it holds a run.

    Raises:
        InputError: It does not.
    """
    if not (folder / "config.toml").is_file():
        raise InputError(
            "this folder holds no run", where=str(folder), remedy="make one with `uglyduck run CONFIG.toml`"
        )
    return folder
