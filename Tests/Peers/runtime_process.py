"""The simulated runtime as a process of its own, which can be killed, stopped and starved.

    with RuntimeProcess(socket, journal) as runtime:
        runtime.tell(hold=["StartContainer"])     # its work is done and journalled, its answer waits
        eventually(lambda: runtime.calls("StartContainer", "held"))
        runtime.kill()
        runtime.start()                           # with the pods and containers that it had

What it was asked and what it has made is in its journal, one JSON text a line, so that both outlive it.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import threading

import grpc

from .containerd import dying_with_parent
from .fake_runtime import FakeRuntime
from .messages import ROOT, cri
from .wait import freeze, thaw


class RuntimeProcess:
    def __init__(self, socket, journal, start=True):
        self.socket = str(socket)
        self.journal = pathlib.Path(journal)
        self.process = None
        if start:
            self.start()

    # Life

    def start(self):
        self.process = subprocess.Popen(
            dying_with_parent([sys.executable, "-m", "Peers.runtime_process", self.socket, str(self.journal)]),
            cwd=ROOT / "Tests",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._acknowledged()
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()

    def restart(self):
        self.kill()
        self.start()

    def stop(self):
        """The end of a test."""
        if self.process.poll() is None:
            self.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # Faults

    def freeze(self):
        """SIGSTOP: its sockets stay, nobody reads them."""
        freeze(self.process)

    def thaw(self):
        thaw(self.process)

    def starve(self):
        """It has every file descriptor that it may have: it can accept nobody."""
        used = max(int(name) for name in os.listdir(f"/proc/{self.process.pid}/fd"))
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        # Holes below the highest descriptor would be found first: they are filled by the process itself.
        self.tell(fill=True)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (used + 1, hard))

    def tell(self, **command):
        """Changes what it does, from now on: `hold` (verbs whose answers wait), `refuse` (verb: [code, text, details])."""
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()
        self._acknowledged()

    def _acknowledged(self):
        assert self.process.stdout.readline() == b"ok\n", "the simulated runtime has ended"

    # What it was asked, and what it has

    def _journalled(self, kind):
        lines = self.journal.read_bytes().split(b"\n")[:-1] if self.journal.exists() else []
        return [entry[kind] for entry in map(json.loads, lines) if kind in entry]

    def calls(self, method, what="call"):
        """The requests of this method that have arrived (or whose answers wait, `what="held"`, or have been sent,
        `what="answered"`), oldest first."""
        kind = getattr(cri, f"{method}Request")
        return [kind.FromString(bytes.fromhex(call["raw"])) for call in self._journalled(what) if call["method"] == method]

    def state(self):
        """Its pods and containers, as `FakeRuntime` keeps them."""
        states = self._journalled("state")
        return _loaded(states[-1]) if states else ({}, {})


def _dumped(pods, containers):
    def text(message):
        return message.SerializeToString().hex()

    return {
        "pods": {k: {**v, "config": text(v["config"])} for k, v in pods.items()},
        "containers": {
            k: {**v, "config": text(v["config"]), "resources": text(v["resources"])} for k, v in containers.items()
        },
    }


def _loaded(state):
    def message(kind, text):
        return kind.FromString(bytes.fromhex(text))

    pods = {k: {**v, "config": message(cri.PodSandboxConfig, v["config"])} for k, v in state["pods"].items()}
    containers = {
        k: {
            **v,
            "config": message(cri.ContainerConfig, v["config"]),
            "resources": message(cri.LinuxContainerResources, v["resources"]),
        }
        for k, v in state["containers"].items()
    }
    return pods, containers


# The process


class Journalled(FakeRuntime):
    def __init__(self, socket, journal):
        super().__init__(socket, start=False)
        self._held = set()
        self._letting_go = threading.Condition()
        self._saving = threading.Lock()
        states = [json.loads(line) for line in pathlib.Path(journal).read_text().splitlines()] if os.path.exists(journal) else []
        for state in [entry["state"] for entry in states if "state" in entry][-1:]:
            self.pods, self.containers = _loaded(state)
        # Open from the start: it must work without a free descriptor.
        self._file = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.start()

    def _write(self, entry):
        os.write(self._file, json.dumps(entry).encode() + b"\n")

    def _record(self, path, raw, context):
        call = super()._record(path, raw, context)
        self._write({"call": {"method": call.method, "raw": raw.hex()}})
        return call

    def _cri(self, path, name, data, context):
        answer = super()._cri(path, name, data, context)
        with self._saving:
            self._write({"state": _dumped(dict(self.pods), dict(self.containers))})
        with self._letting_go:
            if name in self._held:
                self._write({"held": {"method": name, "raw": data.hex()}})
            self._letting_go.wait_for(lambda: name not in self._held)
        # gRPC calls back when the status has been written to the socket, or the caller is gone.
        context.add_callback(lambda: self._write({"answered": {"method": name, "raw": data.hex()}}))
        return answer

    def obey(self, command):
        with self._letting_go:
            self._held = set(command.get("hold", self._held))
            self._letting_go.notify_all()
        for verb, refusal in command.get("refuse", {}).items():
            if refusal is None:
                self.on(verb, None)
            else:
                code, text, details = refusal
                code = next(c for c in grpc.StatusCode if c.value[0] == code)
                self.refuse(verb, code, text, [("grpc-status-details-bin", bytes.fromhex(details))])
        if command.get("fill"):
            highest = max(int(name) for name in os.listdir("/proc/self/fd"))
            while os.dup(0) < highest:
                pass


def _serve():
    parser = argparse.ArgumentParser()
    parser.add_argument("socket")
    parser.add_argument("journal")
    arguments = parser.parse_args()
    runtime = Journalled(arguments.socket, arguments.journal)
    print("ok", flush=True)
    for line in sys.stdin:
        runtime.obey(json.loads(line))
        print("ok", flush=True)


if __name__ == "__main__":
    _serve()
