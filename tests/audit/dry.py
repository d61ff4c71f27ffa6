"""dry.py: what devices would be given to do: networks trained for a few steps as other devices, under the layer of
pose.c, which runs nothing and notes everything. SPDX-License-Identifier: MIT"""
import collections, os, re, shutil, subprocess, sys

# Arguments of `skipper bench`.
NETWORKS = {
    "ResNet-18": ["resnet18"],
    "ResNet-50": ["resnet50"],
    "CIFAR ResNet-20": ["resnet20"],
    "MobileNetV2": ["mobilenet_v2"],
}
BATCHES = [32, 128]

# units: compute units as the driver counts them; lanes: multiply-adds of one in a cycle; mhz: its boost clock; gbs:
# memory bandwidth. The last three serve the model alone.
Profile = collections.namedtuple("Profile", "name vendor units group local gb compiler target lanes mhz gbs")
PROFILES = [
    Profile("NVIDIA RTX 2060", 0x10DE, 30, 1024, 48, 6, "nvidia", "sm_75", 64, 1680, 336),
    Profile("NVIDIA RTX 3060", 0x10DE, 28, 1024, 48, 12, "nvidia", "sm_86", 128, 1777, 360),
    Profile("NVIDIA H100", 0x10DE, 132, 1024, 48, 80, "nvidia", "sm_90", 128, 1755, 3350),
    Profile("AMD MI210", 0x1002, 104, 1024, 64, 64, "amd", "gfx90a", 128, 1700, 1638),
    Profile("AMD RX 6600 XT", 0x1002, 32, 1024, 64, 8, "amd", "gfx1030", 64, 2589, 256),
    Profile("Intel Arc A380", 0x8086, 128, 1024, 64, 6, "intel", "dg2", 8, 2450, 186),
    Profile("Intel Iris Xe", 0x8086, 96, 512, 64, 8, "intel", "tgllp", 8, 1300, 68),
]


def named(name):
    return next(p for p in PROFILES if p.name == name)


# A launch: `program` is its ID, `sizes` [[global, local] along three dimensions], `bytes` those of all buffers that the
# kernel is given, `arguments` its whole numbers by their names.
Launch = collections.namedtuple("Launch", "kernel program sizes bytes arguments")
OPTIMIZERS = {"sgd", "adam", "adamw"}  # kernels that end a step
LOSS = "softmax_cross_entropy_dx"  # once in each part
CHOICE = re.compile(r"(\w+) .* -> .*: (\w+) \((.*)\)")  # of a method, when others were refused: a line of -v


def expanded(text, inside):
    """A list of parameters as declarations, those in macros (NAME or NAME(word)) too."""
    for piece in map(str.strip, inside.split(",")):
        call = re.fullmatch(r"(\w+)(?:\((\w+)\))?", piece)
        macro = call and re.search(rf"^#define {call[1]}(?:\((\w+)\))?\s((?:.*\\\n)*.*)$", text, re.M)
        if not macro:
            yield piece
            continue
        body = re.sub(r"/\*.*?\*/|\\\n", " ", macro[2], flags=re.S)
        yield from expanded(text, re.sub(rf"\b{macro[1]}##|##{macro[1]}\b", call[2], body) if call[2] else body)


def parameters(text):
    """{kernel: names of its parameters} of a program's text."""
    return {name: [p.replace("*", " ").split()[-1] for p in expanded(text, inside) if p]
            for name, inside in re.findall(r"\bvoid\s+(\w+)\(([^{}]*?)\)\s*{", text)}


def read_launch(words, names):
    program, kernel, *n = words
    sizes, size, given = n[:6], int(n[6]), n[7:]
    arguments = dict(zip(names[program].get(kernel, []), given))
    return Launch(kernel, program, [[int(sizes[i]), int(sizes[i + 1])] for i in (0, 2, 4)], size,
                  {k: int(v) for k, v in arguments.items() if v != "-"})


def last_step(lines):
    ends = [i for i, line in enumerate(lines) if line[0] == "launch" and line[2] in OPTIMIZERS]
    return lines[ends[-2] + 1 : ends[-1] + 1]


def read_log(folder):
    with open(folder + "/launches") as f:
        step = last_step([line.split() for line in f])
    programs = {}
    for name in {line[1] for line in step if line[0] == "launch"}:
        with open(f"{folder}/{name}.cl") as text, open(f"{folder}/{name}.options") as options:
            programs[name] = [text.read(), options.read()]
    names = {i: parameters(text) for i, (text, _) in programs.items()}
    launches = [read_launch(line[1:], names) for line in step if line[0] == "launch"]
    copied = sum(int(line[1]) for line in step if line[0] != "launch")
    commands = sum(line[0] in ("launch", "fill", "copy") for line in step)
    return {"commands": commands, "launches": launches, "copied": copied, "programs": programs}


def pose(skipper, layer, profile, arguments, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    names = {"POSE_NAME": profile.name, "POSE_VENDOR": hex(profile.vendor), "POSE_UNITS": profile.units,
             "POSE_GROUP": profile.group, "POSE_LOCAL": profile.local, "POSE_GB": profile.gb, "POSE_LOG": folder,
             "OPENCL_LAYERS": layer, "SKIPPER_NO_CACHE": 1,
             "SKIPPER_TRUST": 1}  # nothing runs, so nothing is right
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SKIPPER_", "POSE_", "OCL_ICD_"))}
    environment.update((k, str(v)) for k, v in names.items())
    command = [skipper, "bench", *arguments, "--steps=1", "-v"]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
                          timeout=600)


def dry_run(skipper, layer, profile, arguments, folder):
    """One step, as read_log gives it, with `refused`, what -v says of ops that did not get the best method, and
    `parts`, in how many the step is done where memory is too small for it."""
    done = pose(skipper, layer, profile, arguments, folder)
    if done.returncode:
        sys.exit(f"ci/audit: bench {' '.join(arguments)} as {profile.name}: {done.stderr}")
    run = read_log(folder)
    run["refused"] = sorted({found.groups() for found in map(CHOICE.match, done.stderr.splitlines()) if found})
    run["parts"] = sum(launch.kernel == LOSS for launch in run["launches"])
    shutil.rmtree(folder)
    return run
