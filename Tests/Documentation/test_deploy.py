"""Each file in deploy/ can be read by whom it is for, and they agree with each other and with the program's defaults."""

import configparser
import re
import shutil
import subprocess

import pytest

from .readme import ROOT, constants, source

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "runtime-manager.service"
SOCKET_UNIT = DEPLOY / "runtime-manager.socket"
DROP_IN = DEPLOY / "kubelet.service.d" / "20-runtime-manager.conf"
SOCKET = "/run/runtime-manager/runtime-manager.sock"


def unit(path):
    """A unit file; of a repeated setting the last is read."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str
    parser.read_string(path.read_text())
    return parser


def mapping(path):
    """A file of `key: value` lines: all of YAML that the files in deploy/ use."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w-]+: \S.*", line) for line in lines), lines
    return dict(line.split(": ", 1) for line in lines)


def test_every_file_is_known_here():
    # What is in debian/ does not get to a node as it is; Tests/Package looks at what does.
    files = (p.relative_to(DEPLOY).as_posix() for p in DEPLOY.rglob("*") if p.is_file())
    assert sorted(path for path in files if not path.startswith("debian/")) == [
        "crictl.yaml", "installer.yaml", "kubelet-config.yaml", "kubelet.service.d/20-runtime-manager.conf",
        "monitoring/10-metrics.conf", "monitoring/alerts.yml", "monitoring/dashboard.json", "monitoring/prometheus.yml",
        "runtime-manager.service", "runtime-manager.socket"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="skipped: no systemd-analyze")
def test_systemd_takes_the_units(tmp_path):
    # The program need not be installed where the unit will find it, nor kubelet at all.
    (tmp_path / UNIT.name).write_text(UNIT.read_text().replace("/usr/bin/runtime-manager", "/bin/true"))
    (tmp_path / SOCKET_UNIT.name).write_text(SOCKET_UNIT.read_text())
    (tmp_path / "kubelet.service").write_text("[Service]\nExecStart=/bin/true\n")
    shutil.copytree(DROP_IN.parent, tmp_path / DROP_IN.parent.name)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / UNIT.name), str(tmp_path / SOCKET_UNIT.name), str(tmp_path / "kubelet.service")],
        capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_kubelet_follows_and_is_never_pulled_down():
    ours, kubelets = unit(UNIT)["Unit"], unit(DROP_IN)["Unit"]
    assert ours["Before"] == "kubelet.service"
    assert ours["After"] == "containerd.service"
    assert dict(kubelets) == {"After": "runtime-manager.service", "Wants": "runtime-manager.service"}
    for section in ours, kubelets:
        assert not {"Requires", "BindsTo", "PartOf", "Requisite"} & set(section)


def test_the_unit_gives_a_drain_the_time_it_may_take():
    service = unit(UNIT)["Service"]
    assert int(service["TimeoutStopSec"]) > constants()["ServerLimits.drain"]
    assert service["Restart"] == "always"
    assert service["RestartPreventExitStatus"] == "64 78"


def test_ready_may_take_as_long_as_the_runtime_takes_and_any_process_may_say_so():
    service = unit(UNIT)["Service"]
    assert (service["Type"], service["TimeoutStartSec"], service["NotifyAccess"]) == ("notify", "infinity", "all")
    # SIGTERM to the one that serves; what is left when it has ended is killed.
    assert service["KillMode"] == "mixed"
    assert service["RuntimeDirectoryPreserve"] == "yes"
    assert service["ExecReload"].split() == [service["ExecStart"].split()[0], "upgrade"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="skipped: no systemd-analyze")
def test_the_unit_is_hardened(tmp_path):
    (tmp_path / UNIT.name).write_text(UNIT.read_text())
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(tmp_path / UNIT.name)],
        capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stdout + done.stderr
    service = unit(UNIT)["Service"]
    assert service["CapabilityBoundingSet"].split() == ["CAP_CHOWN", "CAP_DAC_OVERRIDE"]


def test_the_socket_unit_is_the_same_socket():
    socket = unit(SOCKET_UNIT)["Socket"]
    assert socket["ListenStream"] == SOCKET
    # 0600 until the runtime's socket tells whose it should be.
    assert socket["SocketMode"] == "0600"
    assert socket.get("Accept", "no") == "no"
    assert unit(SOCKET_UNIT)["Unit"]["Before"] == "kubelet.service"


def test_all_files_name_the_default_socket():
    assert f'SocketPath("{SOCKET}")' in source("Settings.swift")
    assert SOCKET.split("/")[2] == unit(UNIT)["Service"]["RuntimeDirectory"]
    crictl = mapping(DEPLOY / "crictl.yaml")
    assert crictl["runtime-endpoint"] == crictl["image-endpoint"] == f"unix://{SOCKET}"


def test_the_kubelet_fragment_is_a_kubelet_configuration():
    fragment = mapping(DEPLOY / "kubelet-config.yaml")
    assert fragment == {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
    }


@pytest.mark.parametrize("name", ["crictl.yaml", "kubelet-config.yaml"])
def test_the_files_are_yaml(name):
    yaml = pytest.importorskip("yaml", reason="skipped: no python3-yaml")
    assert isinstance(yaml.safe_load((DEPLOY / name).read_text()), dict)
