"""audit.py: what compilers for GPUs say of the programs that training would run there, and whether the launches fill
the device; called by ci/audit. docs/gpu.md explains the table. SPDX-License-Identifier: MIT

Dry runs and compiled programs are kept by the hash of what they depend on: a second run repeats only what changed.
usage: audit.py SKIPPER LAYER FOLDER [--model]"""
import collections, concurrent.futures, hashlib, json, os, re, sys
import compilers, dry, model
from product import all_groups, defines, depth_of, groups_of, share_of

MOST_LOCAL = 32768  # bytes of local memory
MOST_GROUPS = 65535  # along dimensions 1 and 2: some drivers take no more
LEAST_STEPS = 8  # of the depth loop: a shorter part of a split is no gain
WORTH = 0.75  # a split that leaves more of the time is not worth the sum that it needs
# Of the instructions that compete for the units that multiply, in the whole depth loop: those that multiply. For the
# tiles of large layers, channels in fours.
FLOORS = {"sm_75": 0.80, "sm_86": 0.80, "sm_90": 0.80, "gfx90a": 0.75, "gfx1030": 0.85, "dg2": 0.50, "tgllp": 0.50}
# Launches, fills and copies of a step; GB that batch normalisation moves if each buffer moves once.
MOST_COMMANDS = {"ResNet-50": 425, "CIFAR ResNet-20": 168}
MOST_BATCHNORM = {"ResNet-50": 10.8}
SLOW = {"direct", "plain"}  # methods that take an element at a time


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


def digest(*parts):
    h = hashlib.sha256()
    for part in parts:
        h.update(part if isinstance(part, bytes) else repr(part).encode())
    return h.hexdigest()[:24]


def content(path):
    with open(path, "rb") as f:
        return f.read()


# ---- judging --------------------------------------------------------------------------------------------------------


def title(text, options):
    name = re.match(r"/\* (\w+)\.cl", text)
    return " ".join([name[1] if name else "CLBlast"] + [o for o in options.split() if o.startswith("-D")])


def gain(groups, units, most):
    """What is left of the time at best if every group is split into up to `most` parts: waves count."""
    return min(-(-groups * parts // units) / parts for parts in range(1, int(most) + 1)) / -(-groups // units)


def judge_launch(profile, launch, programs):
    groups, depth = groups_of(launch), depth_of(launch)
    if max(groups[1:]) > MOST_GROUPS:
        yield f"{launch.kernel}: {groups[1]} × {groups[2]} groups along dimensions 1 and 2"
    most = depth / LEAST_STEPS / defines(programs[launch.program][1])["BK"] if depth else 0
    all_of_them = all_groups(launch)
    if all_of_them < profile.units and most >= 2 and gain(all_of_them, profile.units, most) < WORTH:
        what = f"{all_of_them} groups for {profile.units} units, and a depth of {depth:.0f} to split"
        yield f"{launch.kernel}: {what}"


def judge_kernel(profile, name, kernel, options):
    if "error" in kernel:
        yield "does not compile: " + kernel["error"].strip()[-300:]
        return
    if kernel["spill"]:
        yield f"{name} spills registers ({kernel['spill']})"
    if kernel.get("local", 0) > MOST_LOCAL:
        yield f"{name} takes {kernel['local']} bytes of local memory"
    share, floor, d = share_of(kernel, options), FLOORS[profile.target], defines(options)
    if share and share < floor and d["BN"] >= 64 and d.get("VIN") == 4:
        yield f"{name} multiplies in {share:.0%} of its loop; {floor:.0%} is the floor"


def batchnorm_gb(launches):
    return sum(launch.bytes for launch in launches if launch.kernel.startswith("batchnorm")) / 1e9


def judge_step(network, batch, run, launches):
    if run["commands"] > MOST_COMMANDS.get(network, run["commands"]) * run["parts"]:
        yield f"{run['commands']} launches a step; {MOST_COMMANDS[network]} are allowed"
    gb, most = batchnorm_gb(launches), MOST_BATCHNORM.get(network)
    if most and gb > most * batch / dry.BATCHES[0]:
        yield f"batch normalisation moves {gb:.1f} GB"
    for op, method, why in run["refused"]:
        if method in SLOW:
            yield f"{op} is done by {method} ({why})"


HEADS = ["profile", "target", "network", "batch", "launches a step", "programs", "compiled", "registers", "products",
         "of fewer groups than units", "multiplications in loops", "batchnorm GB", "faults"]


def judge(profile, network, batch, run, results):
    """A row of the table, and what is wrong."""
    launches = [dry.Launch(*launch) for launch in run["launches"]]
    products = [launch for launch in launches if depth_of(launch)]
    few = [launch for launch in products if all_groups(launch) < profile.units]
    wrong = list(judge_step(network, batch, run, launches))
    for launch in launches:
        wrong += judge_launch(profile, launch, run["programs"])
    shares, registers = [], 0
    used = {(launch.program, launch.kernel) for launch in launches}
    for program, kernels in results.items():
        text, options = run["programs"][program]
        for name, kernel in kernels.items():
            if name != "*" and (program, name) not in used:
                continue
            wrong += [f"{title(text, options)}: {what}" for what in judge_kernel(profile, name, kernel, options)]
            registers = max(registers, kernel.get("registers", 0))
            shares += [share for share in [share_of(kernel, options)] if share]
    share = f"{min(shares):.0%} … {max(shares):.0%}" if shares else "-"
    return [profile.name, profile.target, network, batch, run["commands"], len(run["programs"]), len(results),
            registers or "-", len(products), len(few), share, f"{batchnorm_gb(launches):.2f}",
            len(set(wrong))], sorted(set(wrong))


def show(heads, rows):
    rows = [heads] + [[str(cell) for cell in row] for row in rows]
    print("\n".join("| " + " | ".join(row) + " |" for row in rows[:1] + [["---"] * len(heads)] + rows[1:]))


# ---- all of it ------------------------------------------------------------------------------------------------------


def say_missing(lacking):
    for compiler, names in lacking.items():
        if names:
            print(f"ci/audit: nothing is compiled for {compiler}: {', '.join(names)} not found", file=sys.stderr)


class Audit:
    def __init__(self, skipper, layer, folder, pool):
        self.kept, self.pool, self.skipper, self.layer = Kept(folder), pool, skipper, layer
        here = os.path.dirname(os.path.abspath(__file__))
        self.dry_key = digest(content(here + "/dry.py"), content(skipper), content(layer))
        self.compile_key = content(here + "/compilers.py")
        self.lacking = {c: compilers.missing(c) for c in compilers.COMPILERS}
        self.versions = {c: compilers.version(c) for c in compilers.COMPILERS if not self.lacking[c]}
        self.compiled = {}

    def trace(self, profile, arguments):
        make = lambda stem: dry.dry_run(self.skipper, self.layer, profile, arguments, stem)
        return self.pool.submit(self.kept.get, digest(self.dry_key, profile, arguments), make)

    def compile(self, profile, text, options):
        key = digest(self.compile_key, self.versions[profile.compiler], profile.target, text, options)
        make = lambda stem: compilers.compile_one(profile, text, options, stem)
        if key not in self.compiled:
            self.compiled[key] = self.pool.submit(self.kept.get, key, make)
        return self.compiled[key]

    def run(self, jobs):
        """{(profile, network, batch): (the dry run, {program: kernels})}"""
        jobs = list(dict.fromkeys(jobs))
        traces = {(p, n, b): self.trace(p, [*dry.NETWORKS[n], f"--batch={b}"]) for p, n, b in jobs}
        waiting = {}
        for key, trace in traces.items():
            programs = trace.result()["programs"] if key[0].compiler in self.versions else {}
            waiting[key] = {i: self.compile(key[0], *program) for i, program in programs.items()}
        return {key: (traces[key].result(), {i: w.result() for i, w in waiting[key].items()}) for key in traces}


JOBS = [(p, n, b) for p in dry.PROFILES for n in dry.NETWORKS for b in dry.BATCHES]


def main(skipper, layer, folder, *options):
    guess = "--model" in options
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        audit = Audit(skipper, layer, folder, pool)
        say_missing(audit.lacking)
        runs = audit.run(model.JOBS if guess else JOBS)
    if guess:
        show(model.HEADS, list(model.rows(runs)))
        return 0
    rows, faults = [], collections.defaultdict(set)
    for (profile, network, batch), (run, results) in runs.items():
        row, wrong = judge(profile, network, batch, run, results)
        rows.append(row)
        for what in wrong:
            faults[f"{profile.target}: {what}"].add(f"{network} {batch}")
    show(HEADS, rows)
    for what, where in sorted(faults.items()):
        print(f"{what} ({', '.join(sorted(where))})")
    print(f"ci/audit: {len(dry.PROFILES)} profiles, {len(dry.NETWORKS)} networks, {len(audit.compiled)} programs "
          f"compiled ({audit.kept.made} runs and programs anew), {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
