"""Rank skin lesions by their risk of being malignant: the Python interface, and where to start.

```python
import uglyduck

uglyduck.simulate(4_000, malignant=60, out="cohort")  # or your own table
run = uglyduck.make_run("first.toml")  # every stage; run again, only what has changed
run = uglyduck.load_run("runs/first")  # a finished run
run.metrics  # every figure with its interval
run.scores  # each lesion's out-of-fold scores
run.features  # what the learners see
uglyduck.ablate(run, leave_out=True).table  # which feature group is worth its place
run.fitted().score(uglyduck.read_lesions(run, "new.csv"))  # new lesions
```

Tables are polars frames; figures are SVG, which a notebook shows. A notebook that runs: docs/first-steps.ipynb.
Everything else is in `docs/`; the command line (`uglyduck --help`) does the same and more.

The packages underneath, each built on those after it: `submissions` (the fitted run, rankings, reports), `ensemble`
(learners, blending, studies), `features` and `image_embeddings`, `cv_folds` (folds, metrics, intervals), `cohort`
(lesions) and `engine`. A research tool, not a diagnosis.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from submissions.fitted_run import FittedRun
    from uglyduck.interface import Ablation, ablate, load_run, make_run, read_lesions, score, simulate
    from uglyduck.run.run import Run

__all__ = [
    "Ablation",
    "FittedRun",
    "Run",
    "ablate",
    "load_run",
    "make_run",
    "read_lesions",
    "score",
    "simulate",
]

_HOME = Path(__file__).parents[1]
_PACKAGES = frozenset(("cohort", "cv_folds", "engine", "ensemble", "features", "image_embeddings", "submissions"))
_HOMES = {"FittedRun": "submissions.fitted_run", "Run": "uglyduck.run.run"}


class _OwnPackages:
    """Finds our packages next to this one, whatever the working folder contains (a features.py, say)."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG004
        """See `importlib.abc.MetaPathFinder`."""
        return PathFinder.find_spec(name, [str(_HOME)]) if name in _PACKAGES else None


def _refuse_others() -> None:
    for name in _PACKAGES & set(sys.modules):
        file = getattr(sys.modules[name], "__file__", None)
        if file is None or not Path(file).is_relative_to(_HOME):
            message = f"another module {name!r} is imported already ({file}): import uglyduck before it, or rename it"
            raise ImportError(message)


_refuse_others()
sys.meta_path.insert(0, _OwnPackages)


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for: `import uglyduck` alone loads nothing heavy."""
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    globals()[name] = found = getattr(import_module(_HOMES.get(name, "uglyduck.interface")), name)
    return found
