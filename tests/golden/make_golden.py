#!/usr/bin/env python3
"""Makes the reference values ops/OP.safetensors, by PyTorch in float64: usage: make_golden.py [FOLDER]

They are small, so that every clone has them: for each op a few shapes that lie across the edges of tiles and vectors.
SPDX-License-Identifier: MIT

Each file's metadata hold the op's name and a list of cases; a case names its attributes, inputs, outputs and gradients,
and for each result how far PyTorch's own float32 arithmetic strays ("float32_error"). Tensors are called ID.NAME, in
PyTorch's layouts. dy is the gradient that arrives at the output. Where the input of a kink is within 1e-3 of it, dy is
zero, so that rounding does not decide a gradient."""
import json
import pathlib
import struct
import sys

import torch
import torch.nn.functional as F

generator = torch.Generator().manual_seed(1)


def normal(*shape, scale=1.0, shift=0.0):
    """Float32 values, so that both precisions start from the same."""
    return torch.randn(*shape, generator=generator) * scale + shift


class File:
    def __init__(self, op):
        self.op, self.cases, self.tensors = op, [], {}

    def add(self, attrs, inputs, function, outputs=("y",), kinks=None, differentiable=None):
        """`function` takes the inputs by name in one precision and returns a tuple of results, the first of which is
        differentiated; `kinks` returns the values that must stay away from 0, of the shape of the first result."""
        case = f"{len(self.cases):03d}"
        names = [n for n in inputs if inputs[n].is_floating_point()] if differentiable is None else differentiable
        arrives, results = None, {}
        for dtype in (torch.float64, torch.float32):
            values = {n: v.to(dtype) if v.is_floating_point() else v for n, v in inputs.items()}
            leaves = {n: values[n].clone().requires_grad_() for n in names}
            got = function(**{**values, **leaves})
            if arrives is None and names and got[0].dim():
                arrives = normal(*got[0].shape)
                if kinks is not None:
                    arrives = arrives * (kinks(**values).abs() > 1e-3)
            if names:
                got[0].backward(arrives.to(dtype) if arrives is not None else None)
            found = dict(zip(outputs, (g.detach().reshape(g.shape or (1,)) for g in got)))
            found.update({"d" + n: leaf.grad for n, leaf in leaves.items()})
            results[dtype] = found
        exact, short = results[torch.float64], results[torch.float32]
        stored = dict(inputs, **({"dy": arrives} if arrives is not None else {}))
        self.cases.append({"id": case, "attrs": attrs, "inputs": list(stored), "outputs": list(outputs),
                           "grads": ["d" + n for n in names],
                           "float32_error": {n: (exact[n] - short[n].double()).abs().max().item() for n in exact}})
        for name, value in {**stored, **exact}.items():
            integer = not value.is_floating_point()
            self.tensors[f"{case}.{name}"] = value.to(torch.int32 if integer else torch.float32).contiguous()

    def save(self, folder):
        """Header and tensors in the order in which they were added, so that the same values are the same file."""
        header = {"__metadata__": {"op": self.op, "reference": "pytorch float64", "cases": json.dumps(self.cases)}}
        data = b""
        for name, t in self.tensors.items():
            raw = t.numpy().tobytes()
            header[name] = {"dtype": "F32" if t.is_floating_point() else "I32", "shape": list(t.shape),
                            "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        (folder / f"{self.op}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def conv2d():
    f = File("conv2d")
    # N, C, H, W, K, R, S, stride, padding, dilation, groups, bias
    for n, c, h, w, k, r, s, stride, pad, dilation, groups, bias in (
            (1, 3, 9, 7, 5, 3, 3, 1, 1, 1, 1, True), (2, 4, 8, 8, 6, 1, 1, 1, 0, 1, 1, False),
            (1, 16, 8, 8, 16, 3, 3, 1, 1, 1, 1, False), (2, 16, 5, 5, 16, 3, 3, 1, 1, 1, 1, False),
            (1, 3, 13, 11, 8, 7, 7, 2, 3, 1, 1, False), (1, 17, 6, 5, 9, 1, 1, 2, 0, 1, 1, True),
            (1, 6, 7, 7, 4, 3, 3, 1, 2, 2, 2, True), (2, 8, 6, 6, 8, 3, 3, 2, 1, 1, 8, False),
            (1, 5, 4, 9, 3, 1, 5, 1, 2, 1, 1, False)):
        attrs = {"stride": stride, "pad": pad, "dilation": dilation, "groups": groups}
        inputs = {"x": normal(n, c, h, w), "w": normal(k, c // groups, r, s, scale=0.2)}
        if bias:
            inputs["b"] = normal(k)
        f.add(attrs, inputs, lambda x, w, b=None, a=(stride, pad, dilation, groups): (F.conv2d(x, w, b, *a),))
    return f


def batchnorm():
    f = File("batchnorm")
    for n, c, h, w, training, fuse in ((3, 5, 4, 4, True, "none"), (2, 16, 3, 5, True, "relu"),
                                       (4, 7, 2, 2, True, "add_relu"), (2, 6, 3, 3, False, "relu"),
                                       (2, 17, 1, 3, False, "add_relu")):
        inputs = {"x": normal(n, c, h, w, scale=2, shift=1), "gamma": normal(c), "beta": normal(c)}
        if fuse == "add_relu":
            inputs["residual"] = normal(n, c, h, w)
        inputs.update(running_mean=normal(c), running_var=normal(c).abs() + 0.5)

        def before(x, gamma, beta, running_mean, running_var, residual=None, training=training):
            mean, var = running_mean.clone(), running_var.clone()
            y = F.batch_norm(x, mean, var, gamma, beta, training, 0.1, 1e-5)
            return y if residual is None else y + residual, mean, var

        def whole(fuse=fuse, before=before, **values):
            y, mean, var = before(**values)
            return (y if fuse == "none" else F.relu(y)), mean, var

        names = [n for n in inputs if not n.startswith("running")]
        f.add({"training": training, "eps": 1e-5, "momentum": 0.1, "fuse": fuse}, inputs, whole,
              ("y", "new_running_mean", "new_running_var") if training else ("y",),
              None if fuse == "none" else lambda before=before, **values: before(**values)[0], names)
    return f


def pools():
    max_, avg = File("maxpool2d"), File("avgpool2d")
    for n, c, h, w, kernel, stride, pad in ((2, 3, 7, 6, 2, 2, 0), (1, 16, 9, 9, 3, 2, 1), (2, 5, 6, 5, 3, 1, 1)):
        x = normal(n, c, h, w)
        attrs = {"kernel": kernel, "stride": stride, "pad": pad}
        max_.add(attrs, {"x": x}, lambda x, a=(kernel, stride, pad): (F.max_pool2d(x, *a),))
        for include in (True, False):
            avg.add(dict(attrs, count_include_pad=include), {"x": x},
                    lambda x, a=(kernel, stride, pad), i=include: (F.avg_pool2d(x, *a, count_include_pad=i),))
    global_ = File("global_avgpool")
    for shape in ((2, 5, 3, 4), (1, 16, 7, 7)):
        global_.add({}, {"x": normal(*shape)}, lambda x: (x.mean((2, 3)),))
    adaptive = File("adaptive_avgpool2d")
    for size, shape in ((3, (2, 5, 7, 5)), (7, (1, 4, 4, 9))):
        adaptive.add({"size": size}, {"x": normal(*shape)}, lambda x, s=size: (F.adaptive_avg_pool2d(x, s),))
    return max_, avg, global_, adaptive


def elementwise():
    relu, add_relu = File("relu"), File("add_relu")
    for shape in ((2, 5, 3, 3), (3, 19)):
        relu.add({}, {"x": normal(*shape)}, lambda x: (F.relu(x),), kinks=lambda x: x)
        add_relu.add({}, {"a": normal(*shape), "b": normal(*shape)}, lambda a, b: (F.relu(a + b),),
                     kinks=lambda a, b: a + b)
    files = [relu, add_relu]
    for name, function, kinks in (("sigmoid", torch.sigmoid, ()), ("silu", F.silu, ()), ("relu6", F.relu6, (0, 6)),
                                  ("hardsigmoid", F.hardsigmoid, (-3, 3)), ("hardswish", F.hardswish, (-3, 3)),
                                  ("gelu", F.gelu, ())):
        f = File(name)
        far = None
        if kinks:
            def far(x, kinks=kinks):
                return torch.stack([x - k for k in kinks]).abs().min(0).values
        f.add({}, {"x": normal(2, 5, 3, 3, scale=4)}, lambda x, function=function: (function(x),), kinks=far)
        files.append(f)
    mul = File("mul")
    for b in ((2, 5, 1, 1), (2, 5, 3, 4)):
        mul.add({}, {"a": normal(2, 5, 3, 4), "b": normal(*b)}, lambda a, b: (a * b,))
    norm = File("layernorm")
    for shape in ((2, 5, 3, 4), (1, 33, 2, 2)):
        c = shape[1]

        def whole(x, gamma, beta):
            return (F.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1],), gamma, beta, 1e-5).permute(0, 3, 1, 2),)

        norm.add({"eps": 1e-5}, {"x": normal(*shape, shift=2), "gamma": normal(c), "beta": normal(c)}, whole)
    up = File("upsample_nearest")
    for scale in (2, 3):
        up.add({"scale": scale}, {"x": normal(2, 5, 3, 2)},
               lambda x, s=scale: (F.interpolate(x, scale_factor=s, mode="nearest"),))
    return files + [mul, norm, up]


def heads():
    linear, loss, resize = File("linear"), File("softmax_cross_entropy"), File("resize_bilinear")
    for n, features, k in ((1, 7, 3), (5, 33, 18), (16, 16, 16)):
        linear.add({}, {"x": normal(n, features), "w": normal(k, features, scale=0.3), "b": normal(k)},
                   lambda x, w, b: (F.linear(x, w, b),))
    for n, k, smoothing in ((4, 3, 0.0), (7, 10, 0.1)):
        labels = torch.randint(0, k, (n,), generator=generator)
        loss.add({"label_smoothing": smoothing, "reduction": "mean"}, {"x": normal(n, k, scale=3), "labels": labels},
                 lambda x, labels, s=smoothing: (F.cross_entropy(x, labels, label_smoothing=s),), ("loss",))
    for shape, out in (((2, 3, 5, 7), (9, 8)), ((1, 3, 11, 8), (4, 5))):
        resize.add({"out": out, "align_corners": False, "antialias": True}, {"x": normal(*shape)},
                   lambda x, o=out: (F.interpolate(x, size=o, mode="bilinear", antialias=True),), differentiable=[])
    return linear, loss, resize


def optimizer():
    f = File("optimizer")
    for kind, name, more in ((torch.optim.SGD, "sgd", {}), (torch.optim.SGD, "sgd", {"momentum": 0.9}),
                             (torch.optim.SGD, "sgd", {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}),
                             (torch.optim.Adam, "adam", {"weight_decay": 1e-4}),
                             (torch.optim.AdamW, "adamw", {"weight_decay": 1e-2})):
        steps, lr, size = 4, 0.05, 131
        start, gradients = normal(size), normal(steps, size)

        def whole(p, g, kind=kind, more=more):
            value, rows = torch.nn.Parameter(p.clone()), []
            o = kind([value], lr=lr, **more)
            for row in g:
                value.grad = row.clone()
                o.step()
                rows.append(value.detach().clone())
            return (torch.stack(rows),)

        f.add({"optimizer": name, "steps": steps, "lr": lr, **more}, {"p": start, "g": gradients}, whole, ("p_after",),
              differentiable=[])
    return f


folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent) / "ops"
folder.mkdir(parents=True, exist_ok=True)
for file in (conv2d(), batchnorm(), *pools(), *elementwise(), *heads(), optimizer()):
    file.save(folder)
