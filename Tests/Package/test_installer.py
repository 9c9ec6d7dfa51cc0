"""deploy/installer.yaml is what Kubernetes takes, asks for little, and puts on a node what runs there."""

import configparser
import json
import shutil

import pytest
import yaml
from kubernetes import client

from Documentation.readme import ROOT

from . import debian

#: Making the clean system takes a mirror and, on a busy machine, minutes.
pytestmark = pytest.mark.timeout(900)

DOCUMENTS = list(yaml.safe_load_all((ROOT / "deploy/installer.yaml").read_text()))
POD = DOCUMENTS[1]["spec"]["template"]["spec"]


class Answer:
    """A document as an answer of the API server, which is what the client makes its models of."""

    def __init__(self, document):
        self.data = json.dumps(document)


@pytest.mark.parametrize("document, model", zip(DOCUMENTS, ["V1Namespace", "V1DaemonSet"], strict=True), ids=["Namespace", "DaemonSet"])
def test_every_key_is_one_of_kubernetes(document, model):
    # The models refuse what is required and absent; a key that they do not know is not there afterwards.
    api = client.ApiClient()
    assert api.sanitize_for_serialization(api.deserialize(Answer(document), model)) == document


def test_it_asks_for_no_more_than_two_directories():
    assert POD["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName"} & set(POD)
    assert [volume["hostPath"]["path"] for volume in POD["volumes"]] == ["/opt/runtime-manager", "/etc/systemd/system"]
    for container in POD["initContainers"] + POD["containers"]:
        assert container["securityContext"] == {
            "privileged": False, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        assert not container.get("ports")


def test_its_own_pods_are_never_hooked():
    labels = DOCUMENTS[1]["spec"]["template"]["metadata"]["labels"]
    assert labels["runtimeproxy.koordinator.sh/skip-hookserver"] == "true"
    assert labels.items() >= DOCUMENTS[1]["spec"]["selector"]["matchLabels"].items()


@pytest.fixture
def node(start_machine, machine, deb):
    """A Debian without our package and without its libraries, after the installer has run; twice, as after a new image."""
    machine.install(deb)
    (install,) = POD["initContainers"]
    for mount in install["volumeMounts"]:
        (machine.path / mount["mountPath"].lstrip("/")).mkdir(parents=True)
    for _ in range(2):
        # Root without a capability, as the manifest asks.
        done = machine.run("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", *install["command"], *install["args"])
        assert (done.returncode, done.stderr) == (0, "")
    node = start_machine("n")
    node.dpkg("--remove", "--force-all", *(name for name in debian.dependencies(deb) if name != "libc6"))
    (node.path / "opt").mkdir(exist_ok=True)
    for volume, mount in zip(POD["volumes"], install["volumeMounts"], strict=True):
        assert volume["name"] == mount["name"]
        shutil.copytree(
            machine.path / mount["mountPath"].lstrip("/"), node.path / volume["hostPath"]["path"].lstrip("/"), dirs_exist_ok=True)
    return node


def settings(node, path):
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str
    parser.read_string((node.path / "etc/systemd/system" / path).read_text())
    return parser["Service"]


def test_what_it_puts_on_a_node_runs_there(node):
    program = settings(node, "runtime-manager.service")["ExecStart"].split()[0]
    environment = settings(node, "runtime-manager.service.d/10-opt.conf")["Environment"]
    assert node.run(program, "--version").returncode != 0, "its libraries are on the node anyway: this test tells nothing"
    done = node.run("env", environment, program, "--version")
    assert (done.returncode, done.stderr) == (0, "")


def test_it_leaves_nothing_half_done(node):
    files = {str(path.relative_to(node.path)) for place in ("opt", "etc/systemd") for path in (node.path / place).rglob("*")}
    assert not [path for path in files if path.endswith(".new")]
    assert "etc/systemd/system/kubelet.service.d/20-runtime-manager.conf" in files
    for unit in (node.path / "etc/systemd/system").glob("runtime-manager.*"):
        assert unit.is_dir() or "/usr/" not in "".join(line for line in unit.read_text().splitlines() if line.startswith("Exec"))
