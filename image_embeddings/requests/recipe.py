"""What a training request says about the recipe: the preset, its settings and the first weights."""

from __future__ import annotations

from pathlib import Path

from engine.console import log
from engine.errors import InputError
from image_embeddings.backend import ALL, fold_part
from image_embeddings.installed_weights import PACKAGE, installed_weights
from image_embeddings.presets import HEAD_SETTINGS, SIGHT, Preset, changed, for_backbone, preset_named
from image_embeddings.requests.models import TrainRequest
from image_embeddings.spec import Spec, check_files

DESCRIPTORS, FROZEN = "descriptors", "frozen"


def preset_of(request: TrainRequest) -> Preset | None:
    """`recipe_of`, with the normalisation that a frozen backbone was pretrained with.

    Raises:
        InputError: As in `recipe_of`.
    """
    preset = recipe_of(request)
    if preset is None or not preset.head_alone:
        return preset
    from image_embeddings.frozen.features import normalised  # noqa: PLC0415 - torch is an optional extra

    return normalised(preset)


def recipe_of(request: TrainRequest) -> Preset | None:
    """The preset with the request's changes; None for descriptors. Needs no torch.

    Raises:
        InputError: No such preset or setting, both a preset and a backbone, or settings that change nothing.
    """
    if request.backbone and request.preset not in {None, FROZEN}:
        raise InputError("both a preset and a backbone", where="backbone", remedy=f"give one, or the preset {FROZEN}")
    settings: dict[str, object] = dict(request.settings)
    if request.backbone is None and (request.preset or DESCRIPTORS) == DESCRIPTORS:
        if settings:
            raise InputError(
                f"descriptors have no {min(settings)}",
                where=min(settings),
                remedy="leave it out, or name a network with preset or backbone",
            )
        return None
    if request.clahe:
        settings["clahe"] = True
    base = _unchanged(request)
    preset = changed(base, settings)
    _refuse_unused(request, base, preset)
    return preset


def _unchanged(request: TrainRequest) -> Preset:
    if request.backbone is None:
        return preset_named(request.preset or DESCRIPTORS)
    return for_backbone(request.backbone, size=request.size, head_alone=request.preset == FROZEN)


def _refuse_unused(request: TrainRequest, base: Preset, preset: Preset) -> None:
    """Refuse settings that change nothing: of training if only a head is fitted, of a head if there is none.

    Raises:
        InputError: There is one.
    """
    different = {name for name in Preset.model_fields if getattr(base, name) != getattr(preset, name)} - {"head_alone"}
    if not preset.head_alone:
        what, unused = "a network that is trained", different & HEAD_SETTINGS
    else:
        what, unused = "a head on frozen features", different - HEAD_SETTINGS - SIGHT
        unused |= {name for name, given in (("repeats", request.repeats > 1), ("reduce", request.reduce_to)) if given}
    if unused:
        raise InputError(f"{what} has no {min(unused)}", where=f"preset {preset.name}", remedy="leave it out")


def check_first_weights(request: TrainRequest, preset: Preset | None) -> None:
    """Refuse a request whose first weights contradict the rest of it.

    Raises:
        InputError: They do.
    """
    weights, download = request.weights, request.download
    if preset is None and (weights or download):
        raise InputError(
            "descriptors have no weights",
            where="weights" if weights else "download",
            remedy="leave it out, or name a network with preset or backbone",
        )
    if weights and download:
        raise InputError("both a weights file and a download", where="download", remedy="give one of them")


def with_first_weights(request: TrainRequest, preset: Preset | None) -> TrainRequest:
    """The request, with weights from an installed package if it names none.

    If there are none there either, a log line says where to get weights.

    Raises:
        InputError: As in `check_first_weights`, or the named folder holds no network.
    """
    check_first_weights(request, preset)
    weights, download = request.weights, request.download
    if preset is None:
        return request
    if weights is not None and weights.is_dir():
        return request.model_copy(update={"weights": _weights_in(weights)})
    if weights or download or preset.name == "tiny":
        return request
    if (installed := installed_weights(preset.backbone)) is not None:
        log.info("first weights: ImageNet's, from the installed package %s", PACKAGE)
        return request.model_copy(update={"weights": installed})
    log.warning(
        "first weights are random; %s can start from %s (%s): give them as weights, or set download",
        *(preset.name, preset.backbone, preset.weights),
    )
    return request


def _weights_in(folder: Path) -> Path:
    """The network of another model folder to start from: the one fitted on all its lesions, else its first fold's.

    Raises:
        InputError: Not a folder of a network, or its files were changed.
    """
    spec = Spec.read(folder)
    if spec.kind != "network":
        raise InputError(
            f"no network was trained here ({spec.kind})", where=f"weights {folder}", remedy="give a network's folder"
        )
    check_files(folder, spec)
    part = ALL if spec.policy == "refit" else fold_part(0)
    log.info("first weights: %s of %s", part, folder)
    return folder / f"{part}.safetensors"
