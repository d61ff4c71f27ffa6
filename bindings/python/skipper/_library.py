"""Finds libskipper and declares what skipper.h does, and of tools.h what the package uses. SPDX-License-Identifier: MIT

Structs and functions are those of the headers, in their order; tests/library/test_python.sh compares the layouts with the compiler's."""
import ctypes
import ctypes.util
import os
from ctypes import POINTER, Structure, c_char, c_char_p, c_double, c_float, c_int, c_int32, c_int64, c_size_t, c_uint64, c_void_p

VERSION = "0.1"  # of the interface that is declared here


def _candidates():
    """Where the library may be: SKIPPER_LIBRARY names the file; else it lies beside this one, or where the system looks."""
    named = os.environ.get("SKIPPER_LIBRARY")
    if named:
        return [named]
    beside = os.path.join(os.path.dirname(__file__), "libskipper.so." + VERSION)
    found = ctypes.util.find_library("skipper")
    return [beside] * os.path.exists(beside) + ["libskipper.so." + VERSION] + [found] * bool(found)


def _open():
    why = None
    for name in _candidates():
        try:
            return ctypes.CDLL(name)
        except OSError as error:
            why = why or error
    raise ImportError(f"libskipper.so.{VERSION} is not to be had ({why}). Install Skipper (cmake --install build, then ldconfig as root; elsewhere than in the system's folders name its lib in LD_LIBRARY_PATH), or name the file in SKIPPER_LIBRARY.")


def _struct(name, *fields):
    return type(name, (Structure,), {"_fields_": list(fields)})


HostOptions = _struct("skp_host_options", ("scratch", c_char_p), ("index", c_char_p), ("root", c_char_p), ("probe_seconds", c_double), ("call", c_void_p))
DeviceInfo = _struct("skp_device_info", ("platform", c_int), ("device", c_int), ("name", c_char_p), ("vendor", c_char_p),
                     ("platform_name", c_char_p), ("driver", c_char_p), ("type", c_char_p), ("version", c_char_p), ("language", c_char_p),
                     ("units", c_int), ("clock_mhz", c_int), ("memory", c_int64), ("most", c_int64), ("local_memory", c_int64),
                     ("max_group", c_int64), ("fp16", c_int), ("fp64", c_int), ("subgroups", c_int), ("unified", c_int),
                     ("usable", c_int), ("why", c_char_p))
DeviceOptions = _struct("skp_device_options", ("device", c_char_p), ("platform", c_char_p), ("backend", c_char_p), ("threads", c_int),
                        ("memory", c_int64), ("cache", c_char_p), ("method", c_char_p), ("tune", c_char_p), ("timeout", c_double), ("sync", c_int),
                        ("trace", c_void_p), ("report", c_void_p), ("place", c_int), ("neighbours", c_int), ("trust", c_int), ("hung", c_void_p), ("user", c_void_p))
DeviceState = _struct("skp_device_state", ("name", c_char * 160), ("driver", c_char * 256), ("memory", c_int64), ("used", c_int64),
                      ("most", c_int64), ("keeps_kernels", c_int))
Pixels = _struct("skp_pixels", ("values", c_void_p), ("kind", c_int), ("n", c_int64), ("height", c_int), ("width", c_int), ("channels", c_int))
DataOptions = _struct("skp_data_options", ("to_test", c_int), ("labelled", c_int), ("strict", c_int), ("max_damaged", c_int64), ("report", c_void_p))
ModelOptions = _struct("skp_model_options", ("settings", POINTER(c_char_p)), ("size", c_int), ("trained", c_int), ("learns", c_void_p), ("print_to", c_void_p))
OnnxOptions = _struct("skp_onnx_options", ("opset", c_int), ("dynamic_batch", c_int), ("fold", c_int), ("preprocessing", c_int))
Parameter = _struct("skp_parameter", ("name", c_char_p), ("rank", c_int), ("dim", c_int64 * 4), ("count", c_int64), ("trained", c_int))
Event = _struct("skp_event", ("doing", c_char_p), ("done", c_int64), ("all", c_int64), ("step", c_int64), ("epoch", c_int64), ("epochs", c_int64),
                ("step_in_epoch", c_int64), ("steps_in_epoch", c_int64), ("images_in_epoch", c_int64), ("first", c_int), ("loss", c_double),
                ("seconds", c_double), ("img_per_s", c_double), ("data_wait", c_double), ("epoch_done", c_int), ("by_validation", c_int),
                ("train_loss", c_double), ("accuracy", c_double), ("test_loss", c_double))
Listener = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(Event))
Training = _struct("skp_training", ("out", c_char_p), ("runs", c_char_p), ("by_seed", c_int), ("resume", c_int), ("seed", c_uint64),
                   ("max_steps", c_int64), ("no_steps", c_int), ("max_seconds", c_double), ("in_stored_order", c_int), ("workers", c_int), ("save_epochs", c_int64),
                   ("save_steps", c_int64), ("save_seconds", c_double), ("keep", c_int64), ("report", c_void_p), ("lines", c_void_p), ("tensorboard", c_char_p),
                   ("trace_steps", c_int64), ("trace", c_char_p), ("ranks", c_void_p), ("shares", c_char_p))
Outcome = _struct("skp_outcome", ("steps", c_int64), ("accuracy", c_double), ("test_accuracy", c_double), ("by_validation", c_int),
                  ("best_epoch", c_int64), ("best", c_double), ("epoch", c_int64), ("step_in_epoch", c_int64), ("steps_in_epoch", c_int64),
                  ("loss", c_double))
Score = _struct("skp_score", ("accuracy", c_double), ("top5", c_double), ("loss", c_double), ("img_per_s", c_double), ("images", c_int64),
                ("unlabelled", c_int64), ("unknown", c_int64), ("not_finite", c_int64))
Testing = _struct("skp_testing", ("by_number", c_int), ("workers", c_int), ("worst", c_int64), ("folder", c_char_p), ("logits", c_char_p),
                  ("report", c_void_p))
ClassScore = _struct("skp_class_score", ("name", c_char_p), ("listed", c_int), ("images", c_int64), ("predicted", c_int64), ("right", c_int64),
                     ("precision", c_double), ("recall", c_double), ("f1", c_double))
ImageScore = _struct("skp_image_score", ("image", c_int64), ("name", c_char_p), ("label", c_char_p), ("prediction", c_char_p), ("right", c_int),
                     ("loss", c_double), ("confidence", c_double))
Spread = _struct("skp_spread", ("runs", c_int64), ("median", c_double), ("mean", c_double), ("half", c_double), ("least", c_double),
                 ("most", c_double))
RanksPlace = _struct("skp_ranks_place", ("rank", c_int), ("size", c_int), ("place", c_int), ("neighbours", c_int))
# tools.h
Layer = _struct("skp_layer", ("name", c_char_p), ("operation", c_char_p), ("rank", c_int), ("output", c_int64 * 4), ("parameters", c_int64),
                ("flops", c_double), ("bytes", c_int64), ("idle", c_int))
Need = _struct("skp_need", ("possible", c_int), ("activations", c_int64), ("parameters", c_int64), ("gradients", c_int64), ("moments", c_int64),
               ("statistics", c_int64), ("inputs", c_int64), ("results", c_int64), ("total", c_int64), ("largest", c_int64), ("flops", c_double),
               ("all", c_int64), ("fits", c_int), ("largest_batch", c_int64))
LrPoint = _struct("skp_lr_point", ("lr", c_double), ("loss", c_double), ("smooth", c_double))
LrSearch = _struct("skp_lr_search", ("at", POINTER(LrPoint)), ("n", c_int64), ("diverged", c_int), ("lowest", c_int64), ("suggestion", c_double))
LrOptions = _struct("skp_lr_options", ("seed", c_uint64), ("first", c_double), ("last", c_double), ("steps", c_int64), ("workers", c_int),
                    ("report", c_void_p), ("curve", c_char_p))
BenchOptions = _struct("skp_bench_options", ("evaluate", c_int), ("samples", c_int64), ("layers", c_int), ("trace", c_char_p), ("report", c_void_p),
                       ("table", c_char_p))
Showing = _struct("skp_showing", ("page", c_char_p), ("reload", c_int), ("figures", c_char_p), ("why", c_void_p))
Peaks = _struct("skp_peaks", ("fma", c_double), ("narrow", c_double), ("read", c_double), ("write", c_double), ("triad", c_double), ("launch", c_double))
LaunchTime = _struct("skp_launch_time", ("name", c_char_p), ("seconds", c_double))
LayerTime = _struct("skp_layer_time", ("layer", c_char_p), ("operation", c_char_p), ("method", c_char_p), ("shapes", c_char * 256),
                    ("seconds", c_double), ("flops", c_double), ("launches", POINTER(LaunchTime)), ("n_launches", c_size_t),
                    ("kind", c_char * 64), ("bytes", c_double), ("compute_share", c_double), ("memory_share", c_double))
Speed = _struct("skp_speed", ("img_per_s", c_double), ("best_img_per_s", c_double), ("gflops", c_double), ("cold_start", c_double),
                ("loss", c_double), ("batch", c_int64), ("ops", c_int64), ("launches", c_int64), ("layers", POINTER(LayerTime)), ("n_layers", c_size_t),
                ("peaks", Peaks))

BYTES, FLOATS = 0, 1
PARTS = {"training": 0, "validation": 1, "test": 2, "best": 3}
PROBABILITIES, LOGITS = 0, 1

_FLOATS, _LABELS, _TEXTS, _OUT = POINTER(c_float), POINTER(c_int32), POINTER(c_char_p), POINTER(c_void_p)
# name: (result, arguments); a result of None is nothing, "status" is checked
_FUNCTIONS = {
    "skp_version": (c_char_p, []),
    "skp_status_name": (c_char_p, [c_int]),
    "skp_error_message": (c_char_p, []),
    "skp_listen": (None, [Listener, c_void_p]),
    "skp_host_set": ("status", [POINTER(HostOptions)]),
    "skp_device_count": ("status", [POINTER(c_size_t)]),
    "skp_device_describe": ("status", [c_size_t, POINTER(DeviceInfo)]),
    "skp_device_choose": ("status", [POINTER(c_size_t), POINTER(DeviceOptions)]),
    "skp_device_open": ("status", [_OUT, POINTER(DeviceOptions)]),
    "skp_device_close": (None, [c_void_p]),
    "skp_device_ask": (None, [c_void_p, POINTER(DeviceState)]),
    "skp_data_open": ("status", [_OUT, c_char_p, POINTER(DataOptions)]),
    "skp_data_wrap": ("status", [_OUT, POINTER(Pixels), _LABELS, c_int, _TEXTS]),
    "skp_data_wrap_test": ("status", [c_void_p, POINTER(Pixels), _LABELS]),
    "skp_data_close": (None, [c_void_p]),
    "skp_data_images": (c_int64, [c_void_p, c_int]),
    "skp_data_classes": (c_int, [c_void_p]),
    "skp_data_class_name": (c_char_p, [c_void_p, c_int]),
    "skp_model_load": ("status", [_OUT, c_char_p, POINTER(ModelOptions)]),
    "skp_model_build": ("status", [_OUT, c_char_p, c_char_p, POINTER(ModelOptions)]),
    "skp_model_free": (None, [c_void_p]),
    "skp_ranks_open": ("status", [_OUT, c_double]),
    "skp_ranks_close": (None, [c_void_p, c_int]),
    "skp_ranks_describe": (None, [c_void_p, POINTER(RanksPlace)]),
    "skp_model_set": ("status", [c_void_p, c_char_p, c_char_p]),
    "skp_model_get": ("status", [c_void_p, c_char_p, c_char_p, c_size_t]),
    "skp_model_name": (c_char_p, [c_void_p]),
    "skp_model_size": (c_int, [c_void_p]),
    "skp_model_channels": (c_int, [c_void_p]),
    "skp_model_classes": (c_int, [c_void_p]),
    "skp_model_trained": (c_int, [c_void_p]),
    "skp_model_parameters": (c_int64, [c_void_p]),
    "skp_model_class_name": (c_char_p, [c_void_p, c_int]),
    "skp_session_open": ("status", [_OUT, c_void_p, c_void_p, c_uint64]),
    "skp_session_close": (None, [c_void_p]),
    "skp_session_save": ("status", [c_void_p, c_char_p]),
    "skp_session_load": ("status", [c_void_p, c_char_p, c_int, c_void_p]),
    "skp_session_stop": (None, [c_void_p]),
    "skp_session_export_onnx": ("status", [c_void_p, c_char_p, POINTER(OnnxOptions)]),
    "skp_parameter_count": (c_size_t, [c_void_p]),
    "skp_parameter_describe": ("status", [c_void_p, c_size_t, POINTER(Parameter)]),
    "skp_parameter_find": ("status", [c_void_p, c_char_p, POINTER(Parameter)]),
    "skp_parameter_read": ("status", [c_void_p, c_char_p, _FLOATS, c_int64]),
    "skp_parameter_write": ("status", [c_void_p, c_char_p, _FLOATS, c_int64]),
    "skp_train": ("status", [c_void_p, c_void_p, POINTER(Training), POINTER(Outcome)]),
    "skp_evaluate": ("status", [c_void_p, c_void_p, c_int, POINTER(Testing), POINTER(Score)]),
    "skp_session_report": (c_void_p, [c_void_p]),
    "skp_report_classes": (c_int, [c_void_p]),
    "skp_report_class": ("status", [c_void_p, c_int, POINTER(ClassScore)]),
    "skp_report_confusion": (c_int64, [c_void_p, c_int, c_int]),
    "skp_report_images": (c_int64, [c_void_p]),
    "skp_report_image": ("status", [c_void_p, c_int64, POINTER(ImageScore)]),
    "skp_report_unknown": (c_char_p, [c_void_p, c_int]),
    "skp_predict": ("status", [c_void_p, POINTER(Pixels), c_int, _FLOATS]),
    "skp_predict_files": ("status", [c_void_p, _TEXTS, c_size_t, c_int, _FLOATS]),
    "skp_costs_open": ("status", [_OUT, c_void_p]),
    "skp_costs_close": (None, [c_void_p]),
    "skp_costs_layers": (c_size_t, [c_void_p]),
    "skp_costs_layer": ("status", [c_void_p, c_size_t, POINTER(Layer)]),
    "skp_costs_measure": ("status", [c_void_p, c_void_p, POINTER(Need), POINTER(Need)]),
    "skp_find_lr": ("status", [c_void_p, c_void_p, POINTER(LrOptions), POINTER(LrSearch)]),
    "skp_device_measure": ("status", [c_void_p, POINTER(Peaks), c_char_p, c_size_t]),
    "skp_device_known": (c_int, [c_size_t, c_char_p, POINTER(Peaks)]),
    "skp_device_unmeasured": (c_int, [POINTER(c_size_t), POINTER(DeviceOptions)]),
    "skp_device_unmeasurable": ("status", [c_size_t, c_char_p]),
    "skp_bench": ("status", [c_void_p, POINTER(BenchOptions), POINTER(Speed)]),
}


class Error(Exception):
    """What a function of the library says: the text is whole sentences, `status` the kind ("SHAPE", "IO", …)."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Interrupted(Error):
    """A training that was stopped, after saving."""


library = _open()


def _check(status, function, arguments):
    if status:
        kind, text = library.skp_status_name(status).decode(), library.skp_error_message().decode(errors="replace")
        raise (Interrupted if kind == "INTERRUPTED" else Error)(kind, text)


for _name, (_result, _arguments) in _FUNCTIONS.items():
    _function = getattr(library, _name)
    _function.argtypes = _arguments
    _function.restype = c_int if _result == "status" else _result
    if _result == "status":
        _function.errcheck = _check
if not library.skp_version().decode().startswith(VERSION + "."):
    raise ImportError(f"This package is for Skipper {VERSION}, not for {library.skp_version().decode()}.")
