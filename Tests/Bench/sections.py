"""What is measured, section by section. Each starts its own processes and ends them."""

import os
import sys
import time

import bodies
from load import load
from processes import ROOT, Manager, Place, Socat, Way, build_c, register, turned

#: The size of a large answer: kubelet's own limit.
LARGE = 16 << 20


class Results:
    """Samples by (case, way), one a round; and single figures by name."""

    def __init__(self):
        self.samples, self.figures, self.memory, self.notes = {}, {}, {}, []

    def cases(self):
        return list(dict.fromkeys(case for case, _ in self.samples))

    def ways(self, case):
        return [way for one, way in self.samples if one == case]

    def series(self, case, way, what="median"):
        """One number a round; empty if this was not measured."""
        return [getattr(sample, what) for sample in self.samples.get((case, way), [])]


class Bench:
    def __init__(self, arguments, managers, place):
        self.arguments, self.managers, self.place = arguments, managers, place
        self.peers_at = os.path.join(ROOT, ".build", "bench", "bin")
        build_c("byte_relay", self.peers_at)
        build_c("core_proxy", self.peers_at, "-lgrpc", "-lgpr")
        self.rounds, self.calls, self.results = arguments.rounds, arguments.calls, Results()

    def stage(self, name):
        return Place(os.path.join(self.place, name), self.arguments.binaries, self.peers_at)

    def interleave(self, section, cases, memory_when=None):
        """Each case on each of its ways, round by round; every round begins with another way.

        `cases`: title -> list of (way, name in the table, load's further arguments). `memory_when`: what the memory of
        the ways is then called; that of a way with several names under its last."""
        for title, ways in cases.items():
            for way, _, load_arguments in ways:
                load(way, *load_arguments[:2], max(load_arguments[2] // 20, 2), *load_arguments[3:])  # warm-up
        for number in range(self.rounds):
            print(f"bench: {section}: round {number + 1} of {self.rounds}", file=sys.stderr)
            for title, ways in cases.items():
                for way, name, load_arguments in turned(ways, number):
                    self.results.samples.setdefault((title, name), [])
                    self.results.samples[title, name].append(load(way, *load_arguments))
        # In the order of the cases, not of the first round.
        for title, ways in cases.items():
            for _, name, _ in ways:
                self.results.samples[title, name] = self.results.samples.pop((title, name))
        if memory_when:
            for way, name in {way: name for ways in cases.values() for way, name, _ in ways}.items():
                if used := way.memory():
                    self.results.memory[memory_when, name] = used

    def peers(self, place, runtime):
        """Direct, and everything that is not RuntimeManager."""
        return [Way("direct", runtime), place.peer("byte relay", "byte_relay", runtime), Socat(place, runtime),
                place.peer("C-core proxy", "core_proxy", runtime)]

    def named_managers(self, place, runtime, **more):
        return [Manager(place, name, binary, runtime, **more) for name, binary in self.managers.items()]


ONE, MANY = "100 B, 1 in flight", "100 B, 32 in flight"
AFTER_SMALL = "after the 100 B load, Store empty"


def unary(bench):
    """Pass-through: a call that nobody wants to see."""
    with bench.stage("u") as place:
        _, runtime = place.runtime()
        ways = bench.peers(place, runtime) + bench.named_managers(place, runtime)
        body = place.body("small", bodies.framed(bodies.opaque(100)))
        case = lambda calls, in_flight: [(way, way.name, (bodies.STATUS, body, calls, in_flight, 100)) for way in ways]
        bench.interleave("unary", {ONE: case(bench.calls, 1), MANY: case(bench.calls * 3, 32)}, AFTER_SMALL)


HOOKED = "RunPodSandbox, 2 KB, 1 in flight"


def hooks(bench):
    """A call that plugins may want to see: RunPodSandbox with a request of 2 KB."""
    with bench.stage("h") as place:
        _, runtime = place.runtime()
        plugins = [place.runtime(f"plugin-{index}.sock", "--plugin")[1] for index in range(3)]
        body = place.body("pod", bodies.framed(bodies.run_pod_sandbox()))
        calls = max(bench.calls // 3, 100)
        direct, *peers = bench.peers(place, runtime)
        plugin = Way("a plugin, called directly", plugins[0])
        ways = [(direct, "direct, Status", (bodies.STATUS, body, calls)), (direct, "direct", (bodies.RUN_POD, body, calls)),
                (plugin, plugin.name, (bodies.HOOK, body, calls)),
                *[(peer, peer.name, (bodies.RUN_POD, body, calls)) for peer in peers]]
        for name, binary in bench.managers.items():
            plain = Manager(place, name, binary, runtime)
            ways += [(plain, f"{name}, relayed (Status)", (bodies.STATUS, body, calls)),
                     (plain, f"{name}, no plugin", (bodies.RUN_POD, body, calls))]
            for count in (1, 3):
                hooked = Manager(place, name, binary, runtime, plugins[:count])
                title = f"{name}, {count} plugin{'s' if count > 1 else ''}"
                ways.append((hooked, title, (bodies.RUN_POD, body, calls)))
        bench.interleave("hooks", {HOOKED: ways}, "after the RunPodSandbox load")


LARGE_CASE = "16 MiB answer, 1 in flight"


def large(bench):
    """A list of 16 MiB."""
    with bench.stage("l") as place:
        _, runtime = place.runtime("runtime.sock", "--answer-bytes", str(LARGE))
        ways = bench.peers(place, runtime) + bench.named_managers(place, runtime)
        body = place.body("small", bodies.framed(bodies.opaque(100)))
        cases = {LARGE_CASE: [(way, way.name, (bodies.STATUS, body, 10, 1, LARGE)) for way in ways]}
        bench.interleave("large", cases, "after the 16 MiB load")


REACTION = "reaction to a registration file, ms"


def reaction(bench):
    """How long after a registration file is renamed into place it is in force."""
    with bench.stage("r") as place:
        _, runtime = place.runtime()
        _, plugin = place.runtime("plugin.sock", "--plugin")
        for manager in bench.named_managers(place, runtime):
            seen = bench.results.figures.setdefault((REACTION, manager.name), [])
            for number in range(20):
                renamed = register(manager.hooks, f"reaction-{number}", plugin)
                seen.append((manager.wait_log(f"plugin reaction-{number}: registered") - renamed) * 1e3)
                time.sleep(0.05)


def memory(bench):
    """What the Store costs: 500 pods and 2,000 containers, created through it and read at its start."""
    import filling  # needs Python's gRPC, which the other sections do without

    pods, containers = filling.PODS, filling.CONTAINERS
    for envs in (10, 200):
        size, what = filling.record_bytes(envs), f"{pods} pods, {containers:,} containers of {envs} envs"
        limit = 1.3 * size + 1024
        with bench.stage(f"m{envs}") as place:
            _, living = place.runtime("living.sock", "--living")
            for manager in bench.named_managers(place, living):
                filling.fill(manager.socket, 20, 80, envs)  # what the first calls cost once
                between = []
                filling.fill(manager.socket, pods, containers, envs, lambda: between.append(manager.memory().own))
                bench.results.memory[f"{what}, created", manager.name] = manager.memory()
                cost = (manager.memory().own - between[0]) / containers
                bench.results.figures[RECORD.format(envs), manager.name] = [cost / limit]
                bench.results.notes.append(f"{manager.name}: a container's record of {envs} envs serializes to {size:,} bytes, "
                                           f"and costs {cost:,.0f} of the {limit:,.0f} it may")
        with bench.stage(f"n{envs}") as place:
            _, full = place.runtime("full.sock", "--pods", str(pods), "--containers", str(containers), "--envs", str(envs))
            for manager in bench.named_managers(place, full):
                bench.results.memory[f"{what}, read at start", manager.name] = manager.memory()


RECORD = "a container's record of {} envs: of 1.3 x its serialized size + 1 KB"

SECTIONS = {"unary": unary, "hooks": hooks, "large": large, "memory": memory, "reaction": reaction}
