"""Makes nets/: tiny relatives of torchvision's networks with random weights, as state dicts under the names
that their publishers use, and what PyTorch computes with them in double precision.

Each file has the tensors `weights.NAME` in half precision, `image` (rows, columns, RGB of 0-255), for some modules
`MODULE.activation`, and for the last of them `MODULE.gradient`: that of half the sum of squares with respect to the
image.
Needs torch, torchvision and safetensors from PyPI."""
import functools
import math
import os
import re

import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import (
    convnext, densenet, efficientnet, mnasnet, mobilenetv3, regnet, resnet, shufflenetv2, vgg, vision_transformer)

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nets")


class Features(nn.Module):
    """What has only `features`."""

    def __init__(self, features):
        super().__init__()
        self.features = features

    def forward(self, x):
        return self.features(x)


def nin(width=4):
    def group(inputs, outputs, kernel, stride, padding):
        layers = [nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.ReLU()]
        for _ in range(2):
            layers += [nn.Conv2d(outputs, outputs, 1), nn.ReLU()]
        return layers

    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    return Features(nn.Sequential(
        *group(3, width, 11, 4, 0), pool(), *group(width, width, 5, 1, 2), pool(),
        *group(width, width, 3, 1, 1), pool(), nn.Dropout(), *group(width, width, 3, 1, 1)))


class ClipBlock(nn.Module):
    def __init__(self, inputs, planes, stride):
        super().__init__()
        outputs = planes * 4
        self.conv1, self.bn1 = nn.Conv2d(inputs, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False), nn.BatchNorm2d(planes)
        self.pool = nn.AvgPool2d(stride)
        self.conv3, self.bn3 = nn.Conv2d(planes, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            parts = {"-1": nn.AvgPool2d(stride), "0": nn.Conv2d(inputs, outputs, 1, bias=False)}
            self.downsample = nn.Sequential()
            for name, part in (parts | {"1": nn.BatchNorm2d(outputs)}).items():
                self.downsample.add_module(name, part)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.pool(torch.relu(self.bn2(self.conv2(y))))
        return torch.relu(self.bn3(self.conv3(y)) + (self.downsample(x) if self.downsample else x))


class Clip(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        for number, (inputs, outputs, stride) in enumerate([(3, 2, 2), (2, 2, 1), (2, width, 1)], 1):
            setattr(self, f"conv{number}", nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False))
            setattr(self, f"bn{number}", nn.BatchNorm2d(outputs))
        inputs = width
        for number in range(1, 5):
            blocks = []
            for index in range(2 if number < 3 else 1):
                blocks.append(ClipBlock(inputs, 2 * number, 2 if number > 1 and index == 0 else 1))
                inputs = 8 * number
            setattr(self, f"layer{number}", nn.Sequential(*blocks))

    def forward(self, x):
        for number in range(1, 4):
            x = torch.relu(getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x)))
        x = nn.functional.avg_pool2d(x, 2)
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        return x


class TinyResNet(resnet.ResNet):
    def __init__(self):
        super().__init__(resnet.BasicBlock, [1, 1, 1, 1], num_classes=4)
        self.inplanes = 2
        self.conv1, self.bn1 = nn.Conv2d(3, 2, 7, 2, 3, bias=False), nn.BatchNorm2d(2)
        for number in range(1, 5):
            layer = self._make_layer(resnet.BasicBlock, 2 * number, 1, stride=1 if number == 1 else 2)
            setattr(self, f"layer{number}", layer)
        self.fc = nn.Linear(8, 4)


def tiny_convnext():
    sizes = [(4, 6, 1), (6, 6, 1), (6, 8, 2), (8, None, 1)]
    return convnext.ConvNeXt([convnext.CNBlockConfig(*size) for size in sizes], 0.0, num_classes=4)


def tiny_efficientnet():
    fused, plain = efficientnet.FusedMBConvConfig, efficientnet.MBConvConfig
    stages = [fused(1, 3, 1, 8, 8, 1), fused(2, 3, 2, 8, 8, 2), fused(2, 3, 2, 8, 8, 1),
              plain(2, 3, 2, 8, 16, 2), plain(2, 3, 1, 16, 16, 1), plain(2, 3, 2, 16, 16, 1)]
    norm = functools.partial(nn.BatchNorm2d, eps=1e-3)
    return efficientnet.EfficientNet(stages, 0.0, last_channel=16, num_classes=4, norm_layer=norm)


def tiny_mobilenet():
    settings, last = mobilenetv3._mobilenet_v3_conf("mobilenet_v3_small", width_mult=0.1)
    return mobilenetv3.MobileNetV3(settings, last, num_classes=4)


def tiny_mnasnet():
    net = mnasnet.MNASNet(0.1, num_classes=4)
    net.layers[14], net.layers[15] = nn.Conv2d(net.layers[14].in_channels, 8, 1, bias=False), nn.BatchNorm2d(8)
    net.classifier[1] = nn.Linear(8, 4)
    return net


def tiny_regnet():
    params = regnet.BlockParams([1, 2, 1, 1], [8] * 4, [4] * 4, [1.0] * 4, [2] * 4, 0.25)
    return regnet.RegNet(params, num_classes=4, stem_width=8)


def tiny_vit():
    return vision_transformer.VisionTransformer(48, 8, 1, 2, 128, 16, num_classes=4)


def tiny_vgg():
    cfg = [size if size == "M" else 4 for size in vgg.cfgs["A"]]
    return Features(vgg.make_layers(cfg, batch_norm=True))


def old_densenet(name):
    return re.sub(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.", name)


def authors_convnext(name):
    name = re.sub(r"^features\.0\.(\d)", r"downsample_layers.0.\1", name)
    for index in (2, 4, 6):
        name = re.sub(rf"^features\.{index}\.(\d)", rf"downsample_layers.{index // 2}.\1", name)
    for index in (1, 3, 5, 7):
        name = re.sub(rf"^features\.{index}\.", f"stages.{index // 2}.", name)
    for old, new in [("block.0", "dwconv"), ("block.2", "norm"), ("block.3", "pwconv1"), ("block.5", "pwconv2")]:
        name = name.replace(old, new)
    name = name.replace("layer_scale", "gamma").replace("classifier.0", "norm")
    return name.replace("classifier.2", "head")


def plain(name):
    return name


# The network, its mean and deviation, the modules that are kept, and what its publisher calls the weights.
NETS = {
    "clip": (Clip, CLIP, ["layer2.1", "layer4"], lambda name: "visual." + name),
    "convnext": (tiny_convnext, IMAGENET, ["features.3.0", "features.5.1"], authors_convnext),
    "densenet": (lambda: densenet.DenseNet(2, (2, 2, 2, 2), 4, bn_size=2, num_classes=4), IMAGENET,
                 ["features.transition2.conv", "features.denseblock3", "features.norm5"], old_densenet),
    "efficientnet_v2": (tiny_efficientnet, IMAGENET, ["features.2", "features.4.1.block.2", "features.6"], plain),
    "mnasnet": (tiny_mnasnet, IMAGENET, ["layers.9", "layers.12"], plain),
    "mobilenet_v3_small": (tiny_mobilenet, IMAGENET, ["features.1", "features.5.block.1", "features.11"], plain),
    "nin": (nin, None, ["features.5", "features.12", "features.19"], plain),
    "regnet": (tiny_regnet, IMAGENET, ["trunk_output.block2", "trunk_output.block4"], plain),
    "robust": (TinyResNet, IMAGENET, ["layer2.0", "layer4.0"], lambda name: "module.model." + name),
    "vgg_bn": (tiny_vgg, IMAGENET, ["features.10", "features.21", "features.28"], plain),
    "shufflenet": (lambda: shufflenetv2.ShuffleNetV2([2, 2, 2], [8, 8, 16, 24, 16], num_classes=4), IMAGENET,
                   ["stage2.1", "stage3", "conv5"], plain),
    "vit": (tiny_vit, IMAGENET, ["encoder.layers.encoder_layer_0", "encoder.ln"], plain),
}


def fill(net):
    for module in net.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(module.weight, 0, math.sqrt(2 / module.weight[0].numel()))
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.1)
        if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.7, 1.3)
            nn.init.normal_(module.bias, 0, 0.25)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        if isinstance(module, nn.MultiheadAttention):
            nn.init.normal_(module.in_proj_bias, 0, 0.25)
        for name in ("class_token", "pos_embedding"):
            if hasattr(module, name):
                nn.init.normal_(getattr(module, name), 0, 0.25)
        if isinstance(getattr(module, "layer_scale", None), nn.Parameter):
            nn.init.uniform_(module.layer_scale, 0.2, 0.6)
    for tensor in net.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half().float())
    return net.eval()


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    os.makedirs(FOLDER, exist_ok=True)
    for name, (make, statistics, modules, renamed) in NETS.items():
        net = fill(make()).double()
        kept = {}
        for path in modules:
            def hook(_module, _inputs, output, path=path):
                # A transformer has rows of positions, each with its channels.
                kept[path] = output.transpose(1, 2)[:, :, None] if output.dim() == 3 else output.clone()
            net.get_submodule(path).register_forward_hook(hook)
        width = 48 if name == "vit" else 56
        image = torch.randint(0, 256, (48, width, 3)).double()
        image = nn.functional.avg_pool2d(image.permute(2, 0, 1)[None], 5, 1, 2)[0].permute(1, 2, 0)
        image = image.round().requires_grad_()
        x = image.permute(2, 0, 1)[None]
        if statistics is None:
            x = x[:, [2, 1, 0]] - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)
        else:
            mean, deviation = (torch.tensor(three).double().view(1, 3, 1, 1) for three in statistics)
            x = (x / 255 - mean) / deviation
        net(x)
        file = {"image": image.detach().to(torch.uint8)}
        for path, activation in kept.items():
            file[path + ".activation"] = activation[0].detach().float()
        (gradient,) = torch.autograd.grad((activation**2).sum() / 2, image)
        file[path + ".gradient"] = gradient.float()
        weights = {renamed(key): value for key, value in net.state_dict().items()}
        if name == "robust":
            weights |= {key.replace("model.", "attacker.model."): value for key, value in weights.items()}
            for part, values in zip(["mean", "std"], statistics):
                weights[f"module.normalizer.new_{part}"] = torch.tensor(values).view(3, 1, 1)
        for key, value in weights.items():
            if value.is_floating_point():
                exact = "normalizer" in key
                file["weights." + key] = (value.float() if exact else value.half()).contiguous().clone()
        path = os.path.join(FOLDER, name + ".safetensors")
        save_file({key: value.contiguous() for key, value in file.items()}, path)
        print(name, os.path.getsize(path))


main()
