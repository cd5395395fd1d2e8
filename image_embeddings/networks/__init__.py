"""Networks: building, training and scoring. Everything here needs the optional extra `images` (torch, timm)."""

from engine.errors import InputError

try:
    import torch  # noqa: F401 - only to say clearly that it is missing
except ImportError as error:
    raise InputError(
        "networks need torch and timm", where="images", remedy="install them: pip install 'uglyduck[images]'"
    ) from error

from image_embeddings.networks import torchvision_loading

torchvision_loading.load()
