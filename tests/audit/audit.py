"""audit.py: what compilers for GPUs say of the programs that training would run there; called by ci/audit. SPDX-License-Identifier: MIT

For each device profile and network a dry run under the posing layer (pose.c) collects programs, options and sizes of launches; each program is
compiled for the profile's target. Both are kept by what they depend on, so that a second run repeats only what changed.
usage: audit.py SKIPPER POSE_LIBRARY FOLDER [--all]"""
import collections, concurrent.futures, glob, hashlib, json, os, re, shutil, subprocess, sys

NETWORKS = {
    "ResNet-18": ["models/resnet.lua", "--set", "depth=18"],
    "ResNet-50": ["models/resnet.lua", "--set", "depth=50"],
    "CIFAR ResNet-20": ["models/resnet20.lua"],
}
BATCH = 32

Profile = collections.namedtuple("Profile", "name vendor units group local gb compiler target")
PROFILES = [
    Profile("NVIDIA RTX 2060", 0x10DE, 30, 1024, 48, 6, "nvidia", "sm_75"),
    Profile("NVIDIA RTX 3060", 0x10DE, 28, 1024, 48, 12, "nvidia", "sm_86"),
    Profile("NVIDIA H100", 0x10DE, 132, 1024, 48, 80, "nvidia", "sm_90"),
    Profile("AMD MI210", 0x1002, 104, 1024, 64, 64, "amd", "gfx90a"),
    Profile("AMD RX 6600 XT", 0x1002, 32, 1024, 64, 8, "amd", "gfx1030"),
    Profile("Intel Arc A380", 0x8086, 128, 1024, 64, 6, "intel", "dg2"),
    Profile("Intel Iris Xe", 0x8086, 96, 512, 64, 8, "intel", "tgllp"),
]

# Limits. Shares are of the instructions in the depth loop of the kernels for large layers that multiply.
MOST_LOCAL = 32768
MOST_GROUPS = 65535  # along dimensions 1 and 2
FLOORS = {"nvidia": 0.80, "amd": 0.85}
CONVOLUTION = re.compile(r"conv2d_(igemm|tiled|direct|cpu|thin|winograd|few)")
SLOW = re.compile(r"conv2d_direct|conv2d_plain")  # kernels that take an element at a time


def run(command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, **more)
    return done.returncode, done.stdout


def digest(*parts):
    h = hashlib.sha256()
    for part in parts:
        h.update(part if isinstance(part, bytes) else repr(part).encode())
    return h.hexdigest()[:24]


def content(path):
    with open(path, "rb") as f:
        return f.read()


# ---- compilers: each gives, for every kernel of a program, {registers, spill, local, share} -------------------------------------------


def first_of(*names):
    return next((found for found in map(shutil.which, names) if found), None)


def wheel(name):
    """A program of NVIDIA's packages from PyPI, in the Python environment that GPU_VENV names."""
    found = glob.glob(os.environ.get("GPU_VENV", "/nonexistent") + "/lib/python*/site-packages/nvidia/**/bin/" + name, recursive=True)
    return found[0] if found else None


CLANG = first_of("clang-15", "clang-16", "clang-14", "clang")
PTXAS = first_of("ptxas") or wheel("ptxas")
NVDISASM = first_of("nvdisasm") or wheel("nvdisasm")
OCLOC = first_of("ocloc")
LIBCLC = "/usr/lib/clc/nvptx64--nvidiacl.bc"
ROCM = next(iter(glob.glob("/usr/lib/*/amdgcn/bitcode")), None)
OPENCL = ["-x", "cl", "-Xclang", "-finclude-default-header", "-O3", "-S"]


def missing(compiler):
    """What has to be installed for it; an empty list: nothing."""
    needs = {
        "nvidia": [(CLANG, "clang-15"), (os.path.exists(LIBCLC), "libclc-15"), (PTXAS, "ptxas (nvidia-cuda-nvcc from PyPI, GPU_VENV)")],
        "amd": [(CLANG, "clang-15"), (ROCM, "rocm-device-libs")],
        "intel": [(OCLOC, "ocloc (intel-opencl-icd)")],
    }
    return [name for there, name in needs[compiler] if not there]


def version(compiler):
    tools = {"nvidia": [[CLANG, "--version"], [PTXAS, "--version"]], "amd": [[CLANG, "--version"]], "intel": [["dpkg-query", "-W", "intel-opencl-icd", "libigc1"]]}
    out = [run(tool)[1] for tool in tools[compiler] if shutil.which(tool[0]) or os.path.exists(tool[0])]
    return out + [bool(NVDISASM)] if compiler == "nvidia" else out


def loop_share(instructions, multiplies, counts):
    """The share of multiplications among the instructions that `counts` accepts, in the loop with most of them. A list of (name, label it jumps
    to, labels before it)."""
    place, best = {}, (0, None)
    for i, (name, target, labels) in enumerate(instructions):
        place.update((label, i) for label in labels)
        if target in place:
            body = [n for n, _, _ in instructions[place[target] : i + 1] if counts.match(n)]
            products = sum(bool(multiplies.match(n)) for n in body)
            if products > best[0]:
                best = (products, products / len(body))
    return best[1]


def parse(text, label, instruction, jump):
    out, labels = [], []
    for line in text.splitlines():
        if found := label.match(line):
            labels.append(found[1])
        elif found := instruction.match(line):
            target = jump.search(line)
            out.append((found[1], target and target[1], labels))
            labels = []
    return out


def nvidia(source, options, target, stem):
    ptx, cubin = stem + ".ptx", stem + ".cubin"
    code, out = run([CLANG, "-target", "nvptx64-nvidia-nvcl", "-march=sm_75", "-Xclang", "-mlink-builtin-bitcode", "-Xclang", LIBCLC, *OPENCL, *options, "-o", ptx, source])
    if code:
        return {"*": {"error": out}}
    code, out = run([PTXAS, "-arch=" + target, "-v", "-o", cubin, ptx])
    if code:
        return {"*": {"error": out}}
    kernels = {}
    pattern = r"entry function '(\w+)'.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers(.*?)\n"
    for name, stack, stores, loads, registers, rest in re.findall(pattern, out, re.S):
        local = re.search(r"(\d+) bytes smem", rest)
        kernels[name] = {"registers": int(registers), "spill": int(stores) + int(loads) + int(stack), "local": int(local[1]) if local else 0}
    sections = re.split(r"//-+ \.text\.", run([NVDISASM, "-c", cubin])[1])[1:] if NVDISASM else []
    for section in sections:
        code = parse(section, re.compile(r"(\.L_\w+):"), re.compile(r"\s+(?:/\*\w+\*/\s+)?(?:@!?U?P\w+\s+)?([A-Z][\w.]+)"), re.compile(r"BRA.*\((\.L_\w+)\)"))
        if section.split()[0] in kernels:
            kernels[section.split()[0]]["share"] = loop_share(code, re.compile("FFMA"), re.compile(r"(?!NOP)"))
    return kernels


def amd(source, options, target, stem):
    assembly = stem + ".s"
    code, out = run([CLANG, "-target", "amdgcn-amd-amdhsa", "-mcpu=" + target, "--rocm-device-lib-path=" + ROCM, *OPENCL, *options, "-o", assembly, source])
    if code:
        return {"*": {"error": out}}
    kernels = {}
    for name, body, tail in re.findall(r"^(\w+):\s+; @\1\n(.*?)\.end_amdhsa_kernel(.*?)(?=^\t\.globl|\Z)", content(assembly).decode(), re.S | re.M):
        number = lambda what: int(re.search("; " + what + r": (\d+)", tail)[1])
        code = parse(body, re.compile(r"(\.LBB\w+):"), re.compile(r"\t([a-z]\w+)"), re.compile(r"branch\w*\s+(\.LBB\w+)"))
        kernels[name] = {
            "registers": number("NumVgprs"),
            "spill": number("ScratchSize"),
            "local": number("LDSByteSize"),
            "share": loop_share(code, re.compile(r"v_(pk_)?(fma|fmac|mac)"), re.compile(r"v_")),
        }
    return kernels


def intel(source, options, target, stem):
    code, out = run([OCLOC, "compile", "-file", source, "-device", target, "-options", " ".join(options), "-out_dir", stem + ".ocloc"])
    if code or "Build succeeded" not in out:
        return {"*": {"error": out}}
    spills = dict(re.findall(r"kernel (\w+)\s+compiled SIMD\d+ allocated \d+ regs and spilled around (\d+)", out))
    names = re.findall(r"\bkernel\b(?:\s+__attribute__\(\(.*?\)\)\))?\s+void\s+(\w+)", content(source).decode())
    return {name: {"spill": int(spills.get(name, 0))} for name in {*names, *spills}}


COMPILERS = {"nvidia": nvidia, "amd": amd, "intel": intel}

# ---- what is kept ---------------------------------------------------------------------------------------------------------------------------


class Kept:
    """Results in a folder, by the hash of what they depend on."""

    def __init__(self, folder):
        self.folder, self.made = folder, 0
        os.makedirs(folder, exist_ok=True)

    def get(self, key, make):
        path = os.path.join(self.folder, key + ".json")
        if not os.path.exists(path):
            value = make(os.path.join(self.folder, key))
            self.made += 1
            with open(path + ".part", "w") as f:
                json.dump(value, f)
            os.rename(path + ".part", path)
        with open(path) as f:
            return json.load(f)


def dry_run(skipper, pose, profile, arguments, stem):
    """{launches a step, launches: [[program, kernel, [[global, local] × 3]]], programs: {id: [text, options]}}"""
    shutil.rmtree(stem, ignore_errors=True)
    os.makedirs(stem)
    names = {"POSE_NAME": profile.name, "POSE_VENDOR": hex(profile.vendor), "POSE_UNITS": profile.units, "POSE_GROUP": profile.group,
             "POSE_LOCAL": profile.local, "POSE_GB": profile.gb, "POSE_LOG": stem, "OPENCL_LAYERS": pose, "SKIPPER_NO_CACHE": 1}
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SKIPPER_", "POSE_", "OCL_ICD_"))}
    environment.update((k, str(v)) for k, v in names.items())
    command = [skipper, "bench", *arguments, f"--batch={BATCH}", "--steps=1", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, timeout=600)
    if done.returncode:
        sys.exit(f"ci/audit: {' '.join(command)} as {profile.name}: {done.stderr}")
    launches = set()
    with open(stem + "/launches") as f:
        for line in f:
            kind, *rest = line.split()
            if kind == "launch":
                launches.add((rest[0], rest[1], *map(int, rest[2:])))
    programs = {i: [content(f"{stem}/{i}.cl").decode(), content(f"{stem}/{i}.options").decode()] for i in {l[0] for l in launches}}
    shutil.rmtree(stem)
    sizes = [[i, name, [[n[0], n[1]], [n[2], n[3]], [n[4], n[5]]]] for i, name, *n in sorted(launches)]
    return {"step": json.loads(done.stdout)["launches"], "launches": sizes, "programs": programs}


def compile_one(profile, text, options, stem):
    with open(stem + ".cl", "w") as f:
        f.write(text)
    kernels = COMPILERS[profile.compiler](stem + ".cl", options.split(), profile.target, stem)
    for path in glob.glob(stem + ".*"):
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    return kernels


# ---- judging --------------------------------------------------------------------------------------------------------------------------------


def groups_of(sizes):
    return [g // l for g, l in sizes]


def title(text, options):
    defines = " ".join(o for o in options.split() if o.startswith("-D"))
    name = re.match(r"/\* (\w+)\.cl", text)
    return f"{name[1] if name else 'CLBlast'} {defines}".strip()


def judge_kernel(compiler, name, kernel):
    if "error" in kernel:
        yield "does not compile: " + kernel["error"].strip()[-300:]
        return
    if kernel["spill"]:
        yield f"{name} spills registers ({kernel['spill']})"
    if kernel.get("local", 0) > MOST_LOCAL:
        yield f"{name} takes {kernel['local']} bytes of local memory"


def judge(profile, network, trace, results):
    """A row of the table, and what is wrong."""
    wrong, shares, few = [], [], 0
    convolutions = [l for l in trace["launches"] if CONVOLUTION.match(l[1])]
    for program, name, sizes in trace["launches"]:
        groups = groups_of(sizes)
        if max(groups[1:]) > MOST_GROUPS:
            wrong.append(f"{name}: {groups[1]} × {groups[2]} groups along dimensions 1 and 2")
        if SLOW.match(name):
            wrong.append(f"{name}: an element at a time")
    for program, name, sizes in convolutions:
        groups = groups_of(sizes)
        few += groups[0] * groups[1] * groups[2] < profile.units
    launched = {(program, name) for program, name, _ in trace["launches"]}
    registers = 0
    for program, (text, options) in trace["programs"].items():
        for name, kernel in (results.get(program) or {}).items():
            if name != "*" and (program, name) not in launched:
                continue
            wrong += [f"{title(text, options)}: {what}" for what in judge_kernel(profile.compiler, name, kernel)]
            registers = max(registers, kernel.get("registers", 0))
            floor = FLOORS.get(profile.compiler)
            if kernel.get("share") and "-DTM=8 -DTN=8" in options and "-DVIN=4" in options:
                shares.append(kernel["share"])
                if kernel["share"] < floor:
                    wrong.append(f"{title(text, options)}: {name} multiplies in {kernel['share']:.0%} of its loop; {floor:.0%} is the floor")
    share = f"{min(shares):.0%} … {max(shares):.0%}" if shares else "-"
    compiled = len(results) if results else "-"
    row = [profile.name, profile.target, network, trace["step"], len(trace["programs"]), compiled, registers or "-", len(convolutions), few, share, len(wrong)]
    return row, wrong


HEADS = ["profile", "target", "network", "launches a step", "programs", "compiled", "registers", "kinds of convolution launches", "of fewer groups than units", "multiplications in loops", "faults"]


def show(rows):
    rows = [HEADS] + [[str(cell) for cell in row] for row in rows]
    print("\n".join("| " + " | ".join(row) + " |" for row in rows[:1] + [["---"] * len(HEADS)] + rows[1:]))


def main(skipper, pose, folder):
    kept = Kept(folder)
    with open(__file__, "rb") as f:
        tool = f.read()
    lacking = {c: missing(c) for c in COMPILERS}
    versions = {c: version(c) for c in COMPILERS if not lacking[c]}
    for compiler, names in lacking.items():
        if names:
            print(f"ci/audit: nothing is compiled for {compiler}: {', '.join(names)} not found", file=sys.stderr)
    if not NVDISASM and not lacking["nvidia"]:
        print("ci/audit: no shares of NVIDIA's loops: nvdisasm (nvidia-cuda-nvdisasm from PyPI, GPU_VENV) not found", file=sys.stderr)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        program, layer = content(skipper), content(pose)
        traces = {}
        for profile in PROFILES:
            for network, arguments in NETWORKS.items():
                key = digest(tool, program, layer, profile, content(arguments[0]), arguments)
                traces[profile, network] = pool.submit(kept.get, key, lambda stem, p=profile, a=arguments: dry_run(skipper, pose, p, a, stem))
        results = {}
        for (profile, network), trace in traces.items():
            for text, options in trace.result()["programs"].values():
                if profile.compiler in versions:
                    key = digest(tool, versions[profile.compiler], profile.target, text, options)
                    if key not in results:
                        results[key] = pool.submit(kept.get, key, lambda stem, p=profile, t=text, o=options: compile_one(p, t, o, stem))
        rows, faults = [], {}
        for (profile, network), trace in traces.items():
            trace, found = trace.result(), {}
            for i, (text, options) in trace["programs"].items():
                if profile.compiler in versions:
                    found[i] = results[digest(tool, versions[profile.compiler], profile.target, text, options)].result()
            row, wrong = judge(profile, network, trace, found)
            rows.append(row)
            for what in wrong:
                faults.setdefault(f"{profile.target}: {what}", []).append(network)
    show(rows)
    for what, networks in sorted(faults.items()):
        print(f"{what} ({', '.join(sorted(set(networks)))})")
    print(f"ci/audit: {len(PROFILES)} profiles, {len(NETWORKS)} networks, {len(results)} programs compiled ({kept.made} runs and programs anew), "
          f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
