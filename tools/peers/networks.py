"""The networks that are compared with PyTorch and ONNX Runtime: torchvision's, with weights from a seed.

    python networks.py FOLDER

writes FOLDER/NAME.pth, the state dict that this program reads, and FOLDER/NAME.onnx, the same network up to
the layer that is compared, for ONNX Runtime. What a step costs does not depend on the weights' values.
"""

import os
import sys
from pathlib import Path

import torch
import torchvision
from torch import nn

# name: the layer, and the modules up to it
NETWORKS = {
    "resnet50": ("layer3", lambda net: [net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2, net.layer3]),
    "vgg16": ("features.22", lambda net: net.features[:23]),
    "mobilenet_v2": ("features.13", lambda net: net.features[:14]),
    "efficientnet_b0": ("features.5", lambda net: net.features[:6]),
    "convnext_tiny": ("features.5", lambda net: net.features[:6]),
}
SIZE = (359, 640)


def seeded(name: str) -> nn.Module:
    torch.manual_seed(0)
    return getattr(torchvision.models, name)(weights=None).eval().requires_grad_(False)


def truncated(name: str) -> nn.Module:
    """The network up to the layer that is compared."""
    modules = NETWORKS[name][1](seeded(name))
    return nn.Sequential(*modules).eval()


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    # A file that is there is whole, wherever this was interrupted.
    part = folder / "part"
    for name in NETWORKS:
        torch.save(seeded(name).state_dict(), part)
        os.replace(part, folder / f"{name}.pth")
        picture = torch.zeros(1, 3, *SIZE)
        torch.onnx.export(truncated(name), picture, part, dynamo=False, opset_version=17)
        os.replace(part, folder / f"{name}.onnx")


if __name__ == "__main__":
    main()
