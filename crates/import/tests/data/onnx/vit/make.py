"""Makes the vision transformers of this folder, torchvision's with weights from a seed, by both of PyTorch's
exporters, and `expected.safetensors`: a picture, 3 x 32 x 32, and what PyTorch computes of it and of each of its
pixels' gradients. Needs torch, torchvision, onnxscript and safetensors."""

import torch
from safetensors.torch import save_file
from torchvision.models.vision_transformer import VisionTransformer

torch.manual_seed(11)
vit = VisionTransformer(image_size=32, patch_size=8, num_layers=2, num_heads=3, hidden_dim=24, mlp_dim=36, num_classes=5)
for parameter in vit.parameters():
    if parameter.abs().sum() == 0:
        torch.nn.init.normal_(parameter, std=0.3)
vit.eval()
image = torch.rand(1, 3, 32, 32)
torch.onnx.export(vit, (image,), "legacy17.onnx", dynamo=False, opset_version=17)
for opset in [18, 23]:
    program = torch.onnx.export(vit, (image,), dynamo=True, opset_version=opset, external_data=False)
    for node in program.model.graph:
        node.metadata_props.clear()
    program.save(f"dynamo{opset}.onnx", external_data=False)
vit, exact = vit.double(), image.double().requires_grad_()
classes = vit(exact)
(0.5 * classes.square().sum()).backward()
numbers = {"image": image[0], "classes": classes[0].float(), "gradient": exact.grad[0].float()}
save_file({name: number.detach().contiguous() for name, number in numbers.items()}, "expected.safetensors")
