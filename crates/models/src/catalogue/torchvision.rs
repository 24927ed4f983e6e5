//! The networks that torchvision publishes, as far as their structure is read.

use graph::InputSpec;
use import::input::{IMAGENET, INCEPTION};

use super::{Checksum, KnownNetwork, Source};

/// A network of torchvision's: its name here, its title, the file's name, the first digits of the file's
/// SHA-256, and the file's size in units of 0.1 MiB.
type Line = (&'static str, &'static str, &'static str, &'static str, u64);

/// The lines with the address of each file.
macro_rules! lines {
    ($(($name:expr, $title:expr, $file:expr, $digits:expr, $size:expr)),* $(,)?) => {
        const LINES: &[(&str, Line)] = &[$((
            concat!("https://download.pytorch.org/models/", $file, "-", $digits, ".pth"),
            ($name, $title, concat!($file, "-", $digits, ".pth"), $digits, $size),
        )),*];
    };
}

lines! {
    ("alexnet", "AlexNet", "alexnet-owt", "7be5be79", 2331),
    ("vgg11", "VGG11", "vgg11", "8a719046", 5068),
    ("vgg13", "VGG13", "vgg13", "19584684", 5075),
    ("vgg16", "VGG16", "vgg16", "397923af", 5278),
    ("vgg19", "VGG19", "vgg19", "dcbb9e9d", 5481),
    ("vgg11_bn", "VGG11 with batch normalisation", "vgg11_bn", "6002323d", 5069),
    ("vgg13_bn", "VGG13 with batch normalisation", "vgg13_bn", "abd245e5", 5076),
    ("vgg16_bn", "VGG16 with batch normalisation", "vgg16_bn", "6c64b313", 5279),
    ("vgg19_bn", "VGG19 with batch normalisation", "vgg19_bn", "c79401a0", 5481),
    ("googlenet-torchvision", "torchvision's GoogLeNet", "googlenet", "1378be20", 497),
    ("inception_v3", "Inception v3", "inception_v3_google", "0cc3c7bd", 1039),
    ("resnet18", "ResNet-18", "resnet18", "f37072fd", 447),
    ("resnet34", "ResNet-34", "resnet34", "b627a593", 833),
    ("resnet50", "ResNet-50", "resnet50", "0676ba61", 978),
    ("resnet101", "ResNet-101", "resnet101", "63fe2227", 1705),
    ("resnet152", "ResNet-152", "resnet152", "394f9c45", 2304),
    ("resnet50-v2", "ResNet-50, trained anew", "resnet50", "11ad3fa6", 978),
    ("resnet101-v2", "ResNet-101, trained anew", "resnet101", "cd907fc2", 1705),
    ("resnet152-v2", "ResNet-152, trained anew", "resnet152", "f82ba261", 2305),
    ("resnext50_32x4d", "ResNeXt-50", "resnext50_32x4d", "7cdf4587", 958),
    ("resnext50_32x4d-v2", "ResNeXt-50, trained anew", "resnext50_32x4d", "1a0047aa", 958),
    ("resnext101_32x8d", "ResNeXt-101", "resnext101_32x8d", "8ba56ff5", 3396),
    ("resnext101_32x8d-v2", "ResNeXt-101, trained anew", "resnext101_32x8d", "110c445d", 3397),
    ("resnext101_64x4d", "ResNeXt-101 of 64 groups", "resnext101_64x4d", "173b62eb", 3193),
    ("wide_resnet50_2", "Wide ResNet-50", "wide_resnet50_2", "95faca4d", 1318),
    ("wide_resnet50_2-v2", "Wide ResNet-50, trained anew", "wide_resnet50_2", "9ba9bcbe", 2631),
    ("wide_resnet101_2", "Wide ResNet-101", "wide_resnet101_2", "32ee1156", 2429),
    ("wide_resnet101_2-v2", "Wide ResNet-101, trained anew", "wide_resnet101_2", "d733dc28", 4847),
    ("densenet121", "DenseNet-121", "densenet121", "a639ec97", 308),
    ("densenet161", "DenseNet-161", "densenet161", "8d451a50", 1104),
    ("densenet169", "DenseNet-169", "densenet169", "b2777c0a", 547),
    ("densenet201", "DenseNet-201", "densenet201", "c1103571", 774),
    ("squeezenet1_0", "SqueezeNet 1.0", "squeezenet1_0", "b66bff10", 48),
    ("squeezenet1_1", "torchvision's SqueezeNet 1.1", "squeezenet1_1", "b8a52dc0", 47),
    ("mobilenet_v2", "MobileNetV2", "mobilenet_v2", "b0353104", 136),
    ("mobilenet_v2-v2", "MobileNetV2, trained anew", "mobilenet_v2", "7ebf99e0", 136),
    ("mobilenet_v3_large", "MobileNetV3, large", "mobilenet_v3_large", "8738ca79", 211),
    ("mobilenet_v3_large-v2", "MobileNetV3, large, trained anew", "mobilenet_v3_large", "5c1a4163", 211),
    ("mobilenet_v3_small", "MobileNetV3, small", "mobilenet_v3_small", "047dcff4", 98),
    ("efficientnet_b0", "EfficientNet B0", "efficientnet_b0_rwightman", "7f5810bc", 205),
    ("efficientnet_b1", "EfficientNet B1", "efficientnet_b1_rwightman", "bac287d4", 301),
    ("efficientnet_b1-v2", "EfficientNet B1, trained anew", "efficientnet_b1", "c27df63c", 301),
    ("efficientnet_b2", "EfficientNet B2", "efficientnet_b2_rwightman", "c35c1473", 352),
    ("efficientnet_b3", "EfficientNet B3", "efficientnet_b3_rwightman", "b3899882", 472),
    ("efficientnet_b4", "EfficientNet B4", "efficientnet_b4_rwightman", "23ab8bcd", 745),
    ("efficientnet_b5", "EfficientNet B5", "efficientnet_b5_lukemelas", "1a07897c", 1169),
    ("efficientnet_b6", "EfficientNet B6", "efficientnet_b6_lukemelas", "24a108a5", 1654),
    ("efficientnet_b7", "EfficientNet B7", "efficientnet_b7_lukemelas", "c5b4e57e", 2547),
    ("efficientnet_v2_s", "EfficientNetV2 S", "efficientnet_v2_s", "dd5fe13b", 827),
    ("efficientnet_v2_m", "EfficientNetV2 M", "efficientnet_v2_m", "dc08266a", 2080),
    ("efficientnet_v2_l", "EfficientNetV2 L", "efficientnet_v2_l", "59c71312", 4546),
    ("convnext_tiny", "ConvNeXt, tiny", "convnext_tiny", "983f1562", 1091),
    ("convnext_small", "ConvNeXt, small", "convnext_small", "0c510722", 1917),
    ("convnext_base", "ConvNeXt, base", "convnext_base", "6075fbad", 3381),
    ("convnext_large", "ConvNeXt, large", "convnext_large", "ea097f82", 7545),
    ("regnet_y_400mf", "RegNet Y 400MF", "regnet_y_400mf", "c65dace8", 168),
    ("regnet_y_400mf-v2", "RegNet Y 400MF, trained anew", "regnet_y_400mf", "e6988f5f", 168),
    ("regnet_y_800mf", "RegNet Y 800MF", "regnet_y_800mf", "1b27b58c", 248),
    ("regnet_y_800mf-v2", "RegNet Y 800MF, trained anew", "regnet_y_800mf", "58fc7688", 248),
    ("regnet_y_1_6gf", "RegNet Y 1.6GF", "regnet_y_1_6gf", "b11a554e", 432),
    ("regnet_y_1_6gf-v2", "RegNet Y 1.6GF, trained anew", "regnet_y_1_6gf", "0d7bc02a", 432),
    ("regnet_y_3_2gf", "RegNet Y 3.2GF", "regnet_y_3_2gf", "b5a9779c", 746),
    ("regnet_y_3_2gf-v2", "RegNet Y 3.2GF, trained anew", "regnet_y_3_2gf", "9180c971", 746),
    ("regnet_y_8gf", "RegNet Y 8GF", "regnet_y_8gf", "d0d0e4a8", 1507),
    ("regnet_y_8gf-v2", "RegNet Y 8GF, trained anew", "regnet_y_8gf", "dc2b1b54", 1507),
    ("regnet_y_16gf", "RegNet Y 16GF", "regnet_y_16gf", "9e6ed7dd", 3195),
    ("regnet_y_16gf-v2", "RegNet Y 16GF, trained anew", "regnet_y_16gf", "3e4a00f9", 3195),
    ("regnet_y_32gf", "RegNet Y 32GF", "regnet_y_32gf", "4dee3f7a", 5541),
    ("regnet_y_32gf-v2", "RegNet Y 32GF, trained anew", "regnet_y_32gf", "8db6d4b5", 5541),
    ("regnet_x_400mf", "RegNet X 400MF", "regnet_x_400mf", "adf1edd5", 213),
    ("regnet_x_400mf-v2", "RegNet X 400MF, trained anew", "regnet_x_400mf", "62229a5f", 213),
    ("regnet_x_800mf", "RegNet X 800MF", "regnet_x_800mf", "ad17e45c", 279),
    ("regnet_x_800mf-v2", "RegNet X 800MF, trained anew", "regnet_x_800mf", "94a99ebd", 279),
    ("regnet_x_1_6gf", "RegNet X 1.6GF", "regnet_x_1_6gf", "e3633e7f", 353),
    ("regnet_x_1_6gf-v2", "RegNet X 1.6GF, trained anew", "regnet_x_1_6gf", "a12f2b72", 353),
    ("regnet_x_3_2gf", "RegNet X 3.2GF", "regnet_x_3_2gf", "f342aeae", 588),
    ("regnet_x_3_2gf-v2", "RegNet X 3.2GF, trained anew", "regnet_x_3_2gf", "7071aa85", 588),
    ("regnet_x_8gf", "RegNet X 8GF", "regnet_x_8gf", "03ceed89", 1515),
    ("regnet_x_8gf-v2", "RegNet X 8GF, trained anew", "regnet_x_8gf", "2b70d774", 1515),
    ("regnet_x_16gf", "RegNet X 16GF", "regnet_x_16gf", "2007eb11", 2076),
    ("regnet_x_16gf-v2", "RegNet X 16GF, trained anew", "regnet_x_16gf", "ba3796d7", 2076),
    ("regnet_x_32gf", "RegNet X 32GF", "regnet_x_32gf", "9d47f8d0", 4120),
    ("regnet_x_32gf-v2", "RegNet X 32GF, trained anew", "regnet_x_32gf", "6eb8fdc6", 4120),
    ("mnasnet0_5", "MNASNet 0.5", "mnasnet0.5_top1_67.823", "3ffadce67e", 86),
    ("mnasnet0_75", "MNASNet 0.75", "mnasnet0_75", "7090bc5f", 123),
    ("mnasnet1_0", "MNASNet 1.0", "mnasnet1.0_top1_73.512", "f206786ef8", 169),
    ("mnasnet1_3", "MNASNet 1.3", "mnasnet1_3", "a4c69d6f", 242),
    ("shufflenet_v2_x0_5", "ShuffleNet V2 ×0.5", "shufflenetv2_x0.5", "f707e7126e", 53),
    ("shufflenet_v2_x1_0", "ShuffleNet V2 ×1", "shufflenetv2_x1", "5666bf0f80", 88),
    ("shufflenet_v2_x1_5", "ShuffleNet V2 ×1.5", "shufflenetv2_x1_5", "3c479a10", 136),
    ("shufflenet_v2_x2_0", "ShuffleNet V2 ×2", "shufflenetv2_x2_0", "8be3c8ee", 284),
    ("vit_b_16", "Vision transformer B/16", "vit_b_16", "c867db91", 3303),
    ("vit_b_32", "Vision transformer B/32", "vit_b_32", "d86f8d99", 3366),
    ("vit_l_16", "Vision transformer L/16", "vit_l_16", "852ce7e3", 11610),
    ("vit_l_32", "Vision transformer L/32", "vit_l_32", "c7638314", 11695),
}

/// Networks whose first layer wants colours from −1 to 1.
const INCEPTIONS: [&str; 3] = ["googlenet-torchvision", "inception_v3", "efficientnet_v2_l"];

/// All of them.
pub(super) fn networks() -> impl Iterator<Item = KnownNetwork> {
    LINES.iter().map(|&(url, (name, title, file, digits, size))| KnownNetwork {
        name,
        title,
        description: "Trained on ImageNet, from torchvision.",
        source: Some(Source {
            url,
            checksum: Checksum::Sha256Start(digits),
            members: &[],
            bytes: size * (1 << 20) / 10,
            licence: "not stated; torchvision refers to its data set's terms",
        }),
        file,
        file_sha256: None,
        input: input(name),
        labels_file: None,
        marks: &[],
        layers: &[],
    })
}

fn input(name: &str) -> InputSpec {
    if INCEPTIONS.contains(&name) { INCEPTION } else { IMAGENET }
}
