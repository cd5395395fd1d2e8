"""The files of a finished run that scoring new lesions needs, and none that holds a training lesion."""

from __future__ import annotations

from pathlib import Path

from engine.files import read_json
from uglyduck.run.config import ComputeConfig, Config, ImagesConfig
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
    sections = {name: getattr(config, name) for name in ("data", "images")}
    cut = {
        name: section.model_copy(
            update={
                field: Path(value.name)
                for field in type(section).model_fields
                if isinstance(value := getattr(section, field), Path)
            }
        )
        for name, section in sections.items()
    }
    cut["images"] = cut["images"].model_copy(update={"device": ImagesConfig().device})
    return config.model_copy(update={**cut, "compute": ComputeConfig()})
