"""Networks: building, training and scoring. Everything here needs the extra `images`: torch, torchvision, timm."""

from importlib.util import find_spec

from engine.errors import InputError

if missing := [name for name in ("torch", "torchvision", "timm", "safetensors") if find_spec(name) is None]:
    raise InputError(
        f"networks need {', '.join(missing)}, not installed here",
        where="images",
        remedy="install what networks need: pip install 'uglyduck[images]'; descriptors need none of it",
    )

from image_embeddings.networks import torchvision_loading

torchvision_loading.load()
