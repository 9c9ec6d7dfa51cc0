"""h2load as the client: one measured load on one way."""

import dataclasses
import os
import re
import statistics
import subprocess

from processes import stop


@dataclasses.dataclass
class Sample:
    """What one load showed: microseconds of the middle and the 99th of 100 calls, calls a second, and what the process
    in the middle used for a call: CPU in microseconds, context switches."""

    median: float
    p99: float
    rate: float
    cpu: float | None = None
    switches: float | None = None


def load(way, method, body, calls, in_flight=1, smallest_answer=1):
    """Runs h2load on `way`: `calls` unary calls of `method` with the framed message in the file `body`."""
    log = body + ".log"
    if os.path.exists(log):
        os.remove(log)
    command = ["h2load", "-n", str(calls), "-c", "1", "-m", str(in_flight), "-w", "24", "-W", "26", "-B",
               f"unix:{way.socket}", "-H", "content-type: application/grpc", "-H", "te: trailers", "-d", body,
               "--log-file", log, "http://localhost" + method]
    way.begin()
    client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while True:
        try:
            out, _ = client.communicate(timeout=0.1)
            break
        except subprocess.TimeoutExpired:
            way.look()
    used = way.end()
    # An error status has no message, so the bytes of DATA prove that every call was answered.
    data = re.search(r"\((\d+)\) data", out)
    if f"{calls} succeeded" not in out or not data or int(data[1]) < calls * smallest_answer:
        stop(f"calls of {method} by {way.name} failed:\n{out}")
    with open(log) as lines:
        seen = [tuple(map(int, line.split("\t"))) for line in lines]
    span = max(start + took for start, _, took in seen) - min(start for start, _, _ in seen)
    took = sorted(took for _, _, took in seen)
    # h2load writes whole microseconds; among thousands of calls the median is known better than that.
    sample = Sample(statistics.median_grouped(took), took[min(int(len(took) * 0.99), len(took) - 1)], calls / span * 1e6)
    if used:
        sample.cpu, sample.switches = used.cpu / calls * 1e6, used.switches / calls
    return sample
