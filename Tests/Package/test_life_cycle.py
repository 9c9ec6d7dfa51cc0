"""Installing, running, replacing, removing and purging, on a clean Debian."""

import os
import subprocess

import pytest

from Peers.cri import Runtime
from Peers.fake_runtime import FakeRuntime
from Peers.wait import eventually

from . import debian

#: Making the clean system takes a mirror and, on a busy machine, minutes.
pytestmark = pytest.mark.timeout(900)

SOCKET = "/run/runtime-manager/runtime-manager.sock"
CONFIGURATION = f"kind: KubeletConfiguration\ncontainerRuntimeEndpoint: unix://{SOCKET}\n"


@pytest.fixture(scope="module")
def older(deb, tmp_path_factory):
    return debian.with_version(deb, "0.0.1", tmp_path_factory.mktemp("older"))


def test_what_it_depends_on_is_all_that_it_needs(machine, deb):
    done = machine.install(deb)
    assert done.stderr == ""
    assert "Nothing was started or enabled" in done.stdout
    version = machine.run("runtime-manager", "--version")
    assert (version.returncode, version.stderr) == (0, "")
    assert version.stdout == f"runtime-manager {debian.field(deb, 'Version')}\n"


def test_the_installed_daemon_serves(machine, deb):
    machine.install(deb)
    os.makedirs(machine.path / "run/containerd")
    with FakeRuntime(str(machine.path / "run/containerd/containerd.sock")):
        log = machine.path / "daemon.log"
        with open(log, "w") as output:
            daemon = subprocess.Popen(machine.command("runtime-manager", "serve"), stdout=output, stderr=output)
        try:
            socket = str(machine.path) + SOCKET
            eventually(lambda: daemon.poll() is not None or " serving" in log.read_text(), within=60, what="it serves")
            with Runtime(socket) as kubelet:
                assert kubelet.call("Version").runtime_name, log.read_text()
        finally:
            daemon.kill()
            daemon.wait()


def test_installing_starts_and_enables_nothing(machine, deb):
    machine.start_systemd(active=False)
    machine.install(deb)
    assert machine.told() == ["daemon-reload", "--quiet is-active runtime-manager.service"]
    assert not list((machine.path / "etc/systemd").rglob("runtime-manager*"))


def test_an_upgrade_replaces_the_running_daemon_and_never_stops_it(machine, older, deb):
    machine.install(older)
    machine.start_systemd(active=True)
    done = machine.install(deb)
    assert machine.told() == ["daemon-reload", "--quiet is-active runtime-manager.service", "reload runtime-manager.service"]
    assert (done.stderr, "Installed" in done.stdout) == ("", False)


def test_an_upgrade_starts_nothing_that_does_not_run(machine, older, deb):
    machine.install(older)
    machine.start_systemd(active=False)
    machine.install(deb)
    assert machine.told() == ["daemon-reload", "--quiet is-active runtime-manager.service"]


def test_an_upgrade_keeps_the_administrators_settings(machine, older, deb):
    machine.install(older)
    machine.write("/etc/runtime-manager/config.yaml", "log-level: debug\n")
    machine.install(deb)
    assert (machine.path / "etc/runtime-manager/config.yaml").read_text() == "log-level: debug\n"


def test_a_daemon_that_cannot_be_replaced_goes_on_and_that_is_said(machine, older, deb):
    machine.install(older)
    machine.start_systemd(active=True)
    machine.write("/stuck", "")
    done = machine.install(deb)
    assert "WARNING: version 0.0.1 could not be replaced and goes on serving" in done.stderr
    assert not [line for line in machine.told() if "stop" in line or "restart" in line]
    assert machine.run("dpkg", "--status", "runtime-manager").stdout.splitlines()[1] == "Status: install ok installed"


def test_removal_stops_it_and_tells_the_way_back(machine, deb):
    machine.install(deb)
    machine.start_systemd(active=True)
    done = machine.dpkg("--remove", "runtime-manager")
    assert "unix:///run/containerd/containerd.sock" in done.stdout
    assert done.stderr == ""
    assert machine.told() == ["stop runtime-manager.socket runtime-manager.service", "daemon-reload"]


@pytest.mark.parametrize("file, text", [
    ("/var/lib/kubelet/config.yaml", CONFIGURATION),
    ("/var/lib/kubelet/kubeadm-flags.env", f'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix://{SOCKET}"\n'),
    ("/etc/systemd/system/kubelet.service.d/10-flags.conf", f"[Service]\nEnvironment=A=--container-runtime-endpoint={SOCKET}\n"),
])
def test_removal_leaves_kubelet_its_endpoint_and_says_so(machine, deb, file, text):
    machine.install(deb)
    machine.write(file, text)
    machine.start_systemd(active=True)
    done = machine.dpkg("--remove", "runtime-manager")
    assert "WARNING: kubelet is still pointed at RuntimeManager:" in done.stderr
    assert file in done.stderr
    assert "systemctl restart kubelet && systemctl stop runtime-manager" in done.stderr
    assert machine.told() == ["daemon-reload"]


@pytest.mark.parametrize("flags", ["--config=/srv/kubelet.yaml", f"--v=2 --container-runtime-endpoint unix://{SOCKET}"])
def test_removal_asks_the_running_kubelet(machine, deb, flags):
    machine.install(deb)
    machine.write("/srv/kubelet.yaml", CONFIGURATION)
    machine.write("/usr/local/bin/kubelet", "#!/bin/sh\necho up >/up\nread -r end </for-ever\n", 0o755)
    machine.run("mkfifo", "/up", "/for-ever")
    done = machine.run("sh", "-c", f"kubelet {flags} & read -r up </up && dpkg --remove runtime-manager")
    assert done.returncode == 0, done.stderr
    assert "WARNING: kubelet is still pointed at RuntimeManager:" in done.stderr
    assert ("/srv/kubelet.yaml" if "--config" in flags else "the running kubelet: ") in done.stderr


def test_an_endpoint_in_a_comment_points_nowhere(machine, deb):
    machine.install(deb)
    machine.write("/var/lib/kubelet/config.yaml", f"# containerRuntimeEndpoint: unix://{SOCKET}\ncontainerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n")
    assert machine.dpkg("--remove", "runtime-manager").stderr == ""


def test_purging_leaves_the_system_as_it_was(machine, deb):
    before = machine.files()
    machine.install(deb)
    assert "/usr/bin/runtime-manager" in machine.files()
    # As `systemctl enable` and the daemon leave them.
    for wants in "multi-user.target.wants", "sockets.target.wants":
        os.makedirs(machine.path / "etc/systemd/system" / wants, exist_ok=True)
    wanted = machine.path / "etc/systemd/system/multi-user.target.wants/runtime-manager.service"
    wanted.symlink_to("/lib/systemd/system/runtime-manager.service")
    machine.write(f"{SOCKET}.lock", "", 0o600)
    machine.dpkg("--purge", "runtime-manager")
    after = machine.files()
    assert {path for path in set(after) ^ set(before) if "target.wants" not in path and path != "/etc/systemd/system"} == set()
    assert not wanted.is_symlink()
    assert {path for path in before if after[path] != before[path]} == set()


def test_purging_leaves_what_others_wrote_and_says_so(machine, deb):
    machine.install(deb)
    machine.write("/etc/runtime/hookserver.d/koordlet.json", "{}")
    machine.write("/etc/default/runtime-manager", "RUNTIME_MANAGER_FLAGS=\n")
    done = machine.dpkg("--purge", "runtime-manager")
    assert "left alone: /etc/runtime/hookserver.d/koordlet.json" in done.stdout
    assert "left alone: /etc/default/runtime-manager" in done.stdout
    assert (machine.path / "etc/runtime/hookserver.d/koordlet.json").read_text() == "{}"


def test_a_daemon_that_serves_keeps_its_socket_when_the_package_is_purged(machine, deb):
    machine.install(deb)
    lock = machine.path / f"{SOCKET[1:]}.lock"
    machine.write(f"{SOCKET}.lock", "", 0o600)
    holder = subprocess.Popen(
        ["flock", str(lock), "sh", "-c", "echo held; read -r end"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    done = machine.dpkg("--purge", "runtime-manager")
    holder.communicate("\n")
    assert lock.exists()
    assert "left alone: /run/runtime-manager" in done.stdout
