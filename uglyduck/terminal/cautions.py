"""Warnings that stand last on a terminal, where they are not missed."""

from __future__ import annotations

from collections.abc import Sequence

from engine.console import log


def show_cautions(said: Sequence[object]) -> None:
    """Say how new lesions differ from those of training, one line each; nothing where they do not."""
    for line in said:
        log.warning("WARNING: %s", line)
