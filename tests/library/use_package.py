"""What the Python package does, run by test_python.sh in a folder of its own. SPDX-License-Identifier: MIT"""
import gc
import os
import subprocess
import threading

import numpy as np
import skipper


def raises(kind, part, call):
    try:
        call()
    except kind as error:
        assert part in str(error), error
        return error
    raise AssertionError(f"no {kind.__name__}: {part}")


# Devices.
skipper.configure(scratch=os.getcwd(), probe_seconds=20)
for d in skipper.devices():
    assert d.name and (d.usable or d.why), d
device = skipper.Device()
assert device.ask().name and device.ask().memory > 0
assert raises(skipper.Error, "relu=fast", lambda: skipper.Device(method="relu=fast")).status == "USAGE"
assert raises(skipper.Error, "abacus", lambda: skipper.Device(backend="abacus")).status == "USAGE"

# A few steps on the built-in digits; the loss falls.
data = skipper.Data("digits")
assert data.classes == list("0123456789") and data.images() > data.images("test") > 0 == data.images("validation")
model = skipper.Model("identity", learns=data)
model["lr"] = 0.02
assert model["lr"] == "0.02" and model["optimizer"] == "adam" and (model.size, model.channels) == (28, 1)
session = skipper.Session(model, device, seed=3)
losses = []
outcome = session.train(data, seed=1, max_steps=40, listener=lambda e: losses.append(e.loss) if not e.doing and not e.epoch_done else None)
assert outcome.steps == 40 == len(losses) and losses[-1] < losses[0] / 1.5, losses
assert model.classes == data.classes
score = session.evaluate(data)
assert score.accuracy > 0.3 and score.images == data.images("test"), score
report = session.report()
assert report.confusion.shape == (10, 10) and report.confusion.sum() == score.images and len(report.images) == 20
assert abs(np.trace(report.confusion) / score.images - score.accuracy) < 1e-9
assert [c.name for c in report.classes] == data.classes and sum(c.right for c in report.classes) == np.trace(report.confusion)
assert report.images[0].loss >= report.images[1].loss and model.parameters > 1000
session.export_onnx("digits.onnx", dynamic_batch=True)
assert os.path.getsize("digits.onnx") > 4 * model.parameters
tested = skipper.Data("digits", to_test=True)
assert tested.images("best") == tested.images("test") > 0 == tested.images()
assert session.evaluate(tested, "best", worst=0).accuracy == score.accuracy and not session.report().images

# The program goes on with a run of the package, and the package with one of the program.
skipper.Session(skipper.Model("identity", learns=data), device, seed=5).train(data, seed=5, out="ours", max_steps=3)
program = [os.environ["SKP_PROGRAM"], "train"]
subprocess.run([*program, "--resume", "ours", "--max-steps", "5"], check=True, capture_output=True)
subprocess.run([*program, "identity", "--seed", "5", "--out", "theirs", "--max-steps", "3"], check=True, capture_output=True)
theirs = skipper.Session(skipper.Model("theirs/last.safetensors"), device)
assert theirs.train(data, seed=5, out="theirs", resume=True, max_steps=5).steps == 5
ours = skipper.Session(skipper.Model("ours/last.safetensors"), device)
assert all(np.array_equal(theirs.parameters[name], ours.parameters[name]) for name in ours.parameters)

# A listener ends it, and so does what it raises.
raises(skipper.Interrupted, "Stopped", lambda: session.train(data, listener=lambda e: True))
raises(ZeroDivisionError, "", lambda: session.train(data, listener=lambda e: 1 / 0))
raises(TypeError, "no option speed", lambda: session.train(data, speed=1))
threading.Timer(0.3, session.stop).start()
raises(skipper.Interrupted, "Stopped", lambda: session.train(data))

# Predictions from bytes and floats, grey without a channel; of any number.
images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
p = session.predict(images)
assert p.shape == (5, 10) and p.dtype == np.float32 and np.allclose(p.sum(1), 1, atol=1e-5)
logits = session.predict(images, logits=True)
e = np.exp(logits - logits.max(1, keepdims=True))
assert np.allclose(p, e / e.sum(1, keepdims=True), atol=1e-5)
assert np.allclose(p, session.predict(images / 255.0), atol=1e-4)
assert np.allclose(p[::2], session.predict(images[::2]), atol=1e-5)
assert session.predict(images[:0]).shape == (0, 10)
assert session.predict(np.zeros((2, 40, 30, 3), np.uint8)).shape == (2, 10)
raises(TypeError, "int64", lambda: session.predict(images.astype(int)))
raises(ValueError, "dimensions", lambda: session.predict(images[0]))
raises(skipper.Error, "no-such.png", lambda: session.predict_files(["no-such.png"]))

# What it costs, how fast it is, and which learning rate suits it.
model["batch"] = 32
summary = model.summary()
assert sum(layer.parameters for layer in summary.layers) == model.parameters and summary.layers[-1].output == (32, 10), summary.layers[-1]
assert summary.layers[0].operation == "conv2d" and summary.layers[0].output == (32, 28, 28, 4) and summary.layers[0].flops > 0
assert summary.training.total > summary.evaluation.total > 4 * model.parameters and summary.training.gradients >= 4 * model.parameters
there = model.summary(device)
assert there.training.fits and there.training.parameters == summary.training.parameters and there.layers == summary.layers
model["batch"] = 1 << 20
assert not model.summary().training.possible
model["batch"] = 32
before = session.parameters["linear_1.weight"]
speed = session.bench(samples=2, layers=True)
assert speed.batch == 32 and 0 < speed.img_per_s <= speed.best_img_per_s and speed.loss > 0, speed
assert {"conv2d", "adam"} <= {layer.operation for layer in speed.layers} and all(layer.launches for layer in speed.layers)
assert all(layer.kind and layer.bytes >= 0 for layer in speed.layers) and speed.peaks.fma >= 0
assert all(abs(sum(launch.seconds for launch in layer.launches) - layer.seconds) < 1e-9 for layer in speed.layers)
speed = session.bench(evaluate=True, samples=1)
assert speed.img_per_s > 0 and speed.layers == [], speed
search = session.find_lr(data, steps=20, first=1e-5, last=1, curve="lr.csv")
assert 0 < search.n == len(search.at) <= 20 and np.all(np.diff(search.at["lr"]) > 0) and search.at["lr"][0] == 1e-5, search
assert len(open("lr.csv").readlines()) == 1 + search.n and search.suggestion >= 0
assert np.array_equal(session.parameters["linear_1.weight"], before)
raises(skipper.Error, "28×28×3 here", lambda: session.find_lr(skipper.Data(np.zeros((40, 28, 28, 3)), np.arange(40) % 2)))

# Parameters, and a checkpoint that has them.
w = session.parameters["linear_1.weight"]
assert w.shape == (10, 784) and "block_1.1.running_var" in session.parameters and len(session.parameters) == len(list(session.parameters))
session.parameters["linear_1.weight"] = np.zeros_like(w)
session.parameters["linear_1.bias"] = np.arange(10)
assert np.allclose(session.predict(images, logits=True), np.arange(10))
raises(KeyError, "linear_2", lambda: session.parameters["linear_2.weight"])
raises(ValueError, "(784, 10)", lambda: session.parameters.update({"linear_1.weight": w.T}))
session.parameters["linear_1.weight"] = w
session.save("net.safetensors")
again = skipper.Session(skipper.Model("net.safetensors"), device)
assert again.model.classes == data.classes
assert np.array_equal(again.predict(images), session.predict(images))

# What refers to each other is closed in the right order.
rings = [skipper.Device(backend="reference")]
rings += [skipper.Session(skipper.Model("identity"), rings[0]), rings]
rings[0].ring = rings[1].ring = rings[1].model.ring = rings
del rings
gc.collect()

# Arrays to learn from; a model from text; names.
light = np.repeat(np.arange(2), 32).astype(np.int32)
squares = (light[:, None, None] * 200 + np.random.default_rng(1).integers(0, 50, (64, 4, 4))).astype(np.uint8)
own = skipper.Data(squares, light, names=["dark", "light"], test=(squares, light))
text = """return {input = {channels = 1, size = 4}, args = {width = 3, classes = 0}, recipe = {batch = 8, epochs = 20, lr = 0.5},
  network = function(x, args) return nn.linear(nn.relu(nn.linear(nn.flatten(x), args.width)), args.classes) end}"""
tiny = skipper.Session(skipper.Model("tiny", text=text, learns=own, width=5), skipper.Device(backend="reference"))
assert tiny.train(own, in_stored_order=False, out="run").accuracy == 1
assert tiny.model.classes == ["dark", "light"] and tiny.parameters["1.weight"].shape == (5, 16)
assert skipper.Model("run").classes == ["dark", "light"]
raises(ValueError, "labels", lambda: skipper.Data(squares, light[1:]))
raises(skipper.Error, "label 7", lambda: skipper.Data(squares, np.full(64, 7), names=["a", "b"]))

# What looks like something else is asked about, not guessed.
raises(ValueError, "single picture", lambda: session.predict(np.zeros((9, 9, 3), np.uint8)))
raises(ValueError, "between 0 and 1", lambda: session.predict(np.full((1, 28, 28), 255.0)))
