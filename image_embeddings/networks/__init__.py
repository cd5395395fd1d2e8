"""Networks: building, training and scoring. Everything here needs the extra `images`: torch, torchvision, timm."""

import os
from importlib.util import find_spec

from engine.errors import InputError

if missing := [name for name in ("torch", "torchvision", "timm", "safetensors") if find_spec(name) is None]:
    raise InputError(
        f"networks need {', '.join(missing)}, not installed here",
        where="images",
        remedy="install them: pip install torch torchvision timm safetensors; descriptors need none of it",
    )

# On some processors MKL divides long sums among threads, so that a score's last bits depend on their number. Its strict
# reproducible mode avoids this. The variable is read at the first matrix product.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

from image_embeddings.networks import torchvision_loading

torchvision_loading.load()
