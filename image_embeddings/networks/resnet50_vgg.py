"""The student report's network: ResNet50 without its fifth stage, and a small VGG-like head of its own."""

from __future__ import annotations

import timm
from torch import Tensor, nn

WIDTH = 512
_CHANNELS = ((1024, 32), (32, 64), (64, 64), (64, 128))


class ResNet50Vgg(nn.Module):
    """(batch, 3, size, size) to (batch, 512); the report's size is 224, for which the numbers below hold.

    ResNet50's stages one to four give 1024 × 14 × 14; four 3 × 3 convolutions with batch norm (294,944, 18,496, 36,928
    and 73,856 weights), average pooling to 7 × 7, dropout, flattening to 6,272 and a tanh layer of 512 (3,211,776)
    follow; the softmax layer (1,026) is the network's head.
    """

    num_features = WIDTH

    def __init__(self, drop_rate: float = 0.5, *, size: int = 224, download: bool = False) -> None:
        super().__init__()
        resnet = timm.create_model("resnet50", pretrained=download, num_classes=0)
        self.stages = nn.ModuleList(
            [
                nn.Sequential(resnet.conv1, resnet.bn1, resnet.act1, resnet.maxpool),
                resnet.layer1,
                resnet.layer2,
                resnet.layer3,
            ]
        )
        layers: list[nn.Module] = []
        for inputs, outputs in _CHANNELS:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        self.convolutions = nn.Sequential(*layers, nn.AvgPool2d(2))
        side = -(-size // 16) // 2  # the stages halve it four times, rounding up, the pooling once more, rounding down
        flat = side * side * _CHANNELS[-1][1]
        self.dense = nn.Sequential(nn.Dropout(drop_rate), nn.Flatten(), nn.Linear(flat, WIDTH), nn.Tanh())

    def forward(self, images: Tensor) -> Tensor:
        """Features of normalised images."""
        for stage in self.stages:
            images = stage(images)
        features: Tensor = self.dense(self.convolutions(images))
        return features


def from_resnet50(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The part of a ResNet50 checkpoint (timm's or torchvision's names) that this network keeps."""
    places = {
        "conv1": "stages.0.0",
        "bn1": "stages.0.1",
        "layer1": "stages.1",
        "layer2": "stages.2",
        "layer3": "stages.3",
    }
    kept = {}
    for name, value in state.items():
        first, _, rest = name.partition(".")
        if first in places:
            kept[f"{places[first]}.{rest}"] = value
    return kept
