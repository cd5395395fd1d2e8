"""AutoGluon in an environment of its own: `python autogluon_peer.py FOLDER SECONDS`, fitted.npz to scores.npy in it."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd


def main(folder: Path, seconds: float) -> None:
    """Its best preset on all cores, each model bagged and stacked, for the area under the curve."""
    given = np.load(folder / "fitted.npz")
    train, score = (pd.DataFrame(given[name]).add_prefix("c") for name in ("train", "score"))
    tabular = import_module("autogluon.tabular")
    predictor = tabular.TabularPredictor("target", path=str(folder / "models"), eval_metric="roc_auc", verbosity=1)
    predictor.fit(
        train.assign(target=given["target"].astype(int)),
        presets="best_quality",
        time_limit=seconds,
        dynamic_stacking=False,
    )
    np.save(folder / "scores.npy", predictor.predict_proba(score)[1].to_numpy())


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
