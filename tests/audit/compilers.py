"""compilers.py: programs given to the compilers for GPUs that are installed. SPDX-License-Identifier: MIT

Each compiler gives {kernel: {"registers", "spill", "local", "loop"}}; {"*": {"error": text}} for what does not
compile. "loop" is [instructions, multiplications] of the loop with most multiplications and of the one around it, as
far as they compete for the units that multiply (docs/gpu.md)."""
import glob, os, re, shutil, subprocess


def run(command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, **more)
    return done.returncode, done.stdout


def content(path):
    with open(path) as f:
        return f.read()


def first_of(*names):
    return next((found for found in map(shutil.which, names) if found), None)


def wheel(name):
    """A program of NVIDIA's packages from PyPI, in the Python environment that GPU_VENV names."""
    place = os.environ.get("GPU_VENV", "/nonexistent") + "/lib/python*/site-packages/nvidia/**/bin/" + name
    found = glob.glob(place, recursive=True)
    return found[0] if found else None


CLANG = first_of("clang-15", "clang-16", "clang-14", "clang")
PTXAS = wheel("ptxas") or first_of("ptxas")
NVDISASM = wheel("nvdisasm") or first_of("nvdisasm")
OCLOC = first_of("ocloc")
LIBCLC = "/usr/lib/clc/nvptx64--nvidiacl.bc"
ROCM = next(iter(glob.glob("/usr/lib/*/amdgcn/bitcode")), None)
OPENCL = ["-x", "cl", "-Xclang", "-finclude-default-header", "-O3", "-S"]


def missing(compiler):
    """What has to be installed for it; an empty list: nothing."""
    needs = {
        "nvidia": [(CLANG, "clang-15"), (os.path.exists(LIBCLC), "libclc-15"),
                   (PTXAS, "ptxas (pip install nvidia-cuda-nvcc-cu12; GPU_VENV)"),
                   (NVDISASM, "nvdisasm (pip install nvidia-cuda-nvdisasm; GPU_VENV)")],
        "amd": [(CLANG, "clang-15"), (ROCM, "rocm-device-libs")],
        "intel": [(OCLOC, "ocloc (intel-opencl-icd)")],
    }
    return [name for there, name in needs[compiler] if not there]


def version(compiler):
    """What results depend on, besides the program."""
    tools = {"nvidia": [[CLANG, "--version"], [PTXAS, "--version"], [NVDISASM, "--version"]],
             "amd": [[CLANG, "--version"]], "intel": [["ldd", OCLOC]]}
    parts = [run(tool)[1] for tool in tools[compiler]]
    if compiler == "intel":  # the compiler proper is a library
        parts = [os.path.realpath(lib) for lib in glob.glob("/usr/lib/*/libig[cd]*.so.?")]
    return parts


# ---- loops ----------------------------------------------------------------------------------------------------------


def parse(text, label, instruction, jump):
    """[name, weight, label it jumps to, labels before it] of each instruction."""
    out, labels = [], []
    for line in text.splitlines():
        if found := label.match(line):
            labels.append(found[1])
        elif found := instruction.match(line):
            target = jump.search(line)
            weight = int(found[2]) / 8 if found.lastindex == 2 else 1
            out.append((found[1], weight, target and target[1], labels))
            labels = []
    return out


def loop_of(code, multiplies, counts):
    """[instructions, multiplications] of the loop with most of the latter, and of the whole one around it."""
    place, loops = {}, []
    for i, (_, _, target, labels) in enumerate(code):
        place.update((label, i) for label in labels)
        if target in place:
            loops.append((place[target], i + 1))
    weigh = lambda part, accept: sum(w for n, w, _, _ in part if accept.match(n))
    measured = [(weigh(code[a:b], multiplies), weigh(code[a:b], counts), a, b) for a, b in loops]
    measured = [m for m in measured if m[0]]
    if not measured:
        return None
    products, length, a, b = max(measured, key=lambda m: (m[0], -m[1]))
    around = max((m for m in measured if m[2] <= a and m[3] >= b and m[0] == products), key=lambda m: m[1])
    return [[length, products], [around[1], around[0]]]


# ---- compilers ------------------------------------------------------------------------------------------------------


def nvidia(source, options, target, stem):
    ptx, cubin = stem + ".ptx", stem + ".cubin"
    library = ["-Xclang", "-mlink-builtin-bitcode", "-Xclang", LIBCLC]
    code, out = run([CLANG, "-target", "nvptx64-nvidia-nvcl", "-march=sm_75", *library, *OPENCL, *options, "-o", ptx,
                     source])
    if code:
        return {"*": {"error": out}}
    code, out = run([PTXAS, "-arch=" + target, "-v", "-o", cubin, ptx])
    if code:
        return {"*": {"error": out}}
    kernels = {}
    pattern = (r"entry function '(\w+)'.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads"
               r".*?Used (\d+) registers(.*?)\n")
    for name, stack, stores, loads, registers, rest in re.findall(pattern, out, re.S):
        local = re.search(r"(\d+) bytes smem", rest)
        kernels[name] = {"registers": int(registers), "spill": int(stores) + int(loads) + int(stack),
                         "local": int(local[1]) if local else 0}
    for section in re.split(r"//-+ \.text\.", run([NVDISASM, "-c", cubin])[1])[1:]:
        name = section.split()[0]
        code = parse(section, re.compile(r"(\.L_\w+):"),
                     re.compile(r"\s+(?:/\*\w+\*/\s+)?(?:@!?U?P\w+\s+)?([A-Z][\w.]+)"),
                     re.compile(r"BRA.*\((\.L_\w+)\)"))
        if name in kernels:
            kernels[name]["loop"] = loop_of(code, re.compile("FFMA"), re.compile(r"(?!NOP)"))
    return kernels


def amd(source, options, target, stem):
    assembly = stem + ".s"
    code, out = run([CLANG, "-target", "amdgcn-amd-amdhsa", "-mcpu=" + target, "--rocm-device-lib-path=" + ROCM,
                     *OPENCL, *options, "-o", assembly, source])
    if code:
        return {"*": {"error": out}}
    kernels = {}
    pattern = r"^(\w+):\s+; @\1\n(.*?)\.end_amdhsa_kernel(.*?)(?=^\t\.globl|\Z)"
    for name, body, tail in re.findall(pattern, content(assembly), re.S | re.M):
        number = lambda what: int(re.search("; " + what + r": (\d+)", tail)[1])
        code = parse(body, re.compile(r"(\.LBB\w+):"), re.compile(r"\t([a-z]\w+)"),
                     re.compile(r"branch\w*\s+(\.LBB\w+)"))
        # The scalar unit, memory and local memory have issue slots of their own.
        loop = loop_of(code, re.compile(r"v_(pk_)?(fma|fmac|mac)_"), re.compile(r"v_"))
        pairs = sum(name.startswith("v_pk_fma") for name, _, _, _ in code) > 8
        kernels[name] = {"registers": number("NumVgprs"), "spill": number("ScratchSize"),
                         "local": number("LDSByteSize"), "loop": loop, "pairs": pairs}
    return kernels


def intel(source, options, target, stem):
    """Spills and instructions from what the compiler dumps as it goes."""
    dump = stem + ".dump"
    environment = dict(os.environ, IGC_ShaderDumpEnable="1", IGC_DumpToCustomDir=dump)
    code, out = run([OCLOC, "compile", "-file", source, "-device", target, "-options", " ".join(options), "-out_dir",
                     stem + ".ocloc"], env=environment)
    if code or "Build succeeded" not in out:
        return {"*": {"error": out}}
    kernels = {}
    for path in glob.glob(dump + "/*.asm"):
        text = content(path)
        name, spill = re.search(r"//\.kernel (\w+)", text)[1], re.search(r"//\.spill size (\d+)", text)
        code = parse(text, re.compile(r"([A-Za-z_]\w*):\s*$"),
                     re.compile(r"(?:\([^)]*\))?\s+(?!sync)([a-z][\w.]*)\s*(?:\((\d+)\|)?"),
                     re.compile(r"(?:jmpi|goto|while|brd)\b.*?(\w+)\s+//"))
        loop = loop_of(code, re.compile("mad"), re.compile(r"(?!goto|join|jmpi|while|send)"))
        kernels[name] = {"spill": int(spill[1]) if spill else 0, "loop": loop}
    return kernels


COMPILERS = {"nvidia": nvidia, "amd": amd, "intel": intel}


def compile_one(profile, text, options, stem):
    with open(stem + ".cl", "w") as f:
        f.write(text)
    kernels = COMPILERS[profile.compiler](stem + ".cl", options.split(), profile.target, stem)
    for path in glob.glob(stem + ".*"):
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    return kernels
