"""model.py: how long a step would take, by its dry run: a guess. What it assumes stands here, and is corrected by the
first figures of a device. SPDX-License-Identifier: MIT

A launch takes the longest of these, and LAUNCH on top:
  multiplying   waves · a group's products / what a unit multiplies / (the compiled loop's share · REACHED), where the
                groups of a launch go round the units in waves
  memory        all buffers that the kernel is given, once, at BANDWIDTH of what the card is said to have"""
import dry
from product import all_groups, defines, depth_of, share_of

REACHED = 0.5  # of the bound that the loop's instructions set: kernels of this kind reach about half where measured
BANDWIDTH = 0.85
LAUNCH = 4e-6  # seconds, in a queue that is never empty
UNKNOWN = 0.75  # the share of a loop that was not compiled
HEADS = ["profile", "network", "batch", "multiplying ms", "memory ms", "launching ms", "step ms", "images/s",
         "native ms", "of native"]

# Cards that stand only here; their own targets are older than the compilers.
GTX_1080 = dry.Profile("NVIDIA GTX 1080", 0x10DE, 20, 1024, 48, 8, "nvidia", "sm_75", 128, 1733, 320)
RTX_2060S = dry.Profile("NVIDIA RTX 2060 Super", 0x10DE, 34, 1024, 48, 8, "nvidia", "sm_75", 64, 1650, 448)
# ms a step of training with PyTorch on the vendor's own library, as published with dlprimitives (docs/benchmarks.md)
# and pytorch_dlprim (benchmark.md, v0.2.0).
NATIVE = {
    (GTX_1080, "ResNet-18", 16): 38.4,
    (GTX_1080, "ResNet-50", 16): 125.9,
    (RTX_2060S, "ResNet-18", 16): 31.0,
    (RTX_2060S, "ResNet-50", 16): 100.1,
    (dry.named("AMD RX 6600 XT"), "ResNet-18", 64): 147.1,
    (dry.named("AMD RX 6600 XT"), "ResNet-50", 32): 266.2,
    (dry.named("Intel Arc A380"), "ResNet-18", 64): 397.7,
    (dry.named("Intel Arc A380"), "ResNet-50", 16): 329.8,
}
JOBS = list(NATIVE) + [(p, n, dry.BATCHES[0]) for p in dry.PROFILES for n in dry.NETWORKS]


def times(profile, launch, options, kernel):
    memory = launch.bytes / (profile.gbs * 1e9 * BANDWIDTH)
    depth, d = depth_of(launch), defines(options)
    if not depth:
        return 0, memory
    waves = -(-all_groups(launch) // profile.units)
    rate = profile.lanes * profile.mhz * 1e6 * (share_of(kernel, options) or UNKNOWN) * REACHED
    return waves * d["BM"] * d["BN"] * depth / rate, memory


def step_of(profile, run, results):
    """Seconds: of multiplying, of moving memory, of launching, of the step, in which they overlap within a launch."""
    multiplying = memory = step = 0
    for launch in (dry.Launch(*launch) for launch in run["launches"]):
        kernel = results.get(launch.program, {}).get(launch.kernel, {})
        a, b = times(profile, launch, run["programs"][launch.program][1], kernel)
        multiplying, memory, step = multiplying + a, memory + b, step + max(a, b)
    launching = run["commands"] * LAUNCH
    return multiplying, memory, launching, step + launching


def rows(runs):
    for (profile, network, batch), (run, results) in runs.items():
        seconds, native = step_of(profile, run, results), NATIVE.get((profile, network, batch))
        yield [profile.name, network, batch, *(f"{1000 * s:.1f}" for s in seconds), f"{batch / seconds[-1]:.0f}",
               native or "-", f"{native / 1000 / seconds[-1]:.0%}" if native else "-"]
