"""The files of a finished run that scoring new lesions needs, and none that holds a training lesion."""

from __future__ import annotations

from pathlib import Path

from engine.files import read_json
from uglyduck.run.config import ComputeConfig, Config, with_paths
from uglyduck.run.run import Run
from uglyduck.stages.running import STAGES


def files_to_score(run: Run) -> dict[str, Path]:
    """Files by their path in the run folder, each the one the run wrote; without the configuration.

    Raises:
        InputError: One is missing, was changed, or is older than what it was made from.
    """
    made = read_json(run.folder.manifest)["stages"]
    outputs = (name for stage in STAGES if stage.name in made for name in made[stage.name]["outputs"])
    # Every table of a run is of training lesions.
    names = sorted(name for name in outputs if not name.endswith(".parquet"))
    files = {name: run.folder.root / name for name in names}
    run.manifest.check(*files.values())
    return {"manifest.json": run.folder.manifest, **files}


def prior(run: Run) -> float:
    """Share malignant among the training lesions, 0 to 1."""
    run.manifest.check(run.folder.metrics)
    measured = next(iter(read_json(run.folder.metrics)["scores"].values()))
    return float(measured["malignant"] / measured["lesions"])


def without_places(config: Config) -> Config:
    """The configuration for another machine: paths cut to file names, no cluster, and whatever device there is."""
    cut = with_paths(config, lambda path: Path(path.name))
    images = {name: model.model_copy(update={"device": "auto"}) for name, model in cut.images.items()}
    return cut.model_copy(update={"images": images, "compute": ComputeConfig()})
