#!/usr/bin/python3
"""What RuntimeManager costs beside its peers, in one interleaved run.

The far end is a simulated runtime that answers at once (Tests/SimulatedRuntime), the near end h2load. Everything is
pinned to one core, so that times do not depend on which cores happen to be awake. Prints medians over the rounds, their
spread and the goals; it compares, and never fails because something is slow.

    run.py --only unary --manager old=/tmp/before --manager new=.build/release/runtime-manager

compares two builds in one run.
"""

import argparse
import dataclasses
import json
import os
import platform
import re
import sys
import tempfile

import report
from goals import goals, goals_table, verdict
from processes import ROOT, build_swift, find_pictures, find_tools, pinned, read, stop
from sections import HOOKED, LARGE_CASE, MANY, ONE, SECTIONS, Bench


def add_common(parser):
    """The flags that scale.py has too."""
    parser.add_argument("--manager", action="append", metavar="[NAME=]PATH", default=[],
                        help="another runtime-manager; twice: two builds, compared")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--binaries", default=os.path.join(ROOT, ".build", "release"), help="where the Swift programs are")
    parser.add_argument("--core", type=int, help="the core that everything is pinned to (the last one)")
    parser.add_argument("--no-pin", action="store_true", help="use every core")
    parser.add_argument("--priority", action="store_true", help="go before other work of a busy machine (root)")
    parser.add_argument("--out", default=os.path.join(ROOT, ".build", "bench"), help="where tables, samples and pictures go")
    parser.add_argument("--markdown", action="store_true", help="print the tables as markdown")
    parser.add_argument("--document", metavar="FILE", help="put the tables between the marks in FILE, the picture beside it")


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=10_000, help="calls of 100 B at 1 in flight, a round")
    parser.add_argument("--only", action="append", metavar="SECTION", choices=SECTIONS, help=f"one of {', '.join(SECTIONS)}")
    add_common(parser)
    arguments = parser.parse_args()
    if arguments.document and arguments.only:
        parser.error("--document wants all sections")
    arguments.command = report.command(parser, arguments)
    return arguments


def named_managers(arguments):
    """The builds to measure, by name."""
    if not arguments.manager:
        return {"RuntimeManager": os.path.join(arguments.binaries, "runtime-manager")}
    default = ["RuntimeManager"] if len(arguments.manager) == 1 else ["old", "new"] + list(map(str, range(3, 10)))
    named = dict(one.split("=", 1) if "=" in one else (name, one) for name, one in zip(default, arguments.manager))
    for path in named.values():
        if not os.access(path, os.X_OK):
            stop(f"{path} is no program")
    return named


def machine(arguments):
    """How it was measured, and on what."""
    model = re.search(r"model name\s*: (.*)", read("/proc/cpuinfo"))
    return (f"{arguments.rounds} rounds, {arguments.calls:,} calls a round, "
            f"{'every core' if arguments.no_pin else 'all on one core'} of {os.cpu_count()} "
            f"({model[1] if model else platform.machine()}, Linux {platform.release()}); median, and min..max of the rounds")


def tell(results, managers, arguments, table, stream):
    print(machine(arguments), end="\n\n", file=stream)
    names = list(managers)
    for name in names:
        if found := goals(results, name):
            table(goals_table(found, name), stream)
    if len(names) > 1:
        for other in names[1:]:
            table(report.versus_table(results, names[0], other), stream)
    for case in results.cases():
        table(report.case_table(results, case), stream)
    if results.memory:
        table(report.memory_table(results), stream)
    if results.records:
        table(report.record_table(results), stream)


def written(results, arguments):
    """Every sample, for whoever wants to compute something else."""
    plain = lambda value: dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value
    listed = lambda of: [[*key, [plain(one) for one in value] if isinstance(value, list) else plain(value)]
                         for key, value in of.items()]
    return json.dumps({"machine": machine(arguments), "samples": listed(results.samples), "memory": listed(results.memory),
                       "records": listed(results.records), "figures": listed(results.figures)}, indent=1)


def main():
    arguments = parsed()
    find_tools("h2load", "socat", "cc")
    has_pictures = find_pictures()
    managers = named_managers(arguments)
    if not arguments.no_build:
        build_swift("simulated-runtime", *([] if arguments.manager else ["runtime-manager"]))
    if arguments.priority:
        os.nice(-20)
    if not arguments.no_pin:
        pinned(arguments.core)
    with tempfile.TemporaryDirectory(prefix="rm-bench-", dir="/tmp") as place:
        bench = Bench(arguments, managers, place)
        for name in arguments.only or SECTIONS:
            SECTIONS[name](bench)
    os.makedirs(arguments.out, exist_ok=True)
    out = lambda name: os.path.join(arguments.out, name)
    with open(out("speed.md"), "w") as file:
        tell(bench.results, managers, arguments, report.markdown, file)
    with open(out("speed.json"), "w") as file:
        file.write(written(bench.results, arguments))
    pictures_at = [arguments.out] + ([os.path.dirname(arguments.document) or "."] if arguments.document else [])
    if has_pictures:
        import pictures

        for directory in pictures_at:
            pictures.speed(bench.results, managers, (ONE, MANY, LARGE_CASE, HOOKED), os.path.join(directory, "speed.svg"))
    if arguments.document:
        report.put_into(arguments.document, arguments.command, read(out("speed.md")))
    print()
    tell(bench.results, managers, arguments, report.markdown if arguments.markdown else report.shown, sys.stdout)
    print(f"bench: samples, tables and pictures are in {arguments.out}", file=sys.stderr)
    for name in managers:
        if found := goals(bench.results, name):
            print(f"bench: {f'{name}: ' if len(managers) > 1 else ''}{verdict(found)}", file=sys.stderr)


if __name__ == "__main__":
    main()
