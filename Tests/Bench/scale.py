#!/usr/bin/python3
"""How RuntimeManager's cost grows with the work: containers, plugins, calls in flight, bytes of a message.

Like run.py: a simulated runtime, h2load, all on one core, interleaved rounds. Writes scale.md and scale.svg into --out.
"""

import argparse
import os
import re
import sys
import tempfile
import time

import bodies
import report
import run
from processes import ROOT, Manager, Way, build_swift, find_pictures, find_tools, pinned, read, turned
from report import middle, spread
from sections import Bench

NAME = "RuntimeManager"
POINTS = ("PreRunPodSandbox", "PreStartContainer")


class Curve:
    """One quantity over another: `lines` is name -> list of (x, numbers of the rounds)."""

    def __init__(self, title, xlabel, unit, lines, logarithmic=(True, True)):
        self.title, self.xlabel, self.unit, self.lines, self.logarithmic = title, xlabel, unit, lines, logarithmic

    def table(self):
        names = list(self.lines)
        rows = [[f"{self.title}; {self.xlabel}", *[f"{name}, {self.unit}" for name in names]]]
        for index, (x, _) in enumerate(self.lines[names[0]]):
            cells = [self.lines[name][index][1] for name in names]
            digits = 1 if max(map(max, cells)) < 1000 else 0
            rows.append([f"{x:,}", *[f"{middle(cell):,.{digits}f} ({spread(cell, digits)})" if len(cell) > 1
                                     else f"{cell[0]:,.{digits}f}" for cell in cells]])
        return rows


def taken(bench, section, xs, line, what="median"):
    return [(x, bench.results.series((section, x), line, what)) for x in xs]


def added(bench, section, xs, line, floor="direct"):
    """What a way adds to the direct call; where nothing is added, the least that can be told apart."""
    pairs = lambda x: zip(bench.results.series((section, x), line), bench.results.series((section, x), floor))
    return [(x, [max(way - direct, 0.5) for way, direct in pairs(x)]) for x in xs]


def start_container(identifier):
    return bodies.field(1, identifier)


def create_container():
    config = bodies.field(1, bodies.field(1, "main")) + bodies.pairs(10, {f"example.com/{n}": "v" * 40 for n in range(8)})
    config += b"".join(bodies.field(6, bodies.field(1, f"NAME_{n}") + bodies.field(2, "value")) for n in range(10))
    return bodies.field(1, f"a{0:063x}") + bodies.field(2, config) + bodies.field(3, bodies.pod_config())


def containers(bench):
    """10 to 10,000 containers at the runtime, so in the Store and in a list."""
    xs = (10, 100, 1_000, 10_000)
    cases, runtimes = {}, {}
    rebuilt, memory = {x: [] for x in xs}, {x: [] for x in xs}
    with bench.stage("c") as place:
        create = place.body("create", bodies.framed(create_container()))
        begin = place.body("start", bodies.framed(start_container(f"c{0:063x}")))
        small, empty = place.body("small", bodies.framed(bodies.opaque(100))), place.body("empty", bodies.framed(b""))
        _, plugin = place.runtime("plugin.sock", "--plugin")
        for x in xs:
            _, runtime = place.runtime(f"runtime-{x}.sock", "--pods", str(max(x // 4, 1)), "--containers", str(x))
            runtimes[x] = runtime
            direct = Way("direct", runtime)
            plain = Manager(place, NAME, bench.managers[NAME], runtime)
            hooked = Manager(place, NAME, bench.managers[NAME], runtime, [plugin], POINTS)
            few = max(min(bench.calls, 2_000_000 // x), 20)
            start = "/runtime.v1.RuntimeService/StartContainer"
            cases["containers", x] = [
                (direct, "direct", (bodies.STATUS, small, bench.calls)),
                (plain, "a call of 100 B", (bodies.STATUS, small, bench.calls)),
                (plain, "CreateContainer, no plugin", (bodies.CREATE, create, bench.calls)),
                (hooked, "StartContainer, one plugin", (start, begin, bench.calls)),
                (direct, "a list of all, direct", (bodies.LIST, empty, few)),
                (plain, "a list of all", (bodies.LIST, empty, few)),
            ]
        bench.interleave("containers", cases)
        for number in range(bench.rounds):
            print(f"bench: reading all records: round {number + 1} of {bench.rounds}", file=sys.stderr)
            for x in turned(xs, number):
                with bench.fresh(NAME, runtimes[x]) as manager:
                    time.sleep(0.2)  # what the reading left is given back when it has said that it is done
                    rebuilt[x].append(seconds(read(manager.log)) * 1e3)
                    memory[x].append(manager.memory().all / 1e6)
    line = lambda name: taken(bench, "containers", xs, name)
    single = ("a call of 100 B", "CreateContainer, no plugin", "StartContainer, one plugin")
    label = "containers in the Store"
    return [
        Curve("One call", label, "us", {name: line(name) for name in single}, (True, False)),
        Curve("A list of all containers", "containers in the list", "us",
              {"direct": line("a list of all, direct"), NAME: line("a list of all"),
               "added": added(bench, "containers", xs, "a list of all", "a list of all, direct")}),
        Curve("Reading all records at start", label, "ms", {"until the Store is rebuilt": list(rebuilt.items())}),
        Curve("Memory after that", label, "MB", {"resident": list(memory.items())}, (True, False)),
    ]


def seconds(log):
    """How long the rebuild in this log took. Swift writes a Duration as "0.012 seconds"."""
    return float(re.search(r"store rebuilt from the runtime in ([0-9.e-]+) seconds", log)[1])


def plugins(bench):
    """0 to 10 plugins that are asked before a pod is run."""
    xs = (0, 1, 2, 3, 5, 10)
    with bench.stage("p") as place:
        _, runtime = place.runtime()
        sockets = [place.runtime(f"plugin-{index}.sock", "--plugin")[1] for index in range(max(xs))]
        body = place.body("pod", bodies.framed(bodies.run_pod_sandbox()))
        cases = {("plugins", x): [(Manager(place, NAME, bench.managers[NAME], runtime, sockets[:x]), "RunPodSandbox of 2 KB",
                                   (bodies.RUN_POD, body, bench.calls))] for x in xs}
        bench.interleave("plugins", cases)
    line = "RunPodSandbox of 2 KB"
    return [Curve("RunPodSandbox of 2 KB", "plugins", "us",
                  {"time": taken(bench, "plugins", xs, line), f"CPU of {NAME}": taken(bench, "plugins", xs, line, "cpu")},
                  (False, False))]


def in_flight(bench):
    """1 to 256 calls at a time on one connection."""
    xs = (1, 4, 16, 64, 256)
    with bench.stage("f") as place:
        _, runtime = place.runtime()
        ways = [Way("direct", runtime), place.peer("byte relay", "byte_relay", runtime),
                place.peer("C-core proxy", "core_proxy", runtime), Manager(place, NAME, bench.managers[NAME], runtime)]
        small = place.body("small", bodies.framed(bodies.opaque(100)))
        calls = lambda x: bench.calls * (1 if x < 4 else 3)
        bench.interleave("in flight", {("in flight", x): [(way, way.name, (bodies.STATUS, small, calls(x), x)) for way in ways]
                                       for x in xs})
    names = [way.name for way in ways]
    rate = lambda name: [(x, [one / 1e3 for one in numbers]) for x, numbers in taken(bench, "in flight", xs, name, "rate")]
    return [Curve("Calls of 100 B a second", "in flight", "thousands", {name: rate(name) for name in names}, (True, False)),
            Curve("CPU of the process in the middle, calls of 100 B", "in flight", "us a call",
                  {name: taken(bench, "in flight", xs, name, "cpu") for name in names if name != "direct"}, (True, False))]


def message(bench):
    """Answers of 100 bytes to 16 MiB."""
    xs = (100, 1 << 10, 10 << 10, 100 << 10, 1 << 20, 16 << 20)
    cases = {}
    with bench.stage("s") as place:
        small = place.body("small", bodies.framed(bodies.opaque(100)))
        for x in xs:
            _, runtime = place.runtime(f"runtime-{x}.sock", "--answer-bytes", str(x))
            relay = Way("byte relay", place.named(f"relay-{x}.sock"))
            relay.process = place.start([os.path.join(place.peers, "byte_relay"), relay.socket, runtime], relay.socket)
            ways = [Way("direct", runtime), relay, Manager(place, NAME, bench.managers[NAME], runtime)]
            calls = max(min(bench.calls, (256 << 20) // x), 10)
            cases["message", x] = [(way, way.name, (bodies.STATUS, small, calls, 1, x - 10)) for way in ways]
        bench.interleave("message", cases)
    return [Curve("One call, by the size of the answer", "bytes", "us",
                  {"direct": taken(bench, "message", xs, "direct"),
                   "byte relay adds": added(bench, "message", xs, "byte relay"),
                   f"{NAME} adds": added(bench, "message", xs, NAME)})]


SECTIONS = {"containers": containers, "plugins": plugins, "in-flight": in_flight, "message": message}


def draw(curves, path):
    import pictures

    height = (len(curves) + 1) // 2
    figure, axes = pictures.pyplot.subplots(height, 2, figsize=(10, 3.1 * height), squeeze=False)
    for curve, one in zip(curves, axes.flat):
        pictures.curves(one, curve.title, curve.xlabel, curve.unit, curve.lines, curve.logarithmic)
    for one in list(axes.flat)[len(curves):]:
        one.set_axis_off()
    pictures.save(figure, path)


def tell(arguments, curves, table, stream):
    print(run.machine(arguments), end="\n\n", file=stream)
    for curve in curves:
        table(curve.table(), stream)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=2_000, help="calls a round, fewer where they are large")
    parser.add_argument("--only", action="append", metavar="SECTION", choices=SECTIONS, help=f"one of {', '.join(SECTIONS)}")
    run.add_common(parser)
    arguments = parser.parse_args()
    find_tools("h2load", "cc")
    has_pictures = find_pictures()
    managers = {NAME: (arguments.manager or [os.path.join(arguments.binaries, "runtime-manager")])[0]}
    if not arguments.no_build:
        build_swift("simulated-runtime", *([] if arguments.manager else ["runtime-manager"]))
    if arguments.priority:
        os.nice(-20)
    if not arguments.no_pin:
        pinned(arguments.core)
    with tempfile.TemporaryDirectory(prefix="rm-scale-", dir="/tmp") as place:
        bench = Bench(arguments, managers, place)
        curves = [curve for name in arguments.only or SECTIONS for curve in SECTIONS[name](bench)]
    os.makedirs(arguments.out, exist_ok=True)
    with open(os.path.join(arguments.out, "scale.md"), "w") as file:
        tell(arguments, curves, report.markdown, file)
    for directory in [arguments.out] + ([os.path.dirname(arguments.document) or "."] if arguments.document else []):
        if has_pictures:
            draw(curves, os.path.join(directory, "scale.svg"))
    if arguments.document:
        report.put_into(arguments.document, report.command(parser, arguments), read(os.path.join(arguments.out, "scale.md")))
    print()
    tell(arguments, curves, report.markdown if arguments.markdown else report.shown, sys.stdout)


if __name__ == "__main__":
    main()
