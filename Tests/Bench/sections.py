"""What is measured, section by section. Each starts its own processes and ends them."""

import contextlib
import dataclasses
import itertools
import os
import sys
import time

import bodies
from load import load
from processes import ROOT, Manager, Place, Socat, Way, build_c, register, turned

#: The size of a large answer: kubelet's own limit.
LARGE = 16 << 20


@dataclasses.dataclass
class Record:
    """Of one record of the Store, in bytes: what it costs, and what it serializes to."""

    cost: float
    serialized: float

    @property
    def limit(self):
        """The most that it may cost: 1.3 times what it serializes to, and 1 KB."""
        return 1.3 * self.serialized + 1024


class Results:
    """Samples by (case, way) and records by (what, way), one a round; memory by (when, way), one a round where each has a
    process of its own; and single figures by name."""

    def __init__(self):
        self.samples, self.records, self.figures, self.memory = {}, {}, {}, {}

    def add_record(self, what, way, before, after, count):
        """One of `count` records that came between two looks of filling.py."""
        share = [(more - less) / count for less, more in zip(before, after)]
        self.records.setdefault((what, way), []).append(Record(*share))

    def add_memory(self, when, way, used):
        self.memory.setdefault((when, way), []).append(used)

    def records_of(self, way):
        return [(what, records) for (what, one), records in self.records.items() if one == way]

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
        self.serial = itertools.count()

    def stage(self, name):
        return Place(os.path.join(self.place, name), self.arguments.binaries, self.peers_at)

    def numbers(self, what):
        """Of the rounds; each is told when it begins."""
        for number in range(self.rounds):
            print(f"bench: {what}: round {number + 1} of {self.rounds}", file=sys.stderr)
            yield number

    def interleave(self, section, cases, memory_when=None):
        """Each case on each of its ways, round by round; every round begins with another way.

        `cases`: title -> list of (way, name in the table, load's further arguments). `memory_when`: what the memory of
        the ways is then called; that of a way with several names under its last."""
        for title, ways in cases.items():
            for way, _, load_arguments in ways:
                load(way, *load_arguments[:2], max(load_arguments[2] // 20, 2), *load_arguments[3:])  # warm-up
        for number in self.numbers(section):
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
                    self.results.add_memory(memory_when, name, used)

    @contextlib.contextmanager
    def fresh(self, name, runtime):
        """A manager for a moment, when it has read the runtime."""
        with self.stage(f"fresh-{next(self.serial)}") as place:
            yield Manager(place, name, self.managers[name], runtime)

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


ENVS = (10, 200)
THERE = "{:,} pods, {:,} containers of {} envs, {}"


def memory(bench):
    """What the Store costs: 500 pods and 2,000 containers, created through it and read at its start."""
    import filling  # needs Python's gRPC, which the other sections do without

    for envs in ENVS:
        created(bench, filling, envs)
    read_at_start(bench, filling, "pod")
    for envs in ENVS:
        read_at_start(bench, filling, f"container of {envs} envs", envs)


def created(bench, filling, envs):
    """What a daemon has more after creating them."""
    pods, containers = filling.PODS, filling.CONTAINERS
    for number in bench.numbers(f"container of {envs} envs, created"):
        with bench.stage(f"m{envs}-{number}") as place:
            _, living = place.runtime("living.sock", "--living")
            for manager in bench.named_managers(place, living):
                filling.fill(manager.socket, 20, 80, envs)  # what the first calls cost once
                looks = [filling.look(manager)]
                filling.fill(manager.socket, pods, containers, envs, lambda: looks.append(filling.look(manager)))
                looks.append(filling.look(manager))
                bench.results.add_memory(THERE.format(pods, containers, envs, "created"), manager.name, manager.memory())
                if envs == ENVS[0]:  # pods would take the room that the greater requests of the first calls leave to malloc
                    bench.results.add_record("pod, created", manager.name, *looks[:2], pods)
                bench.results.add_record(f"container of {envs} envs, created", manager.name, *looks[1:], containers)


def read_at_start(bench, filling, kind, envs=None):
    """What a daemon that has read 2,000 records of a kind has more than one that has read 1,000."""
    pods, count = filling.PODS, filling.CONTAINERS
    flags = lambda size: ["--pods", str(size)] if envs is None else [
        "--pods", str(pods), "--containers", str(size), "--envs", str(envs)]
    with bench.stage(f"n{envs}") as place:
        half, full = (place.runtime(f"{size}.sock", *flags(size))[1] for size in (count // 2, count))
        for _ in bench.numbers(f"{kind}, read at start"):
            for name in bench.managers:
                with bench.fresh(name, half) as manager:
                    few = filling.look(manager)
                with bench.fresh(name, full) as manager:
                    if envs:
                        bench.results.add_memory(THERE.format(pods, count, envs, "read at start"), name, manager.memory())
                    bench.results.add_record(f"{kind}, read at start", name, few, filling.look(manager), count // 2)


SECTIONS = {"unary": unary, "hooks": hooks, "large": large, "memory": memory, "reaction": reaction}
