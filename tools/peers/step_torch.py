"""One step in PyTorch: step_torch.py NETWORK LAYER WIDTHxHEIGHT THREADS. Prints JSON.

The networks are built up to the one layer that is compared, with random weights: the time of a step
does not depend on their values.
"""

import sys

import torch
from torch import nn

from timing import report


def conv(ins, outs, kernel, stride=1, padding=0):
    return nn.Sequential(nn.Conv2d(ins, outs, kernel, stride, padding), nn.ReLU())


def pool(stride=2, padding=0):
    return nn.MaxPool2d(3, stride, padding, ceil_mode=True)


class Branches(nn.Module):
    """Layers side by side, their outputs joined along the channels."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


def inception(ins, one, reduce3, three, reduce5, five, project):
    return Branches(
        conv(ins, one, 1),
        nn.Sequential(conv(ins, reduce3, 1), conv(reduce3, three, 3, padding=1)),
        nn.Sequential(conv(ins, reduce5, 1), conv(reduce5, five, 5, padding=2)),
        nn.Sequential(pool(1, 1), conv(ins, project, 1)),
    )


def fire(ins, squeeze, expand):
    return nn.Sequential(
        conv(ins, squeeze, 1), Branches(conv(squeeze, expand, 1), conv(squeeze, expand, 3, padding=1))
    )


def norm():
    return nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0)


NETWORKS = {
    ("googlenet", "inception_4c/output"): lambda: nn.Sequential(
        conv(3, 64, 7, 2, 3), pool(), norm(), conv(64, 64, 1), conv(64, 192, 3, padding=1), norm(), pool(),
        inception(192, 64, 96, 128, 16, 32, 32), inception(256, 128, 128, 192, 32, 96, 64), pool(),
        inception(480, 192, 96, 208, 16, 48, 64), inception(512, 160, 112, 224, 24, 64, 64),
        inception(512, 128, 128, 256, 24, 64, 64),
    ),
    ("squeezenet", "fire6/concat"): lambda: nn.Sequential(
        conv(3, 64, 3, 2), pool(), fire(64, 16, 64), fire(128, 16, 64), pool(), fire(128, 32, 128),
        fire(256, 32, 128), pool(), fire(256, 48, 192),
    ),
}


def main():
    file, layer, size, threads = sys.argv[1:]
    width, height = map(int, size.split("x"))
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    name = "googlenet" if "googlenet" in file else "squeezenet"
    network = NETWORKS[name, layer]().requires_grad_(False)
    picture = torch.rand(1, 3, height, width) * 255 - 117

    def step():
        x = picture.clone().requires_grad_(True)
        activation = network(x)
        activation.backward(activation.detach())
        return x.grad

    report(step)


main()
