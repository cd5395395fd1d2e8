"""What the image stage can be asked: requests that travel as JSON, so that another process can do them."""

from __future__ import annotations

from typing import Any

from engine.outputs import try_file, try_folder
from image_embeddings.requests.applying import apply, perturb
from image_embeddings.requests.models import ApplyRequest, PerturbRequest, Request, TrainRequest, read_request
from image_embeddings.requests.training import check, train

__all__ = ["ApplyRequest", "PerturbRequest", "Request", "TrainRequest", "answer", "read_request"]


def answer(request: Request) -> dict[str, Any]:
    """Do what is asked, in this process; `engine.progress.listening` receives its progress.

    Returns:
        Ready for JSON. Training: the figures (see `measure`), `model`, `ungrouped` and `missing`, the reason by id for
        each crop that could not be read; nothing if the request was only checked. Applying: `crops`, `missing` and
        `shift`. Perturbing: `crops` and `perturbations`.

    Raises:
        InputError: Tables, crops, folders or settings are wrong, `out` cannot be written, or torch is missing.
    """
    if isinstance(request, TrainRequest):
        try_folder(request.out)
        return check(request) if request.only_check else train(request)
    try_file(request.out)
    return apply(request) if isinstance(request, ApplyRequest) else perturb(request)
