"""What `make run` shows is true, and it leaves nothing; nor does a test run that was killed."""

import glob
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import pytest

from Peers import containerd as private
from Peers.manager import BINARY
from Peers.messages import ROOT

RUN = str(ROOT / "Tests" / "Demo" / "run.py")


@pytest.fixture
def own_tmp(place, monkeypatch):
    """A folder for temporary files of these tests' own: other instances, of other runs too, live in the usual one."""
    monkeypatch.setattr(tempfile, "tempdir", place)
    monkeypatch.setenv("TMPDIR", place)
    return place


def traces(own_tmp):
    """What a demonstration or a private containerd leaves while it runs."""
    found = set(glob.glob(f"{own_tmp}/rm[cd]-*"))
    found |= {line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if own_tmp in line}
    groups = set(glob.glob("/sys/fs/cgroup/*/rmc-*")) | set(glob.glob("/sys/fs/cgroup/rmc-*"))
    return found | {group for group in groups if not os.path.exists(f"/tmp/{os.path.basename(group)}")}


def environment(**more):
    return {**os.environ, "RUNTIME_MANAGER": BINARY, **more}


def test_one_pod_is_shown_and_the_kernel_holds_what_the_plugin_asked(containerd, own_tmp):
    before = traces(own_tmp)
    done = subprocess.run([sys.executable, RUN], capture_output=True, text=True, timeout=60, env=environment(ONCE="1"))
    assert done.returncode == 0, done.stdout + done.stderr
    for text in ["PreRunPodSandbox of demo/report", "cpu_shares 1024 -> 128", "as the plugin asked", "PostStopPodSandbox"]:
        assert text in done.stdout
    assert traces(own_tmp) == before


def test_it_can_be_shown_on_another_containerd(containerd, direct):
    done = subprocess.run(
        [sys.executable, RUN], capture_output=True, text=True, timeout=60,
        env=environment(ONCE="1", RUNTIME=f"unix://{containerd.socket}"),
    )
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        assert list(direct.call("ListPodSandbox").items) == []
    finally:
        containerd.import_images()  # the demonstration took its images away, which here are the tests' own


def test_it_serves_until_ctrl_c_and_then_leaves_nothing(containerd, own_tmp):
    before = traces(own_tmp)
    process = subprocess.Popen([sys.executable, RUN], stdout=subprocess.PIPE, text=True, env=environment(ONCE=""))
    for line in process.stdout:
        if line.startswith("Serving on"):
            process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert traces(own_tmp) == before


def test_it_fails_in_one_line_without_a_binary(containerd):
    done = subprocess.run(
        [sys.executable, RUN], capture_output=True, text=True, timeout=60, env=environment(RUNTIME_MANAGER="/nowhere")
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1 and "/nowhere" in done.stderr


def test_what_a_killed_run_left_is_swept_by_the_next(containerd, own_tmp):
    before = traces(own_tmp)
    script = (
        "import os, signal\n"
        "from Peers.containerd import PrivateContainerd\n"
        "from Peers.cri import Life, Runtime\n"
        "instance = PrivateContainerd()\n"
        "life = Life(Runtime(instance.socket))\n"
        "pod = life.pod(cgroup_parent=instance.cgroup)\n"
        "life.runtime.start_container(life.container(pod))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run(
        [sys.executable, "-c", script], timeout=60, env=environment(PYTHONPATH=str(ROOT / "Tests"))
    )
    assert traces(own_tmp) > before, "it left something"
    private.sweep()
    assert traces(own_tmp) == before
