"""Parameters of the learners by preset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from ensemble.learners.base import Parameters

Preset = Literal["tuned", "documented"]
PRESETS: tuple[Preset, ...] = get_args(Preset)

#: What `uglyduck tune` found on a simulated cohort of the published size; docs/tuning.md says how. The parameters that
#: the leading public ISIC 2024 solutions share ("documented") are the learners' own defaults.
TUNED: Mapping[str, Parameters] = {}


def preset_parameters(learner: str, preset: Preset) -> dict[str, Any]:
    """Parameters that a preset lays over the learner's own defaults; none for a learner that it does not know."""
    return dict(TUNED.get(learner, {})) if preset == "tuned" else {}
