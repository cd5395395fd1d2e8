"""The image stage: descriptors per second, how little applying costs, memory, and figures on real crops.

Models of real crops take minutes (descriptors) to two hours (a network on two CPU cores). They are kept in the folder
that the environment variable UGLYDUCK_IMAGE_MODELS names, where a training that was cut off resumes the next time.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from cohort.frames import join_by_id
from cohort.stores.hdf5 import Hdf5Store
from cohort.stores.protocol import Crop
from cv_folds.formats import difference, estimate, with_interval
from features import DEFAULT_GROUPS
from tests.benches.performance import DOCUMENT, measure, record

pytestmark = pytest.mark.bench
SIDE = 128
REAL = DOCUMENT.with_name("images-real.md")


def painted(count: int) -> list[np.ndarray]:
    """Lesion-like crops of the median size: a disc on skin with grain."""
    chance = np.random.default_rng(0)
    axis = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    distance = np.hypot(axis[:, None], axis[None, :])
    crops = []
    for _ in range(count):
        lesion = distance < chance.uniform(0.15, 0.6)
        picture = np.where(lesion[:, :, None], chance.integers(60, 150, 3), (205, 160, 135))
        crops.append(np.clip(picture + chance.normal(0, 8, picture.shape), 0, 255).astype(np.uint8))
    return crops


def write_store(path: Path, count: int) -> Path:
    pictures = painted(64)
    encoded = []
    for picture in pictures:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=85)
        encoded.append(np.bytes_(buffer.getvalue()))
    with h5py.File(path, "w") as file:
        for place in range(count):
            file[f"ISIC_{place:07}"] = encoded[place % len(encoded)]
    return path


class Memory:
    """Crops that are decoded already, as an image store."""

    def __init__(self, pictures: Sequence[np.ndarray]) -> None:
        self.path = Path("memory")
        self.pictures = pictures
        self.ids = [f"ISIC_{place:07}" for place in range(len(pictures))]

    def read(self, isic_id: str) -> Crop:
        return Crop(isic_id, self.pictures[int(isic_id[5:])], 3000)

    def close(self) -> None:
        pass


def best(*works: Callable[[], object], repeats: int = 5) -> list[float]:
    """Shortest run of each work in seconds, taken in turn, so that what else the machine does disturbs all alike."""
    times: list[list[float]] = []
    for _ in range(repeats):
        times.append([])
        for work in works:
            start = time.perf_counter()
            work()
            times[-1].append(time.perf_counter() - start)
    return [min(column) for column in zip(*times, strict=True)]


def test_descriptors_per_second(tmp_path: Path) -> None:
    from engine.executors import LocalExecutor
    from image_embeddings.descriptors.table import describe

    count = 24_576
    store = Hdf5Store(write_store(tmp_path / "crops.hdf5", count))
    ids = list(store.ids)
    rows = []
    for workers in (1, 2):
        before = processor_seconds()
        (seconds,) = best(lambda workers=workers: describe(store, ids, executor=LocalExecutor(workers)), repeats=2)
        used = (processor_seconds() - before) / 2
        rows.append([str(workers), f"{count / seconds:,.0f}", f"{count / used:,.0f}"])
    record(
        "Descriptors",
        f"{count:,} simulated JPEG crops of {SIDE} px from HDF5, decoding and start of the processes included. Other "
        "work on the machine shows in the first rate, hardly in the second.",
        ["processes", "crops a second", "crops a second of processor time"],
        rows,
    )
    assert float(rows[1][1].replace(",", "")) >= 1000


def processor_seconds() -> float:
    """Of this process and of those it started that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


@pytest.mark.parametrize(
    ("name", "device"),
    [("tiny", "cpu"), ("efficientnet_b0", "cpu"), ("convnextv2_nano", "cuda"), ("eva02_small_336", "cuda")],
)
def test_apply_against_the_bare_network(name: str, device: str) -> None:
    import torch

    from image_embeddings.labels import Classes
    from image_embeddings.networks.device import Device
    from image_embeddings.networks.network import build
    from image_embeddings.networks.scoring import BATCH, ScoringOptions, score
    from image_embeddings.presets import PRESETS

    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    preset = PRESETS[name].model_copy(update={"flips": 1})
    place = Device.choose(device)
    network = place.place(build(preset, Classes(("benign", "malignant"), (False, True)))).eval()
    # About ten crops of 384 px a second on two cores.
    count, repeats = (BATCH, 3) if name == "efficientnet_b0" else (BATCH * 16, 9)
    pictures = [np.asarray(Image.fromarray(picture).resize((preset.size, preset.size))) for picture in painted(BATCH)]
    store = Memory([pictures[row % BATCH] for row in range(count)])
    batch = place.pixels(torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy()))

    def bare() -> None:
        with torch.inference_mode(), place.autocast():
            for _ in range(count // BATCH):
                logits = network(batch).logits
            logits.cpu()

    def applied() -> None:
        score([network], store, store.ids, np.arange(count), ScoringOptions(preset, place))

    bare()  # the first run compiles and allocates
    rates = [count / seconds for seconds in best(bare, applied, repeats=repeats)]
    record(
        f"Applying {name} on {device}",
        f"{count:,} crops already decoded, at {preset.size} px, one view.",
        ["", "images a second"],
        [["bare network", f"{rates[0]:,.1f}"], ["apply", f"{rates[1]:,.1f}"], ["ratio", f"{rates[1] / rates[0]:.3f}"]],
    )
    assert rates[1] / rates[0] >= 0.9


@pytest.mark.parametrize("size", [224, 128])
def test_apply_against_the_bare_network_with_decoding(size: int, tmp_path: Path) -> None:
    import torch

    from image_embeddings.labels import Classes
    from image_embeddings.networks.device import Device
    from image_embeddings.networks.network import build
    from image_embeddings.networks.scoring import BATCH, ScoringOptions, score
    from image_embeddings.presets import PRESETS

    preset = PRESETS["efficientnet_lite0"].model_copy(update={"flips": 1, "size": size})
    place = Device.choose("cpu")
    network = place.place(build(preset, Classes(("benign", "malignant"), (False, True)))).eval()
    count = BATCH * (4 if size > SIDE else 12)
    store = Hdf5Store(write_store(tmp_path / "crops.hdf5", count))
    batch = place.pixels(torch.zeros((BATCH, 3, size, size), dtype=torch.uint8))

    def bare() -> None:
        with torch.inference_mode(), place.autocast():
            for _ in range(count // BATCH):
                network(batch).logits.cpu()

    def applied() -> None:
        score([network], store, list(store.ids), np.arange(count), ScoringOptions(preset, place))

    bare()  # the first run compiles and allocates
    rates = [count / seconds for seconds in best(bare, applied, repeats=5)]
    record(
        f"Applying efficientnet_lite0 at {size} px on a CPU, decoding included",
        f"{count:,} JPEG crops of {SIDE} px from HDF5, one view, against the same number of crops that are ready.",
        ["", "images a second"],
        [["bare network", f"{rates[0]:,.1f}"], ["apply", f"{rates[1]:,.1f}"], ["ratio", f"{rates[1] / rates[0]:.3f}"]],
    )
    assert rates[1] / rates[0] >= 0.9


def test_memory_does_not_grow_with_the_crops(tmp_path: Path) -> None:
    script = (
        "import sys, numpy as np, torch; torch.set_num_threads(1)\n"
        "from pathlib import Path\n"
        "from cohort.stores.hdf5 import Hdf5Store\n"
        "from image_embeddings.labels import Classes\n"
        "from image_embeddings.networks.device import Device\n"
        "from image_embeddings.networks.network import build\n"
        "from image_embeddings.networks.scoring import ScoringOptions, score\n"
        "from image_embeddings.presets import PRESETS\n"
        "store = Hdf5Store(Path(sys.argv[1])); preset = PRESETS['tiny']\n"
        "network = build(preset, Classes(('benign', 'malignant'), (False, True)))\n"
        "score([network], store, store.ids, np.arange(len(store.ids)), ScoringOptions(preset, Device('cpu')))\n"
    )
    rows = []
    for count in (2_000, 8_000, 20_000):
        store = write_store(tmp_path / f"{count}.hdf5", count)
        measured = measure(sys.executable, "-c", script, store)
        rows.append([f"{count:,}", f"{measured.seconds:.1f}", f"{measured.peak_gb:.3f}"])
    record("Memory of applying tiny on a CPU", "Simulated crops from HDF5.", ["crops", "seconds", "peak GB"], rows)
    assert float(rows[-1][2]) < 1.1 * float(rows[0][2])


def test_the_descriptor_command_is_bounded_too(tmp_path: Path) -> None:
    rows = []
    for count in (2_000, 20_000):
        store = write_store(tmp_path / f"{count}.hdf5", count)
        code = (
            "import sys; from uglyduck.commands.images import images\n"
            f"if __name__ == '__main__': images(['describe','--images',{str(store)!r},'--cores','1','--out',"
            f"{str(tmp_path / 'd.parquet')!r}])"
        )
        measured = measure(sys.executable, "-c", code)
        rows.append([f"{count:,}", f"{measured.seconds:.1f}", f"{measured.peak_gb:.3f}"])
    record(
        "Memory of `images describe`", "Simulated crops from HDF5, one process.", ["crops", "seconds", "peak GB"], rows
    )
    # 250 float32 descriptors a crop stay: 18 MB more for 18,000 crops, twice over while the table is put together.
    assert float(rows[1][2]) - float(rows[0][2]) < 0.1


# Figures on real data, which is not part of the project.


def models(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("UGLYDUCK_IMAGE_MODELS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def train(*arguments: object) -> None:
    command = [sys.executable, "-m", "uglyduck", "images", "train", *map(str, arguments), "--cores", "2"]
    subprocess.run(command, check=True)


def figures(result: dict[str, Any]) -> list[list[str]]:
    """A row for each score, pooled out of fold, with 95 % intervals."""
    return [
        [name, *(f"{m['estimate']:.4f} ({m['low']:.4f} to {m['high']:.4f})" for m in views["pooled"].values())]
        for name, views in result["scores"].items()
    ]


#: By the networks that take part which image models are joined with the table, and how.
_TRIED: dict[tuple[str, ...], tuple[tuple[tuple[str, ...], str], ...]] = {
    ("network",): (
        (("descriptors",), "early"),
        (("descriptors",), "both"),
        (("descriptors",), "late"),
        (("network",), "late"),
        (("descriptors", "network"), "late"),
    ),
    ("transformer",): (
        (("descriptors",), "late"),
        (("transformer",), "late"),
        (("descriptors", "transformer"), "late"),
    ),
    ("network", "transformer"): (
        (("descriptors",), "late"),
        (("network", "transformer"), "late"),
        (("descriptors", "network", "transformer"), "late"),
    ),
}
_HOSPITAL = ("AUC within", "hospital's share")
CROPS_HEADER = ["score", "pAUC above 80 % sensitivity", "AUC", "sensitivity at 88.3 % specificity", *_HOSPITAL]


#: What both trainings of the transformer share: DINOv2's ViT-S/14, its first half as it was pretrained.
_TRANSFORMER = (
    *("--backbone", "vit_small_patch14_dinov2", "--size", 98, "--set", "fixed_size=true", "--set", "frozen_stages=6"),
    *("--set", "weight_decay=0.05", "--set", "ema=0.98", "--set", "drop_path=0.1"),
)
#: Settings of networks that tell HAM10000's seven diagnoses.
_ON_HAM10000: dict[str, tuple[object, ...]] = {
    "mobilenet_v1_025": ("--preset", "mobilenet_v1_025", "--epochs", 12),
    "efficientnet_lite0": (
        *("--preset", "efficientnet_lite0", "--labels", "diagnosis", "--epochs", 12, "--set", "size=192"),
        *("--set", "benign_ratio=3", "--set", "augmentation=standard", "--set", "flips=4"),
    ),
    "transformer": (
        *(*_TRANSFORMER, "--labels", "diagnosis", "--epochs", 3, "--set", "learning_rate=2e-4"),
        *("--set", "benign_ratio=2", "--set", "flips=1", "--set", "augmentation=standard"),
        *("--n-folds", 2, "--policy", "refit"),
    ),
}
#: Their first weights, of those that have none installed.
_FIRST_WEIGHTS = {
    "mobilenet_v1_025": "imagenet_mobilenet_v1_025/mobilenet_v1_025_224.npz",
    "transformer": "dinov2_vits14/dinov2_vits14_imgfocus.safetensors",
}
#: Networks of the crops: which of these each starts from, and its settings. Passes, balance and changes are those of
#: our own recipe for fine-tuning.
_RECIPES: dict[str, tuple[str, tuple[object, ...]]] = {
    "network": ("efficientnet_lite0", ("--preset", "efficientnet_lite0", "--set", "view=0.8", "--set", "flips=4")),
    "transformer": (
        "transformer",
        (*_TRANSFORMER, "--set", "learning_rate=1e-4", "--set", "view=0.8", "--set", "flips=4"),
    ),
}


def of_ham10000(name: str, folder: Path, real_data: Path) -> Path:
    """The model folder of a network of HAM10000."""
    data, out = real_data / "ham10000", folder / f"ham10000-{name}"
    first = ["--weights", real_data / _FIRST_WEIGHTS[name]] if name in _FIRST_WEIGHTS else []
    tables = ["--metadata", data / "HAM10000_metadata.csv", "--images", data / "train-image.hdf5"]
    train(*tables, *_ON_HAM10000[name], *first, "--out", out)
    return out


_ABOUT = {
    "network": "`network` is `efficientnet_lite0`, its first three stages as ImageNet left them, trained on four fifths"
    " of HAM10000 (12 epochs at 192 px, seven diagnoses), then on these crops (the middle 80 % at 160 px, 40 epochs,"
    " one benign crop drawn for each malignant one); its pixels and frozen stages, too, were chosen after others had"
    " been tried on these crops.",
    "transformer": "`transformer` is DINOv2's ViT-S/14, whose patches and first six of twelve blocks stay as they are,"
    " trained on HAM10000 (three epochs), then on these crops (the middle 80 % at 98 px, 40 epochs, one benign crop"
    " drawn for each malignant one).",
}


def record_slice3d(folder: Path, networks: list[str], hospital: pl.DataFrame) -> dict[str, list[str]]:
    """Compare the descriptors in `folder` with networks, write the table, and return its rows by score.

    Args:
        folder: Of the model folders.
        networks: Names of recipes.
        hospital: isic_id, attribution.
    """
    from image_embeddings.combining import combined
    from image_embeddings.measuring import measure
    from image_embeddings.spec import Spec
    from submissions.image_score import blended_images

    names = ("descriptors", *networks)
    assert len({Spec.read(folder / name).folds_sha256 for name in names}) == 1
    folds = pl.read_parquet(folder / "descriptors" / "folds.parquet")
    scores = {
        name: join_by_id(folds.select("isic_id"), pl.read_parquet(folder / name / "oof.parquet"))["score"].to_numpy()
        for name in names
    }
    together = combined(list(scores.values()), list(scores.values()))
    blended = blended_images(scores, folds["target"].to_numpy(), folds["fold"].to_numpy())[0]
    scores |= {"combined": together, "blended": blended}
    result = measure(folds, scores)
    rows = [[*cells, *_hospital(scores[cells[0]], folds, hospital)] for cells in figures(result)]
    less = {f"{name} less descriptors": list(each.values()) for name, each in result["differences"].items()}
    rows += [[name, *map(difference, each), "", ""] for name, each in less.items()]
    record(
        f"SLICE-3D crops, {' and '.join(networks)}",
        f"{result['lesions']:,} real crops, {result['malignant']} malignant, five patient folds, out of fold, 10,000 "
        f"patient replicates. {' '.join(_ABOUT[name] for name in networks)} Passes, balance and changes are modelled "
        "on published entries, chosen after [other settings](images.md#networks) had been tried on these crops; "
        "the first fold was looked at before going on. `combined` is the mean normal score with equal weights, as "
        "`images compare` and `images apply` have it; `blended` has weights fitted on the other folds, as the image "
        "score of a run has. Descriptors and their settings were chosen on crops among these. The last columns are the "
        "mean AUC within the hospitals that have 10 crops of either class, and how much of what the AUC has above "
        "chance is the hospital ([UD217](checks.md)).",
        CROPS_HEADER,
        rows,
        document=REAL,
    )
    return {row[0]: row for row in rows}


def _hospital(score: np.ndarray, folds: pl.DataFrame, hospital: pl.DataFrame) -> list[str]:
    from cv_folds.hospital_share import hospital_share

    rows = folds.join(hospital, on="isic_id", how="left", maintain_order="left")
    found = hospital_share(rows, score, rows["attribution"], replicates=1_000)
    assert found is not None
    return [estimate(found["within"]), f"{100 * max(found['share'], 0):.1f} %"]


def test_real_slice3d_crops(real_data: Path, tmp_path: Path) -> None:
    folder, data = models(tmp_path), real_data / "slice3d"
    crops = ["--metadata", data / "crops.csv", "--images", data / "train-image.hdf5"]
    train(*crops, "--out", folder / "descriptors")
    folds = ["--folds", folder / "descriptors" / "folds.parquet"]
    hospital = pl.read_csv(data / "crops.csv", columns=["isic_id", "attribution"])
    for name, (start, settings) in _RECIPES.items():
        before = of_ham10000(start, folder, real_data)
        train(*crops, *folds, *settings, "--weights", before, "--out", folder / name)
        rows = record_slice3d(folder, [name], hospital)
        assert float(rows["descriptors"][1].split()[0]) >= 0.15
        assert float(rows[name][1].split()[0]) >= 0.135
    record_slice3d(folder, list(_RECIPES), hospital)


#: The report's own settings, but for what two cores and no first weights at hand demand.
_STUDENT = (
    *("--preset", "resnet50_vgg", "--n-folds", 2, "--epochs", 20, "--set", "size=96", "--set", "benign_ratio=3"),
    *("--set", "learning_rate=1e-4", "--set", "frozen_stages=0"),
)


def test_the_student_reports_network(real_data: Path, tmp_path: Path) -> None:
    folder, data = models(tmp_path), real_data / "slice3d"
    crops = ["--metadata", data / "crops.csv", "--images", data / "train-image.hdf5"]
    train(*crops, "--out", folder / "descriptors")
    train(*crops, *_STUDENT, "--out", folder / "student")
    record_student(folder)


def record_student(folder: Path) -> None:
    """Write the five rates of the report's table, of its network and of what else was scored on the same crops."""
    known = pl.read_parquet(folder / "descriptors" / "folds.parquet").select("isic_id", "target")
    rows = []
    for name in ("student", "descriptors", *_RECIPES):
        if (place := folder / name / "oof.parquet").exists():
            found = known.join(pl.read_parquet(place), on="isic_id", validate="1:1")
            target, score = found["target"].to_numpy(), found["score"].to_numpy()
            at = float(np.quantile(score[target == 0], 0.883))
            rows.append([name, f"{roc_auc_score(target, score):.4f}", *five_rates(target, score > at)])
            if name == "student":
                rows.append(["student, above a half", "", *five_rates(target, score > 0.5)])
    record(
        "The student report's network",
        f"{len(known):,} real crops, out of fold; `student` is `resnet50_vgg`: its network, augmentation, CLAHE"
        " and tenfold weight of malignant lesions. Cut short: 96 px instead of 224, two folds, 20 epochs instead of 100"
        " with patience 20, three benign crops for each malignant one, and random first weights, since ImageNet's are"
        " not at hand: so no stage is frozen, and the rate was raised from 1e-5 to 1e-4. So this is not what the"
        " report's network can reach. A lesion is called malignant above the score that leaves 88.3 % of the benign"
        " ones below it; accuracy, precision and F1 hold for this share of malignant crops.",
        ["score", "AUC", "accuracy", "precision", "sensitivity", "specificity", "F1"],
        rows,
        document=REAL,
    )


def five_rates(target: np.ndarray, called: np.ndarray) -> list[str]:
    """Accuracy, precision, sensitivity, specificity and F1."""
    rates = (
        accuracy_score(target, called),
        precision_score(target, called, zero_division=np.nan),
        recall_score(target, called),
        recall_score(target, called, pos_label=0),
        f1_score(target, called),
    )
    return [f"{rate:.3f}" for rate in rates]


def test_what_an_extra_table_adds(real_data: Path, tmp_path: Path) -> None:
    folder, data = models(tmp_path), real_data / "slice3d"
    crops = ["--metadata", data / "crops.csv", "--images", data / "train-image.hdf5"]
    other = real_data / "ham10000"
    extra = ["--extra-metadata", other / "HAM10000_metadata.csv", "--extra-images", other / "train-image.hdf5"]
    train(*crops, "--out", folder / "descriptors")
    train(*crops, *extra, "--out", folder / "descriptors-ham10000")
    record_extra(folder)


def record_extra(folder: Path) -> None:
    """Write what descriptors gain from HAM10000's images."""
    from image_embeddings.comparing import compare_models

    result = compare_models([folder / "descriptors", folder / "descriptors-ham10000"])
    (alone, more), learnt = figures(result)[:2], pl.read_parquet(folder / "descriptors-ham10000" / "extra.parquet")
    gain = ["difference", *map(difference, result["differences"]["descriptors-ham10000"].values())]
    record(
        "What an extra table adds",
        f"Descriptors of the {result['lesions']:,} SLICE-3D crops, out of fold in five patient folds, learnt from them "
        f"alone, and from HAM10000's {len(learnt):,} dermoscopic images as well (`[images.NAME.extra.TABLE]`).",
        ["learnt from", *CROPS_HEADER[1 : -len(_HOSPITAL)]],
        [["crops alone", *alone[1:]], ["and HAM10000", *more[1:]], gain],
        document=REAL,
    )


def test_table_image_and_both_on_real_lesions(real_data: Path, tmp_path: Path) -> None:
    for networks in _TRIED:
        record_both(models(tmp_path), real_data / "slice3d" / "rows_with_crops.csv", tmp_path, networks)


def record_both(folder: Path, metadata: Path, scratch: Path, networks: tuple[str, ...]) -> None:
    """Runs on real lesions with row and crop, by image model and fusion; image scores are out of fold."""
    together = pl.read_parquet(folder / "descriptors" / "oof.parquet").rename({"score": "descriptors"})
    for name in networks:
        other = pl.read_parquet(folder / name / "oof.parquet").rename({"score": name})
        together = together.join(other, on="isic_id", validate="1:1")
    rows: dict[Path, list[str]] = {}
    for names, fusion in _TRIED[networks]:
        run = scratch / f"{'-'.join(names)}-{fusion}"
        together.select("isic_id", *names).write_parquet(scratch / "scores.parquet")
        run.with_suffix(".toml").write_text(
            f'[data]\nmetadata = "{metadata}"\nimage_scores = "{scratch}/scores.parquet"\n'
            f'[ensemble]\nfusion = "{fusion}"\n'
        )
        command = [sys.executable, "-m", "uglyduck", "run", run.with_suffix(".toml"), "--out", run]
        subprocess.run(command, check=True)
        rows[run] = [" and ".join(names), fusion, *_both(run)]
    gains = _less_descriptors([run for run, row in rows.items() if row[1] == "late"], scratch / "compared")
    write_both([[*row, gains.get(run.name, "")] for run, row in rows.items()], " and ".join(networks))
    assert all(float(row[-1].split("(")[1].split()[0]) > 0 for row in rows.values() if row[1] == "late")


def _less_descriptors(late: Sequence[Path], out: Path) -> dict[str, str]:
    """By name what a run has above the first, that with descriptors alone; the interval is of fitted models."""
    subprocess.run([sys.executable, "-m", "uglyduck", "compare", *late, "--out", out], check=True)
    found = json.loads((out / "comparison.json").read_text("utf-8"))["rows"]
    return {row["name"]: difference(row["difference"]) for row in found}


def write_both(rows: list[list[str]], networks: str) -> None:
    """Write the table of what the table, crops and both reach."""
    record(
        f"Table, image, both: {networks}",
        "1,677 real lesions with row and crop, 302 malignant, five patient folds, out of fold, 10,000 patient "
        "replicates; default features and learners. Image scores are those of the tables above, from models trained on "
        "all 9,926 crops but the patient's fold. How crops join is [fusion](ensemble.md). The last column is both less "
        "both of descriptors, joined late.",
        ["image models", "fusion", "table alone", "image alone", "both", "both less table", "less descriptors'"],
        rows,
        document=REAL,
    )


def test_embeddings_on_real_lesions(real_data: Path, tmp_path: Path) -> None:
    network, metadata = models(tmp_path) / "network", real_data / "slice3d" / "rows_with_crops.csv"
    groups = json.dumps([*(group for group in DEFAULT_GROUPS if not group.startswith("image")), "image"])
    (tmp_path / "run.toml").write_text(
        f'[data]\nmetadata = "{metadata}"\nimage_scores = "{network}/embeddings.parquet"\n'
        f'[features]\ngroups = {groups}\n[ensemble]\nfusion = "early"\n'
    )
    command = [sys.executable, "-m", "uglyduck"]
    subprocess.run([*command, "run", tmp_path / "run.toml", "--out", tmp_path / "run"], check=True)
    left_out = ["--groups", "image.embedding,image", "--leave-out", "--repeats", "5", "--out", "embeddings"]
    subprocess.run([*command, "ablate", tmp_path / "run", *left_out], check=True)
    record_embeddings(tmp_path / "run" / "ablation" / "embeddings" / "ablation.json")


def record_embeddings(report: Path, network: str = "`network`") -> None:
    """Write what a run loses without what it knows of embeddings."""
    found = json.loads(report.read_text("utf-8"))
    rows = [[row["name"], with_interval(row["pauc"]), difference(row["difference"])] for row in found["rows"]]
    record(
        "What embeddings add",
        f"1,677 real lesions of 505 patients (the median patient has 2) with row and crop, 302 malignant; scores and "
        f'embeddings of {network} as columns of the learners (`fusion = "early"`); five repetitions of the folds, '
        "intervals of recipes. `image.embedding` says how far a lesion's embedding lies from its patient's others, "
        "which few have here. It is not built by default.",
        ["features", "pAUC", "minus all"],
        [["all", with_interval(found["baseline"]["pauc"]), ""], *rows],
        document=REAL,
    )
    gains = {row["name"]: row["difference"] for row in found["rows"]}
    assert not gains["without image.embedding"]["distinguishable"], "embeddings have a say: build them by default"


def _both(run: Path) -> list[str]:
    """The pAUC of the table, of crops and of both in a run, and the paired gain."""
    found = json.loads((run / "metrics.json").read_text("utf-8"))
    scores = {name: views["pooled"]["pauc"] for name, views in found["scores"].items()}
    cells = [
        f"{scores[name]['estimate']:.4f} ({scores[name]['low']:.4f} to {scores[name]['high']:.4f})"
        if name in scores
        else ""
        for name in ("table", "crops", "blend")
    ]
    gain = next(pair["difference"]["pauc"] for pair in found["comparisons"] if pair["second"] == "table")
    return [*cells, f"{gain['estimate']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f})"]


#: Networks of HAM10000 out of fold: how the section is called and speaks of it.
_HAM10000 = {
    "mobilenet_v1_025": ("HAM10000", "12 epochs"),
    "efficientnet_lite0": (
        "HAM10000, EfficientNet-Lite0",
        "first three stages as they were, at 192 px, 3 benign images a malignant one, 12 epochs, chosen on fold 0",
    ),
}


@pytest.mark.parametrize("preset", _HAM10000)
def test_real_ham10000_images(preset: str, real_data: Path, tmp_path: Path) -> None:
    record_ham10000(preset, of_ham10000(preset, models(tmp_path), real_data))


def record_ham10000(preset: str, folder: Path) -> None:
    """Write the figures of a model of HAM10000."""
    result = json.loads((folder / "metrics.json").read_text("utf-8"))
    (title, how), accuracies = _HAM10000[preset], ("balanced_accuracy", "accuracy")
    row = [*figures(result)[0][1:3], *(with_interval(result["classes"][name]) for name in accuracies)]
    record(
        title,
        f"{result['lesions']:,} real dermoscopic images, one a lesion, stored at 128 px, 5 folds, out of fold; "
        f"`{preset}` from ImageNet weights, {how}, seven diagnoses. Malignant are mel, bcc and akiec.",
        ["pAUC above 80 % sensitivity", "AUC", "balanced accuracy of seven", "accuracy of seven"],
        [row],
        document=REAL,
    )
