#!/usr/bin/python3
"""Shows RuntimeManager at work: a real pod, a plugin that changes it, and what the kernel says of that.

What `make run` calls. Environment:
    RUNTIME_MANAGER  the binary (default: the release build)
    RUNTIME          a containerd socket to use instead of a private one
    ONCE             1: end after the pod, exit 0 only if the kernel shows what the plugin asked for
Everything that was started is taken away at the end, Ctrl-C included.
"""

import contextlib
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "Tests"))
os.environ.setdefault("RUNTIME_MANAGER", str(ROOT / ".build" / "release" / "runtime-manager"))

from Peers import images, messages  # noqa: E402

import grpc  # noqa: E402  (after Peers, which sets it up)

from Peers.containerd import CGROUP_ROOT, NotPossible, PrivateContainerd, cgroup_version, dying_with_parent, weight_to_shares  # noqa: E402
from Peers.cri import Life, Runtime  # noqa: E402
from Peers.manager import BINARY, IS_RELAY, Manager  # noqa: E402
from Peers.recorder import register  # noqa: E402
from Peers.wait import eventually, listens  # noqa: E402

HOOKS = ["PreRunPodSandbox", "PreCreateContainer", "PreUpdateContainerResources", "PostStopPodSandbox"]
BATCH_SHARES = 128
ONCE = os.environ.get("ONCE") == "1"
COLOUR = sys.stdout.isatty()


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def line(who, what, colour="1"):
    print(f"{paint(colour, f'{who:>15}')}  {what}", flush=True)


def blank():
    print(flush=True)


class Plugin:
    """The sample plugin as a process; what it says is printed as it comes."""

    def __init__(self, socket):
        self.said = queue.Queue()
        self.process = subprocess.Popen(
            dying_with_parent([sys.executable, str(ROOT / "Tests" / "Demo" / "plugin.py"), socket]),
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.path.dirname(messages.hook.__file__), "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        eventually(lambda: self._serves(socket), what="the sample plugin serves its socket")

    def _serves(self, socket):
        if self.process.poll() is not None:
            raise SystemExit(f"the sample plugin ended with {self.process.returncode}")
        return listens(socket)

    def _read(self):
        for text in self.process.stdout:
            hook, pod, what = text.rstrip("\n").split("\t")
            line("hook", f"{hook} of {pod}: {what}", "36")
            self.said.put(hook)

    def expect(self, hook):
        """Waits until the plugin has been asked."""
        try:
            got = self.said.get(timeout=10)
        except queue.Empty:
            raise SystemExit(f"the plugin was not asked: {hook}")
        if got != hook:
            raise SystemExit(f"the plugin was asked {got} instead of {hook}")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def cgroup_of(pid, controller):
    """The directory of a process's cgroup, on cgroup v1 or v2."""
    for entry in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = entry.split(":", 2)
        if cgroup_version() == 2 and controllers == "":
            return CGROUP_ROOT / path.lstrip("/")
        if cgroup_version() == 1 and controller in controllers.split(","):
            return CGROUP_ROOT / controller / path.lstrip("/")
    raise SystemExit(f"process {pid} is in no {controller} cgroup")


def kernel_shows(kubelet, container):
    """Prints what the kernel holds for the container; gives whether it is what the plugin asked for."""
    info = json.loads(kubelet.container_status(container, verbose=True).info["info"])
    directory = cgroup_of(info["pid"], "cpu")
    if cgroup_version() == 1:
        file = directory / "cpu.shares"
        value = int(file.read_text())
        right = value == BATCH_SHARES
    else:  # shares become a weight of 1 to 10,000
        file = directory / "cpu.weight"
        value = int(file.read_text())
        right = abs(weight_to_shares(value) - BATCH_SHARES) <= 27
    verdict = paint("32", "as the plugin asked") if right else paint("31", f"NOT what the plugin asked ({BATCH_SHARES} shares)")
    line("kernel", f"{file} = {value}: {verdict}")
    return right


def show(kubelet, plugin, cgroup):
    """One pod with one container, changed by the plugin at creation and at an update."""
    life = Life(kubelet)
    blank()
    line("kubelet", "RunPodSandbox: pod demo/report, label example.com/class = batch")
    pod = life.pod(name="report", namespace="demo", labels={"example.com/class": "batch"}, cgroup_parent=cgroup)
    plugin.expect("PreRunPodSandbox")
    annotations = kubelet.pod_status(pod).status.annotations
    line("containerd", f"pod {pod[:12]} runs, annotation example.com/handled-by = {annotations['example.com/handled-by']}")
    blank()
    line("kubelet", "CreateContainer: main, cpu_shares 1024")
    container = life.container(pod, cpu_shares=1024, memory_limit_in_bytes=64 << 20)
    plugin.expect("PreCreateContainer")
    line("kubelet", "StartContainer")
    kubelet.start_container(container)
    env = [e for e in kubelet.exec(container, "/bin/env").splitlines() if e.startswith("CLASS=")]
    line("containerd", f"container {container[:12]} runs, environment {' '.join(env) or 'without CLASS'}")
    right = kernel_shows(kubelet, container) and env == ["CLASS=batch"]
    blank()
    line("kubelet", "UpdateContainerResources: cpu_shares 2048")
    kubelet.update(container, cpu_shares=2048)
    plugin.expect("PreUpdateContainerResources")
    return kernel_shows(kubelet, container) and right, pod


def remove(kubelet, plugin, pod):
    blank()
    line("kubelet", "StopPodSandbox, RemovePodSandbox")
    kubelet.stop_pod(pod)
    if plugin:
        plugin.expect("PostStopPodSandbox")
    kubelet.remove_pod(pod)


def import_images(socket):
    archive = pathlib.Path(tempfile.mkdtemp(prefix="rmd-")) / "images.tar"
    try:
        archive.write_bytes(images.archive({"aarch64": "arm64"}.get(os.uname().machine, "amd64")))
        subprocess.run(["ctr", "-a", socket, "-n", "k8s.io", "image", "import", str(archive)], check=True, stdout=subprocess.DEVNULL)
    finally:
        shutil.rmtree(archive.parent)

    with Runtime(socket) as runtime:
        eventually(
            lambda: any(images.SAMPLE in image.repo_tags for image in runtime.call("ListImages").images),
            what=f"{socket} knows the imported image",
        )


def remove_images(socket):
    with Runtime(socket) as runtime, contextlib.suppress(grpc.RpcError):
        for name in (images.SAMPLE, images.PAUSE):
            runtime.call("RemoveImage", messages.cri.RemoveImageRequest(image=messages.cri.ImageSpec(image=name)))


def main():
    if not IS_RELAY and not os.access(BINARY, os.X_OK):
        raise SystemExit(f"run: no binary at {BINARY}: build it first (make build)")
    with contextlib.ExitStack() as ends:
        place = tempfile.mkdtemp(prefix="rmd-")
        ends.callback(shutil.rmtree, place, ignore_errors=True)
        runtime, cgroup = os.environ.get("RUNTIME", "").removeprefix("unix://"), ""
        if runtime:
            if not os.path.exists(runtime):
                raise SystemExit(f"run: no socket at {runtime}")
            import_images(runtime)
            ends.callback(remove_images, runtime)
            line("containerd", runtime)
        else:
            try:
                containerd = ends.enter_context(PrivateContainerd())
            except NotPossible as reason:
                raise SystemExit(f"run: {reason}")
            runtime, cgroup = containerd.socket, f"{containerd.cgroup}/demo"
            line("containerd", f"{runtime} (private: removed at the end)")
        hook_dir = os.path.join(place, "hookserver.d")
        os.mkdir(hook_dir, 0o755)
        plugin = Plugin(os.path.join(place, "batch.sock"))
        ends.callback(plugin.stop)
        file = register(hook_dir, "batch", os.path.join(place, "batch.sock"), HOOKS, "Fail")
        line("plugin", f"{file}: {pathlib.Path(file).read_text()}")
        manager = ends.enter_context(Manager(place, runtime, hook_dir=hook_dir))
        line("RuntimeManager", manager.listen)
        with Runtime(manager.listen) as kubelet:
            version = kubelet.call("Version")
            line("kubelet", f"Version: {version.runtime_name} {version.runtime_version}, through RuntimeManager")
            pod = None
            try:
                right, pod = show(kubelet, plugin, cgroup)
                if not ONCE:
                    blank()
                    print(f"Serving on unix://{manager.listen}; what the plugin is asked shows here. Ctrl-C ends it all.", flush=True)
                    manager.process.wait()
                    raise SystemExit(f"RuntimeManager ended by itself:\n{manager.log()}")
            except (grpc.RpcError, AssertionError) as error:
                text = error.details() if isinstance(error, grpc.RpcError) else error
                print(f"run: {text}\n{manager.log()}", file=sys.stderr)
                return 1
            finally:
                with contextlib.suppress(grpc.RpcError):
                    if pod:
                        remove(kubelet, plugin if ONCE else None, pod)
                    else:
                        for left in kubelet.call("ListPodSandbox").items:
                            if left.metadata.namespace == "demo" and left.metadata.name == "report":
                                remove(kubelet, None, left.id)
        return 0 if right else 1


def stop(signum, frame):
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the clean-up is not interrupted
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)
    try:
        code = main()
    except KeyboardInterrupt:
        print("\nEverything that was started is gone again.")
        code = 130 if ONCE else 0
    sys.exit(code)
