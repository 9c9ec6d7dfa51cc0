"""Secrets stay secrets: what the environment of a container or a registry's credential holds is in no line of the log,
at no level, in no file, and in no error of RuntimeManager's own. Labels and annotations are held to the same.

What a plugin or the runtime says in its own error is its own: kubelet gets it, and a plugin's is logged as it is. So
here they fail without words, except where a test says otherwise.
"""

import base64
import contextlib
import http.client
import os
import resource
import signal
import socket
import threading

import grpc
import pytest

from Peers.admin import Admin, dial
from Peers.cri import Life, Runtime, container_config, pod_config
from Peers.daemon import Daemon
from Peers.messages import cri
from Peers.recorder import HOOKS, echo, raw, refuse, register, sparse
from Peers.wait import eventually

SECRET = "canary-7f3a-value-of-a-secret"
FORMS = [SECRET.encode(), base64.b64encode(SECRET.encode()), SECRET.encode().hex().encode()]


def has_secret(data):
    return any(form in data for form in FORMS)


@pytest.fixture(params=["text", "json"])
def loud(manager, request):
    """The log at its loudest, in each of its formats."""
    manager.flags = ["--log-level", "trace", "--log-format", request.param]
    return manager


@pytest.fixture
def nothing_told(loud, place):
    """After the test: it is neither in the log nor in a file that the daemon can have written."""
    yield
    loud.stop()
    nothing_left(loud, place)


def nothing_left(manager, place):
    assert manager.lines, "the log was read"
    assert not [line for line in manager.lines if has_secret(line.encode())]
    files = [os.path.join(directory, name) for directory, _, names in os.walk(place) for name in names]
    for path in [path for path in files if os.path.isfile(path) and not os.path.islink(path)]:
        with open(path, "rb") as file:
            assert not has_secret(file.read()), path


def secret_pod():
    return dict(labels={"l": SECRET}, annotations={"a": SECRET})


def secret_container():
    return dict(envs=[("TOKEN", SECRET), ("RAW", b"\xff" + SECRET.encode())], annotations={"a": SECRET})


def live(life, tolerant=False):
    """A whole life with secrets in everything; gives the errors that kubelet saw."""
    errors = []

    def step(call):
        try:
            return call()
        except grpc.RpcError as error:
            errors.append(error)
            return None

    pod = step(lambda: life.pod(**secret_pod(), metadata=[("x-token", SECRET)]))
    if pod:
        container = step(lambda: life.container(pod, **secret_container()))
        if container:
            step(lambda: life.runtime.start_container(container))
            step(lambda: life.runtime.update(container, annotations={"a": SECRET}, cpu_shares=12))
            step(lambda: life.runtime.stop_container(container))
            step(lambda: life.runtime.remove_container(container))
        step(lambda: life.runtime.stop_pod(pod))
        step(lambda: life.runtime.remove_pod(pod))
    assert tolerant or not errors, errors
    return errors


def no_secret_in(errors):
    for error in errors:
        assert not has_secret(error.details().encode()), error.details()
        assert not has_secret(error.debug_error_string().encode())


def test_a_life_without_plugins(loud, nothing_told, life, runtime):
    live(life)
    assert {call.method for call in runtime.calls if has_secret(call.raw)} == {
        "RunPodSandbox", "CreateContainer", "UpdateContainerResources"}


def test_a_registrys_credential(loud, nothing_told, kubelet, runtime):
    """PullImage passes: nothing of it is decoded, and a refusal of the runtime is the runtime's."""
    request = b"\x12" + bytes([len(SECRET)]) + SECRET.encode()
    runtime.on("PullImage", lambda call: cri.VersionResponse())
    kubelet.unary("PullImage", request, metadata=[("authorization", SECRET)])
    runtime.refuse("PullImage", grpc.StatusCode.UNAUTHENTICATED, "no")
    with pytest.raises(grpc.RpcError):
        kubelet.unary("PullImage", request)
    runtime.stop()
    with pytest.raises(grpc.RpcError) as error:
        kubelet.unary("PullImage", request)
    no_secret_in([error.value])


def change_all(answer):
    for name in ("container_envs", "container_annotations", "labels", "annotations"):
        if hasattr(answer, name):
            getattr(answer, name)["new"] = "new " + SECRET


FORBIDDEN = dict(annotations={"io.kubernetes.pod.x": SECRET}, labels={"io.kubernetes.pod.x": SECRET}, cgroup_parent=SECRET + ".slice")
FORBIDDEN_OF_CONTAINER = dict(
    container_annotations={"io.kubernetes.pod.x": SECRET}, container_envs={"A=B": SECRET, "N": SECRET + "\0", "RAW": SECRET},
    pod_cgroup_parent=SECRET + ".slice",
)
#: What plugins answer at pod and container hook points.
ANSWERS = {
    "no opinion": (echo(), echo()),
    "changes": (echo(change_all), echo(change_all)),
    "forbidden changes": (sparse(**FORBIDDEN), sparse(**FORBIDDEN_OF_CONTAINER)),
    "an answer that cannot be decoded": (raw(b"\x0a\xff" + SECRET.encode()), raw(b"\x0a\xff" + SECRET.encode())),
    "an error with details": (
        refuse(grpc.StatusCode.INTERNAL, "no", [("x-why", SECRET), ("grpc-status-details-bin", SECRET.encode())]),
        refuse(grpc.StatusCode.INTERNAL, "no", [("x-why", SECRET), ("grpc-status-details-bin", SECRET.encode())]),
    ),
}


@pytest.mark.parametrize("policy", ["Ignore", "Fail"])
@pytest.mark.parametrize("case", ANSWERS)
def test_plugins_that_answer(loud, nothing_told, start_plugin, life, case, policy):
    """Two of them, that want different things: conflicts as well."""
    pod_answer, container_answer = ANSWERS[case]
    for name in ("one", "two"):
        plugin = start_plugin(name, policy=policy)
        for hook in HOOKS:
            plugin.on(hook, pod_answer if "Pod" in hook else container_answer)
    start_plugin("zzz", policy=policy).on("PreCreateContainer", sparse(container_envs={"TOKEN": SECRET + "2", "new": SECRET + "3"}))
    no_secret_in(live(life, tolerant=True))


@pytest.mark.parametrize("policy", ["Ignore", "Fail"])
def test_a_plugin_that_crashes_in_every_call(loud, nothing_told, start_plugin, place, hook_dir, life, policy):
    """Gone, hanging, and resetting: the request was sent, and may be owed."""
    plugin = start_plugin("gone", policy=policy, timeout="50ms")
    for hook in HOOKS:
        plugin.on(hook, lambda call, context: context.cancel() or b"")
    no_secret_in(live(life, tolerant=True))
    plugin.stop()
    no_secret_in(live(life, tolerant=True))
    register(hook_dir, "absent", f"{place}/absent.sock", policy=policy)
    loud.wait_log("plugin absent: registered:")
    no_secret_in(live(life, tolerant=True))


def test_a_runtime_that_refuses_and_goes(loud, nothing_told, start_plugin, runtime, life):
    """Refusals without words, a restart, a rebuild from its verbose statuses, and again with statuses that lie."""
    start_plugin(policy="Fail").on("PreStartContainer", sparse(resources={"cpu_shares": 3}))
    pod = life.pod(**secret_pod())
    container = life.container(pod, **secret_container())
    for method in ("UpdateContainerResources", "StartContainer", "CreateContainer"):
        runtime.refuse(method, grpc.StatusCode.INTERNAL, "no", [("x-why", SECRET)])
    for call in (lambda: life.runtime.start_container(container), lambda: life.container(pod, **secret_container())):
        with pytest.raises(grpc.RpcError) as error:
            call()
        no_secret_in([error.value])
    before = loud.log_length()
    runtime.restart()
    loud.wait_log("store rebuilt from the runtime", since=before)
    for lie in ("{" + SECRET, '{"config": {"envs": "' + SECRET + '"}}', '{"config": {"annotations": ["' + SECRET + '"]}}'):
        def status(call, lie=lie):
            answer = runtime._on_ContainerStatus(call)
            answer.info["info"] = lie
            return answer

        runtime.on("ContainerStatus", status)
        loud.kill()
        before = loud.log_length()
        loud.start()
        loud.wait_log("store rebuilt from the runtime", since=before)
        with pytest.raises(grpc.RpcError) as error:
            life.runtime.start_container(container)
        no_secret_in([error.value])


def test_requests_that_cannot_be_read(loud, nothing_told, start_plugin, life, kubelet):
    start_plugin(policy="Fail")
    whole = cri.RunPodSandboxRequest(config=pod_config(**secret_pod())).SerializeToString()
    envs = cri.CreateContainerRequest(config=container_config(**secret_container())).SerializeToString()
    for method, data in [("RunPodSandbox", whole[:-3]), ("RunPodSandbox", b"\xff" + whole), ("CreateContainer", envs[:-3]),
                         ("CreateContainer", envs), ("StartContainer", b"\x0a\x05" + SECRET.encode())]:
        with pytest.raises(grpc.RpcError) as error:
            kubelet.unary(method, data)
        if error.value.code() != grpc.StatusCode.NOT_FOUND:  # then the runtime has been asked, and it is its own answer
            no_secret_in([error.value])


def test_what_a_plugin_says_itself_is_told(loud, start_plugin, runtime, life):
    """The limit of all this: a plugin that puts a secret into its own error tells it, to kubelet and to the log."""
    start_plugin(policy="Fail").on("PreRunPodSandbox", refuse(grpc.StatusCode.INTERNAL, f"it was {SECRET}"))
    with pytest.raises(grpc.RpcError, match=SECRET):
        life.pod()
    assert SECRET in loud.wait_log("hook server p: PreRunPodSandbox:")


def test_what_the_runtime_says_itself_reaches_kubelet_only(loud, nothing_told, start_plugin, runtime, life):
    start_plugin(policy="Fail")
    runtime.refuse("RunPodSandbox", grpc.StatusCode.INTERNAL, f"it was {SECRET}")
    with pytest.raises(grpc.RpcError, match=SECRET):
        life.pod()


def let_it_dump(manager, place):
    """A core file would be written, to where files are searched, as far as the program lets it."""
    limit = resource.getrlimit(resource.RLIMIT_CORE)[1]
    limit = "unlimited" if limit == resource.RLIM_INFINITY else limit
    manager.prefix = ["env", "-C", place, "-u", "RUNTIME_MANAGER_ALLOW_CORE_DUMPS", "prlimit", f"--core={limit}:{limit}"]
    # The Swift toolchain's crash reporter would come first, and take its time.
    manager.environment = {"SWIFT_BACKTRACE": "enable=no"}


@pytest.mark.parametrize("flags, how", [([], os.CLD_KILLED), (["--allow-core-dumps"], os.CLD_DUMPED)])
def test_a_crash_leaves_no_core_file(manager, place, life, flags, how):
    """The memory of a process that relays calls holds what they carry; a core file would put it on the disk."""
    let_it_dump(manager, place)
    manager.flags = flags
    live(life)
    manager.process.send_signal(signal.SIGABRT)
    ended = os.waitid(os.P_PID, manager.process.pid, os.WEXITED | os.WNOWAIT)
    assert (ended.si_status, ended.si_code) == (signal.SIGABRT, how)
    manager.wait_exit()
    if how == os.CLD_KILLED:
        assert not [name for name in os.listdir(place) if name.startswith("core")]


# Through an upgrade, and a crash: secrets that are owed to a plugin

#: What the admin side hides is the environment, and what is named like a secret.
HIDDEN = dict(labels={"example.com/token": SECRET}, annotations={"example.com/api-key": SECRET})


def hide(answer):
    """A plugin's change that the Store remembers, and that an upgrade therefore hands over."""
    answer.container_envs["NEW"] = "new " + SECRET
    answer.container_annotations["db-password"] = "new " + SECRET


def owing(start_plugin):
    """One plugin that changes secrets, and one that is away and is owed each stop, with the environment in it."""
    start_plugin("changes", ["PreCreateContainer"], "Fail").on("PreCreateContainer", echo(hide))
    return start_plugin("away", ["PostStopContainer"], "Fail", start=False)


def stopped_container(life):
    """A container that has lived and is stopped; its id."""
    container = life.container(life.pod(**HIDDEN), envs=[("TOKEN", SECRET)], annotations=HIDDEN["annotations"])
    life.runtime.start_container(container)
    life.runtime.stop_container(container)
    return container


def owed_calls(admin):
    (line,) = [line for line in admin.request("GET", "/metrics")[2].splitlines() if line.startswith("runtime_manager_owed_calls ")]
    return int(line.split()[1])


class SecretLoad:
    """Lives with secrets from several threads, and all that the admin side says of them as they end."""

    def __init__(self, daemon, threads):
        self.errors, self.lives, self.events = [], 0, b""
        self._admin = None
        self._daemon, self._lock, self._over = daemon, threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._live) for _ in range(threads)]
        self._threads.append(threading.Thread(target=self._listen))

    def _live(self):
        with Runtime(self._daemon.listen) as kubelet:
            while not self._over.is_set():
                try:
                    stopped_container(Life(kubelet))
                except grpc.RpcError as error:
                    self.errors.append(error)
                with self._lock:
                    self.lives += 1

    def _listen(self):
        """The events of one process after the other."""
        while not self._over.wait(0.02):
            with contextlib.suppress(OSError), dial(self._daemon.admin) as self._admin:
                self._admin.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                while not self._over.is_set() and (part := self._admin.recv(65536)):
                    self.events += part

    def goes_on(self):
        before = self.lives
        eventually(lambda: self.lives >= before + 5, within=60, what="calls go on")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        with contextlib.suppress(OSError):
            self._admin.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


@pytest.fixture(params=["text", "json"])
def loud_daemon(place, runtime, request):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    daemon = Daemon(place, runtime.socket, flags=[
        "--log-level", "trace", "--log-format", request.param, "--metrics-port", str(port)])
    daemon.port = port
    yield daemon
    daemon.stop()


def everything_told(daemon, container):
    """What every route says, and the port of the metrics."""
    admin = Admin(daemon.admin)
    routes = ["/livez", "/readyz", "/metrics", "/v1/plugins", "/v1/pods", "/v1/containers", f"/v1/why/{container}"]
    told = {route: admin.request("GET", route)[2] for route in routes}

    def scraped():
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()

    told["the port"] = eventually(scraped, within=60)
    return told


@pytest.mark.timeout(300)
def test_an_upgrade_under_load_with_owed_calls(loud_daemon, place, runtime, start_plugin):
    """What goes to the new process, owed requests and records, is in no word of either process and in no file."""
    away = owing(start_plugin)
    for name in ("changes", "away"):
        loud_daemon.wait_log(f"plugin {name}: registered:", within=60)
    held, go_on = threading.Event(), threading.Event()

    def slow(call):
        if call.request.config.metadata.name == "held":
            held.set()
            go_on.wait(120)

    runtime.on("RunPodSandbox", slow)
    told = []
    with Runtime(loud_daemon.listen) as kubelet:
        container = stopped_container(Life(kubelet))
        eventually(lambda: owed_calls(Admin(loud_daemon.admin)) > 0, within=60, what="the stop is owed")
        with SecretLoad(loud_daemon, threads=4) as load:
            load.goes_on()
            told.append(everything_told(loud_daemon, container))
            run = kubelet.begin("RunPodSandbox", cri.RunPodSandboxRequest(config=pod_config(name="held", **HIDDEN)), timeout=240)
            assert held.wait(60)
            first = loud_daemon.process.pid
            told.append(loud_daemon.upgrade("--program", "/bin/false"))
            assert told[-1][0] == 1
            for _ in range(2):
                told.append(loud_daemon.upgrade())
                assert told[-1][0] == 0, told[-1]
                load.goes_on()
                told.append(everything_told(loud_daemon, container))
            assert first in loud_daemon.processes(), "the old process still has a call"
            go_on.set()
            run.result()
        assert owed_calls(Admin(loud_daemon.admin)) > 0, "they are owed by the new process"
        away.start()
        repeated = eventually(
            lambda: [call for call in away.of("PostStopContainer") if call.request.container_meta.id == container], within=90)
        assert repeated[0].request.container_envs["TOKEN"] == SECRET, "the secret itself has come through"
    assert not load.errors, load.errors[:3]
    assert b"env NEW" in load.events and "env NEW" in told[0][f"/v1/why/{container}"], "it was about them"
    assert container in told[-1]["/v1/containers"], "its record has come through"
    assert not has_secret(load.events)
    assert not has_secret(repr(told).encode())
    loud_daemon.stop()
    nothing_left(loud_daemon, place)


def test_a_crash_with_owed_calls(loud, nothing_told, place, start_plugin, life):
    """What is owed and remembered is in no last word and in no file that a crash leaves."""
    let_it_dump(loud, place)
    owing(start_plugin)
    for _ in range(5):
        container = stopped_container(life)
    eventually(lambda: owed_calls(Admin(loud.admin)) == 5, within=60, what="the stops are owed")
    loud.process.send_signal(signal.SIGABRT)
    assert loud.wait_exit() == -signal.SIGABRT
    before = loud.log_length()
    loud.start()
    loud.wait_log("store rebuilt from the runtime", since=before)
    life.runtime.stop_container(container)
