"""Secrets stay secrets: what the environment of a container or a registry's credential holds is in no line of the log,
at no level, in no file, and in no error of RuntimeManager's own. Labels and annotations are held to the same.

What a plugin or the runtime says in its own error is its own: kubelet gets it, and a plugin's is logged as it is. So
here they fail without words, except where a test says otherwise.
"""

import base64
import os
import resource
import signal

import grpc
import pytest

from Peers.cri import container_config, pod_config
from Peers.messages import cri
from Peers.recorder import HOOKS, echo, raw, refuse, register, sparse

SECRET = "canary-7f3a-value-of-a-secret"
FORMS = [SECRET.encode(), base64.b64encode(SECRET.encode()), SECRET.encode().hex().encode()]


def has_secret(data):
    return any(form in data for form in FORMS)


@pytest.fixture(params=["text", "json"])
def loud(manager, request):
    """The log at its loudest, in each of its formats, and with what the Swift runtime says when it crashes."""
    manager.flags = ["--log-level", "trace", "--log-format", request.param]
    return manager


@pytest.fixture
def nothing_told(loud, place):
    """After the test: it is neither in the log nor in a file that the daemon can have written."""
    yield
    loud.stop()
    assert loud.lines, "the log was read"
    assert not [line for line in loud.lines if has_secret(line.encode())]
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


@pytest.mark.parametrize("flags, how", [([], os.CLD_KILLED), (["--allow-core-dumps"], os.CLD_DUMPED)])
def test_a_crash_leaves_no_core_file(manager, place, life, flags, how):
    """The memory of a process that relays calls holds what they carry; a core file would put it on the disk."""
    limit = resource.getrlimit(resource.RLIMIT_CORE)[1]
    limit = "unlimited" if limit == resource.RLIM_INFINITY else limit
    manager.prefix = ["env", "-C", place, "-u", "RUNTIME_MANAGER_ALLOW_CORE_DUMPS", "prlimit", f"--core={limit}:{limit}"]
    manager.flags = flags
    # The Swift toolchain's crash reporter would come first, and take its time.
    manager.environment = {"SWIFT_BACKTRACE": "enable=no"}
    live(life)
    manager.process.send_signal(signal.SIGABRT)
    ended = os.waitid(os.P_PID, manager.process.pid, os.WEXITED | os.WNOWAIT)
    assert (ended.si_status, ended.si_code) == (signal.SIGABRT, how)
    manager.wait_exit()
    if how == os.CLD_KILLED:
        assert not [name for name in os.listdir(place) if name.startswith("core")]
