"""torch_bench.py: ms a training step of torchvision's networks with PyTorch in float32 on this machine's GPU, as JSON,
a line each; for ci/on-gpu. Says so where there is no PyTorch or it has no GPU. SPDX-License-Identifier: MIT"""
import json, statistics, sys, time

NETWORKS = [("resnet18", 64), ("resnet50", 32), ("mobilenet_v2", 32), ("vgg16", 16), ("resnet34", 32)]
STEPS = 10

try:
    import torch, torchvision
except ImportError as error:
    sys.exit(print(f"no PyTorch: {error}"))
kind = "cuda" if torch.cuda.is_available() else "xpu" if hasattr(torch, "xpu") and torch.xpu.is_available() else None
if not kind:
    sys.exit(print(f"PyTorch {torch.__version__} sees no GPU"))
wait = getattr(torch, kind).synchronize


def step(model, optimizer, x, y):
    began = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    wait()
    return 1000 * (time.perf_counter() - began)


for tf32 in (False, True):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True
    for name, batch in NETWORKS:
        model = getattr(torchvision.models, name)().to(kind, memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        x = torch.rand(batch, 3, 224, 224, device=kind).to(memory_format=torch.channels_last)
        y = torch.randint(1000, (batch,), device=kind)
        times = [step(model, optimizer, x, y) for _ in range(STEPS + 3)][3:]
        print(json.dumps({"network": name, "batch": batch, "tf32": tf32, "ms": statistics.median(times),
                          "best_ms": min(times), "torch": torch.__version__}), flush=True)
        del model, optimizer
