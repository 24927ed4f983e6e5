"""One step of a torchvision network in PyTorch: step_torchvision.py NAME.pth LAYER WIDTHxHEIGHT THREADS.

The layer is the one that networks.py says; weights are random, as there. Prints JSON.
"""

import sys
from pathlib import Path

import torch

from networks import truncated
from timing import report


def main():
    file, _layer, size, threads = sys.argv[1:]
    width, height = map(int, size.split("x"))
    torch.set_num_threads(int(threads))
    network = truncated(Path(file).stem)
    picture = torch.randn(1, 3, height, width)

    def step():
        x = picture.clone().requires_grad_(True)
        activation = network(x)
        activation.backward(activation.detach())
        return x.grad

    report(step)


main()
