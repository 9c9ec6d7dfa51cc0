#!/usr/bin/python3
"""What calls notice of admin clients: the latency of a relayed call, quiet and under each kind of flood, interleaved.

A flood is one process that does nothing else for as long as the load is measured:

    connects   dials the admin socket and hangs up, again and again
    held       holds as many connections as are served, and dials further ones, which are closed at once
    scrapes    asks for /metrics and /v1/pods on eight connections, and takes the answers
    garbage    sends what is no HTTP, and reads what is said to it

Prints medians and the 99th of 100 calls over the rounds, their spread, and how much each flood did. It compares, and never
fails because something is slow.
"""

import argparse
import contextlib
import multiprocessing
import os
import socket
import sys
import tempfile

import bodies
import report
from load import load
from processes import Manager, Place, build_swift, find_tools, pinned, stop, turned
from run import add_common, machine, named_managers

#: AdminLimits.connections
SERVED = 32


def dialled(path):
    """Waits its turn where many dial: without a timeout the kernel has it wait, with one it is refused."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    client.settimeout(60)
    return client


def connects(path):
    while True:
        dialled(path).close()
        yield


def held(path):
    clients = [dialled(path) for _ in range(SERVED)]
    while clients:
        with dialled(path) as client, contextlib.suppress(OSError):
            client.recv(1)
        yield


def scrapes(path):
    while True:
        # Those of an earlier flood may still be served.
        with contextlib.suppress(OSError), contextlib.ExitStack() as open_clients:
            clients = [open_clients.enter_context(dialled(path)) for _ in range(8)]
            while True:
                for client in clients:
                    client.sendall(b"GET /metrics HTTP/1.1\r\n\r\nGET /v1/pods HTTP/1.1\r\n\r\n")
                for client in clients:
                    if not client.recv(1 << 20):
                        raise ConnectionResetError
                    yield


def garbage(path):
    while True:
        with dialled(path) as client, contextlib.suppress(OSError):
            client.sendall(b"\x16\x03\x01" * 1000)
            client.recv(1 << 16)
        yield


FLOODS = [connects, held, scrapes, garbage]


def pour(flood, path, end, done):
    for _ in flood(path):
        done.value += 1
        if end.is_set():
            return


@contextlib.contextmanager
def poured(flood, path):
    """The flood, from its first drop on; gives a function that says how much it has been."""
    if flood is None:
        yield lambda: 0
        return
    end, done = multiprocessing.Event(), multiprocessing.Value("L", 0)
    process = multiprocessing.Process(target=pour, args=(flood, path, end, done), daemon=True)
    process.start()
    while not done.value:
        if not process.is_alive():
            stop(f"the flood {flood.__name__} could not begin")
    before = done.value
    yield lambda: done.value - before
    end.set()
    process.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=10_000, help="calls of 100 B at 1 in flight, a round")
    add_common(parser)
    arguments = parser.parse_args()
    find_tools("h2load")
    managers = named_managers(arguments)
    if not arguments.no_build:
        build_swift("simulated-runtime", *([] if arguments.manager else ["runtime-manager"]))
    if arguments.priority:
        os.nice(-20)
    if not arguments.no_pin:
        pinned(arguments.core)
    (name, binary), *_ = managers.items()
    cases = {"quiet": None, **{flood.__name__: flood for flood in FLOODS}}
    samples = {case: [] for case in cases}
    with tempfile.TemporaryDirectory(prefix="rm-flood-", dir="/tmp") as path, Place(path, arguments.binaries, None) as place:
        _, runtime = place.runtime()
        way = Manager(place, name, binary, runtime)
        body = place.body("small", bodies.framed(bodies.opaque(100)))
        load(way, bodies.STATUS, body, arguments.calls // 10, 1, 100)
        names = list(cases)
        for number in range(arguments.rounds):
            print(f"bench: round {number + 1} of {arguments.rounds}", file=sys.stderr)
            for case in turned(names, number):
                with poured(cases[case], way.admin) as amount:
                    sample = load(way, bodies.STATUS, body, arguments.calls, 1, 100)
                    # In a second of the load.
                    samples[case].append((sample.median, sample.p99, amount() / (arguments.calls / sample.rate)))
        peak = way.memory().peak
    rows = [["A relayed call of 100 B", "median, us", "99th of 100, us", "flood, a second"]]
    for case, taken in samples.items():
        columns = list(zip(*taken))
        rows.append([case, *(report.with_spread(column, 1) for column in columns)])
    note = f"Peak memory of the daemon after all of it: {peak / (1 << 20):.1f} MiB."
    print(machine(arguments), end="\n\n")
    (report.markdown if arguments.markdown or arguments.document else report.shown)(rows, sys.stdout)
    print(note)
    if arguments.document:
        with tempfile.TemporaryFile("w+") as text:
            print(machine(arguments), end="\n\n", file=text)
            report.markdown(rows, text)
            print(note, file=text)
            text.seek(0)
            report.put_into(arguments.document, report.command(parser, arguments), text.read())


if __name__ == "__main__":
    main()
