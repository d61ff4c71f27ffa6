"""Skipper from Python: devices, data, networks, training and predictions, with NumPy arrays in and out. SPDX-License-Identifier: MIT

    import skipper
    data = skipper.Data("digits")
    session = skipper.Session(skipper.Model("identity", learns=data), skipper.Device())
    session.train(data, listener=lambda event: print(event.step, event.loss))
    print(session.evaluate(data).accuracy)

Everything is done by the C library; its headers, skipper/skipper.h and skipper/tools.h, say what holds of threads, layouts and files."""
import ctypes
from collections import namedtuple
from collections.abc import MutableMapping
from os import fsencode

import numpy

from ._library import BYTES, FLOATS, LOGITS, PARTS, PROBABILITIES, Error, Interrupted, library
from . import _library as _c

__all__ = ["Data", "Device", "Error", "Interrupted", "Model", "Session", "configure", "devices", "version"]


def _plain(struct):
    """A C struct as a named tuple, texts as str."""
    names = [field[0] for field in struct._fields_]
    values = [getattr(struct, name) for name in names]
    return namedtuple(type(struct).__name__[4:], names)(*(v.decode(errors="replace") if isinstance(v, bytes) else v for v in values))


def _text(value):
    return None if value is None else value.decode(errors="replace")


def _filled(struct, ask, *arguments):
    """What a function writes into a struct."""
    ask(*arguments, struct)
    return _plain(struct)


def _texts(values):
    return (ctypes.c_char_p * (len(values) + 1))(*values, None)


def version():
    """The library's version, "0.1.0"."""
    return library.skp_version().decode()


def configure(*, scratch=None, index=None, probe_seconds=0):
    """Before anything else: the folder for temporary files; that which keeps what the headers of large sets of pictures said; and the
    seconds that a driver may take to list its devices."""
    library.skp_host_set(_c.HostOptions(*(None if x is None else fsencode(x) for x in (scratch, index)), None, probe_seconds))


def devices():
    """The OpenCL devices, usable or not, as the drivers list them."""
    n = ctypes.c_size_t()
    library.skp_device_count(n)
    found = [_c.DeviceInfo() for _ in range(n.value)]
    for i, info in enumerate(found):
        library.skp_device_describe(i, info)
    return [_plain(info) for info in found]


class _Handle:
    """Something that the library opened. It is closed with its last reference, but not before what was made from it: Python may finalize objects that
    refer to each other in any order."""

    _close = None

    def __init__(self, opener, *arguments, needs=()):
        self._at = ctypes.c_void_p()
        self._users, self._unused, self._needs = 0, False, needs
        opener(self._at, *arguments)
        for needed in needs:
            needed._users += 1

    def __del__(self):
        self._unused = True
        self._settle()

    def _settle(self):
        if not self._unused or not getattr(self, "_at", None) or self._users:
            return
        getattr(library, self._close)(self._at)
        self._at = None
        for needed in self._needs:
            needed._users -= 1
            needed._settle()


class Device(_Handle):
    """An open device: "gpu", "cpu", "P:D" or a part of its name, None: the best; or backend="reference", plain C.

    `memory`: bytes to use at most; `cache`: the folder that keeps compiled kernels, "" for none; `method`: "op=method,…" forces methods; `tune`: "quick" or "full" times which are fastest."""

    _close = "skp_device_close"

    def __init__(self, device=None, *, platform=None, backend=None, threads=0, memory=0, cache=None, method=None, tune=None):
        options = _c.DeviceOptions(*(None if t is None else str(t).encode() for t in (device, platform, backend)), threads, memory,
                                   None if cache is None else fsencode(cache), None if method is None else method.encode(), None if tune is None else tune.encode(), 0, 0, None)
        super().__init__(library.skp_device_open, options)

    def ask(self):
        """Its name and driver, and bytes of memory, in all and in use."""
        state = _c.DeviceState()
        library.skp_device_ask(self._at, state)
        return _plain(state)


def _pixels(images):
    """images as the library takes them, and the array that must stay: uint8, or floats from 0 to 1; N×H×W×C, N×H×W grey."""
    array = numpy.asarray(images)
    if array.ndim == 3 and array.shape[2] == 3:
        raise ValueError(f"an array {array.shape} looks like a single picture H×W×C: images[numpy.newaxis] makes it one of several")
    if array.ndim == 3:
        array = array[..., numpy.newaxis]
    if array.ndim != 4:
        raise ValueError(f"images are an array N×H×W×C or N×H×W, not of {array.ndim} dimensions")
    if array.dtype != numpy.uint8 and array.dtype.kind != "f":
        raise TypeError(f"images are of uint8, or of floats from 0 to 1, not of {array.dtype}")
    kind = BYTES if array.dtype == numpy.uint8 else FLOATS
    if kind == FLOATS and array.size and not (array.min() >= -1e-3 and array.max() <= 1 + 1e-3):
        raise ValueError(f"pixels as floats lie between 0 and 1, not {array.min():g} and {array.max():g}; networks normalise them by their own mean and std")
    array = numpy.ascontiguousarray(array, numpy.uint8 if kind == BYTES else numpy.float32)
    return _c.Pixels(array.ctypes.data, kind, *array.shape), array


def _labels(labels, images):
    array = numpy.ascontiguousarray(labels, numpy.int32)
    if array.shape != (len(images),):
        raise ValueError(f"{len(images)} images need as many labels, not an array {array.shape}")
    return array, array.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))


class Data(_Handle):
    """Labelled images: a folder's or a built-in set's by name, or arrays, which stay in use (no copy where dtype and layout fit).

    Data("digits"); Data(images, labels, names=["cat", "dog"], test=(images, labels)). Images are N×H×W×C or, grey, N×H×W: uint8, or floats from 0 to 1. Labels are
    numbers from 0 on, -1: not known. Of a folder: `to_test` opens the part that is best to test
    with, `labelled` one that has classes; `strict` bears no damaged image, max_damaged so many."""

    _close = "skp_data_close"

    def __init__(self, data, labels=None, *, names=None, test=None, to_test=False, labelled=False, strict=False, max_damaged=0):
        if labels is None:
            options = _c.DataOptions(to_test, labelled, strict, max_damaged, None)
            super().__init__(library.skp_data_open, fsencode(data), options)
            return
        pixels, array = _pixels(data)
        own, pointer = _labels(labels, array)
        classes = len(names) if names is not None else int(own.max(initial=-1)) + 1
        self._arrays = [array, own]
        super().__init__(library.skp_data_wrap, pixels, pointer, classes, _texts([str(n).encode() for n in names]) if names is not None else None)
        if test is not None:
            self._wrap_test(*test)

    def _wrap_test(self, images, labels):
        pixels, array = _pixels(images)
        own, pointer = _labels(labels, array)
        self._arrays += [array, own]
        library.skp_data_wrap_test(self._at, pixels, pointer)

    def images(self, part="training"):
        """How many there are of the part: training, validation or test."""
        return library.skp_data_images(self._at, PARTS[part])

    @property
    def classes(self):
        """The names of its classes."""
        return [_text(library.skp_data_class_name(self._at, i)) for i in range(library.skp_data_classes(self._at))]


def _value(value):
    """A recipe's entry or a setting as the library's text."""
    if isinstance(value, bool):
        return str(value).lower().encode()
    if isinstance(value, (list, tuple)):
        return b",".join(_value(v) for v in value)
    return str(value).encode()


class Model(_Handle):
    """A network: a model file, one that comes along by name, or a trained one (checkpoint or run's folder); `text`: that of a model file, for which `name` stands.

    Keyword arguments are those of the model file: Model("resnet", depth=18, classes=10). As a mapping it is the recipe: model["lr"] = 0.1"""

    _close = "skp_model_free"

    def __init__(self, name, *, text=None, size=0, learns=None, **settings):
        said = _texts([k.encode() + b"=" + _value(v) for k, v in settings.items()]) if settings else None
        options = _c.ModelOptions(ctypes.cast(said, ctypes.POINTER(ctypes.c_char_p)), size, 0, learns._at if learns else None, None)
        if text is None:
            super().__init__(library.skp_model_load, fsencode(name), options)
        else:
            super().__init__(library.skp_model_build, fsencode(name), text.encode(), options)

    def __setitem__(self, entry, value):
        library.skp_model_set(self._at, entry.encode(), _value(value))

    def __getitem__(self, entry):
        text = ctypes.create_string_buffer(512)
        library.skp_model_get(self._at, entry.encode(), text, len(text))
        return text.value.decode()

    name = property(lambda self: _text(library.skp_model_name(self._at)))
    size = property(lambda self: library.skp_model_size(self._at), doc="side of the square input in pixels")
    channels = property(lambda self: library.skp_model_channels(self._at), doc="of the input")
    parameters = property(lambda self: library.skp_model_parameters(self._at), doc="how many numbers are trained")

    @property
    def classes(self):
        """The names of its classes, None where it knows none."""
        return [_text(library.skp_model_class_name(self._at, i)) for i in range(library.skp_model_classes(self._at))]

    def summary(self, device=None):
        """Its layers, and what steps of the recipe's batch need for evaluation and for training: see skp_layer and skp_need. Without a device the workspaces of
        its methods are not known, and everything fits."""
        costs, evaluation, training = _Costs(self), _c.Need(), _c.Need()
        library.skp_costs_measure(costs._at, device._at if device else None, evaluation, training)
        layers = [costs.layer(i) for i in range(library.skp_costs_layers(costs._at))]
        return namedtuple("summary", "layers evaluation training")(layers, _plain(evaluation), _plain(training))


class _Costs(_Handle):
    _close = "skp_costs_close"

    def __init__(self, model):
        super().__init__(library.skp_costs_open, model._at, needs=(model,))

    def layer(self, i):
        layer = _filled(_c.Layer(), library.skp_costs_layer, self._at, i)
        return layer._replace(output=tuple(layer.output[:layer.rank]))


class _Parameters(MutableMapping):
    """A session's weights and running statistics by PyTorch's names, as float32 arrays in its layouts. Reading copies from the device, writing to it."""

    def __init__(self, session):
        self._session = session

    def __len__(self):
        return library.skp_parameter_count(self._session._at)

    def __iter__(self):
        p = _c.Parameter()
        for i in range(len(self)):
            library.skp_parameter_describe(self._session._at, i, p)
            yield p.name.decode()

    def _shape(self, name):
        p = _c.Parameter()
        try:
            library.skp_parameter_find(self._session._at, name.encode(), p)
        except Error as error:
            raise KeyError(str(error)) from None
        return tuple(p.dim[:p.rank])

    def __getitem__(self, name):
        array = numpy.empty(self._shape(name), numpy.float32)
        library.skp_parameter_read(self._session._at, name.encode(), array.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), array.size)
        return array

    def __setitem__(self, name, value):
        shape, array = self._shape(name), numpy.ascontiguousarray(value, numpy.float32)
        if array.shape != shape:
            raise ValueError(f"{name} is an array {shape}, not {array.shape}")
        library.skp_parameter_write(self._session._at, name.encode(), array.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), array.size)

    def __delitem__(self, name):
        raise TypeError("a network keeps its parameters")


class Session(_Handle):
    """A network's weights on a device: those of the checkpoint that the model came from, or drawn from `seed`."""

    _close = "skp_session_close"

    def __init__(self, model, device, seed=1):
        self.model = model
        super().__init__(library.skp_session_open, model._at, device._at, seed, needs=(model, device))

    @property
    def parameters(self):
        return _Parameters(self)

    def save(self, path):
        """Writes weights, model and classes into a safetensors file."""
        library.skp_session_save(self._at, fsencode(path))

    def load(self, path, *, partly=False):
        """Loads weights by name; partly: what does not fit stays as it is."""
        library.skp_session_load(self._at, fsencode(path), partly, None)

    def export_onnx(self, path, *, opset=0, dynamic_batch=False, fold=False, preprocessing=False):
        """Writes the network in evaluation as an ONNX file, see skp_onnx_options."""
        library.skp_session_export_onnx(self._at, fsencode(path), _c.OnnxOptions(opset, dynamic_batch, fold, preprocessing))

    def train(self, data, *, listener=None, **options):
        """Trains as the model's recipe says. Options are the fields of skp_training: out, resume, seed, max_steps, max_seconds, … `listener` hears of each step and
        epoch (see skp_event); if it gives back True the training ends (Interrupted), an exception ends it, too."""
        raised = []

        def hear(user, event):
            try:
                return bool(listener(_plain(event.contents))) if listener else 0
            except BaseException as error:  # among them Ctrl-C, which Python sees here
                raised.append(error)
                return 1

        outcome, own = _c.Outcome(), _c.Listener(hear)
        for name, value in options.items():
            if name not in {field[0] for field in _c.Training._fields_} - {"report", "lines", "ranks"}:
                raise TypeError(f"train has no option {name}")
            options[name] = fsencode(value) if name in ("out", "runs", "tensorboard", "trace") and value is not None else value
        library.skp_listen(own, None)
        try:
            library.skp_train(self._at, data._at, _c.Training(**options), outcome)
        except Interrupted:
            if raised:
                raise raised[0]
            raise
        finally:
            library.skp_listen(_c.Listener(), None)
        return _plain(outcome)

    def find_lr(self, data, *, seed=1, first=0, last=0, steps=0, workers=0, curve=None):
        """Looks for a learning rate as skp_find_lr does, for the weights as they are: `suggestion` (0: at no rate the loss falls by more than it strays, as of a network
        that has been trained), and `at`, an array of steps with fields lr, loss and smooth. The weights stay as they are."""
        search = _c.LrSearch()
        options = _c.LrOptions(seed, first, last, steps, workers, None, None if curve is None else fsencode(curve))
        library.skp_find_lr(self._at, data._at, options, search)
        at = numpy.array([(p.lr, p.loss, p.smooth) for p in search.at[:search.n]], [(name, float) for name, _ in _c.LrPoint._fields_])
        return _plain(search)._replace(at=at)

    def bench(self, *, evaluate=False, samples=0, layers=False, trace=None):
        """How fast steps of the recipe's batch are, on random images; `layers`: and where the time goes, see skp_layer_time; `trace`: a file for it."""
        speed = _c.Speed()
        library.skp_bench(self._at, _c.BenchOptions(evaluate, samples, layers, None if trace is None else fsencode(trace), None, None), speed)
        times = [_plain(layer)._replace(launches=[_plain(launch) for launch in layer.launches[:layer.n_launches]]) for layer in speed.layers[:speed.n_layers]]
        return _plain(speed)._replace(layers=times, peaks=_plain(speed.peaks))

    def stop(self):
        """Ends the training that goes on in another thread after its present step."""
        library.skp_session_stop(self._at)

    def evaluate(self, data, part="test", *, by_number=False, workers=0, worst=20, folder=None):
        """Tests the network on a part of the data: test, validation, training, or the best of these that there is; see skp_testing."""
        score = _c.Score()
        testing = _c.Testing(by_number, workers, worst, None if folder is None else fsencode(folder), None, None)
        library.skp_evaluate(self._at, data._at, PARTS[part], testing, score)
        return _plain(score)

    def report(self):
        """Where it erred in the latest test or training: classes, confusion (of row, taken for column), images with the highest loss; None: there is none."""
        at = library.skp_session_report(self._at)
        if not at:
            return None
        n = library.skp_report_classes(at)
        classes = [_filled(_c.ClassScore(), library.skp_report_class, at, i) for i in range(n)]
        confusion = numpy.array([[library.skp_report_confusion(at, i, k) for k in range(n)] for i in range(n)], numpy.int64)
        images = [_filled(_c.ImageScore(), library.skp_report_image, at, i) for i in range(library.skp_report_images(at))]
        return namedtuple("report", "classes confusion images")(classes, confusion, images)

    def _predictions(self, n):
        array = numpy.empty((n, library.skp_model_classes(self.model._at)), numpy.float32)
        return array, array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))

    def predict(self, images, *, logits=False):
        """What the network says of images, N×H×W×C or N×H×W (grey), uint8 or floats from 0 to 1, of any size: probabilities, or logits, an array images × classes."""
        pixels, array = _pixels(images)
        predictions, pointer = self._predictions(len(array))
        if len(array):
            library.skp_predict(self._at, pixels, LOGITS if logits else PROBABILITIES, pointer)
        return predictions

    def predict_files(self, paths, *, logits=False):
        """The same of picture files of any sizes."""
        predictions, pointer = self._predictions(len(paths))
        if len(paths):
            library.skp_predict_files(self._at, _texts([fsencode(p) for p in paths]), len(paths), LOGITS if logits else PROBABILITIES, pointer)
        return predictions
