#!/usr/bin/python3
"""What RuntimeManager costs beside its peers, in one interleaved run.

The far end is a simulated runtime that answers at once (Tests/SimulatedRuntime), the near end h2load. Everything is
pinned to one core, so that times do not depend on which cores happen to be awake. Prints medians over the rounds, their
spread and the goals; it compares, and never fails because something is slow.

    run.py --only unary --manager old=/tmp/before --manager new=.build/release/runtime-manager

compares two builds in one run.
"""

import argparse
import os
import sys
import tempfile

import report
from goals import goals_table
from processes import ROOT, build_swift, find_tools, pinned, stop
from sections import SECTIONS, Bench


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=10_000, help="calls of 100 B at 1 in flight, a round")
    parser.add_argument("--only", action="append", metavar="SECTION", choices=SECTIONS, help=f"one of {', '.join(SECTIONS)}")
    parser.add_argument("--manager", action="append", metavar="[NAME=]PATH", default=[],
                        help="another runtime-manager; twice: two builds, compared")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--binaries", default=os.path.join(ROOT, ".build", "release"), help="where the Swift programs are")
    parser.add_argument("--core", type=int, help="the core that everything is pinned to (the last one)")
    parser.add_argument("--no-pin", action="store_true", help="use every core")
    parser.add_argument("--priority", action="store_true", help="go before other work of a busy machine (root)")
    parser.add_argument("--markdown", action="store_true", help="print the tables as markdown")
    return parser.parse_args()


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


def tell(results, managers, table):
    for case in results.cases():
        table(report.case_table(results, case), sys.stdout)
    if results.memory:
        table(report.memory_table(results), sys.stdout)
    names = list(managers)
    if len(names) > 1:
        for other in names[1:]:
            table(report.versus_table(results, names[0], other), sys.stdout)
    for name in names:
        table(goals_table(results, name), sys.stdout)


def main():
    arguments = parsed()
    find_tools("h2load", "socat")
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
    print()
    tell(bench.results, managers, report.markdown if arguments.markdown else report.shown)


if __name__ == "__main__":
    main()
