"""RuntimeManager is killed (SIGKILL) at every step of every hooked call and started again.

A kubelet that lost the answer finds what there is and goes on (Faults/kubelet.py). Then there may be nothing that it
does not know, no Pre hook may have been skipped under Fail, the next hook must be told everything; Post hooks may be
lost, and where they are is said by one function, `lost`. What came out is printed as a table (pytest -s).
"""

import contextlib
import os
import re
import threading

import grpc
import pytest

from Containerd.conftest import containerd, direct, parent  # fixtures
from Faults.kubelet import READY, RUNNING, Kubelet
from Peers.cri import Runtime
from Peers.messages import ROOT
from Peers.recorder import echo, hang, refuse, sparse
from Peers.wait import eventually

POST = {
    "StartContainer": "PostStartContainer",
    "StopContainer": "PostStopContainer",
    "StopPodSandbox": "PostStopPodSandbox",
}

STOPS = ("StopContainer", "StopPodSandbox")

#: While a call is in somebody else's hands; the test kills. Everywhere else RuntimeManager kills itself.
IN_PRE, IN_SECOND = "in the Pre hook", "in the second plugin's Pre hook"
IN_RUNTIME, IN_POST = "in the runtime", "in the Post hook"
#: Post hooks are asked all at once: one plugin has answered, or has failed, and the other has the call.
IN_SECOND_POST = "in the second plugin's Post hook"
AFTER_FAILURE = "in the second plugin's Post hook, the first has failed"
#: The Store has no record of the object: the runtime has the question whom the call is about. A stop goes on meanwhile,
#: and has been done.
IN_LOOK_UP = "in the look-up"
#: The runtime has a call of our own, and has done it.
IN_UPDATE_BEFORE, IN_UPDATE_AFTER = "in our update before the start", "in our update after the start"
IN_STOP = "in our stop"
OF_SECOND_POST = (IN_SECOND_POST, AFTER_FAILURE)
OF_PLUGINS = (IN_PRE, IN_SECOND, IN_POST, *OF_SECOND_POST)
OF_RUNTIME = (IN_RUNTIME, IN_LOOK_UP, IN_UPDATE_BEFORE, IN_UPDATE_AFTER, IN_STOP)
#: The steps of each verb in their order: Sources/CRIServer/Calls/CrashStep.swift.
PRE_STEPS = ["known", IN_PRE, IN_SECOND, "allowed", IN_RUNTIME, "answered"]
POST_STEPS = ["collected", "allowed", IN_RUNTIME, "answered", IN_LOOK_UP, IN_POST, *OF_SECOND_POST, "told"]
END = ["replied", "settled"]
STEPS = {
    "RunPodSandbox": ["collected", *PRE_STEPS, *END],
    "CreateContainer": ["collected", IN_LOOK_UP, *PRE_STEPS, *END],
    "StartContainer": [
        "collected", IN_LOOK_UP, "known", IN_PRE, IN_SECOND, IN_UPDATE_BEFORE, "updatedBefore", "allowed", IN_RUNTIME,
        "answered", IN_POST, *OF_SECOND_POST, "told", IN_UPDATE_AFTER, "updatedAfter", "refused", IN_STOP, "stopped", *END,
    ],
    "UpdateContainerResources": ["collected", IN_LOOK_UP, *PRE_STEPS, *END],
    "StopContainer": POST_STEPS + END,
    "StopPodSandbox": POST_STEPS + END,
}
CASES = [(verb, step) for verb, steps in STEPS.items() for step in steps]

#: What the plugin changes, under Fail, so that what it was not asked about is seen.
CHANGES = {
    "PreRunPodSandbox": sparse(annotations={"by": "plugin"}),
    "PreCreateContainer": sparse(container_envs={"BY": "plugin"}),
    "PreStartContainer": sparse(resources={"cpu_shares": 333}),
    "PostStartContainer": sparse(resources={"cpu_quota": 70000}),
    "PreUpdateContainerResources": sparse(resources={"cpu_period": 77777}),
}

#: Whether the second plugin, which comes after this one, was shown that change.
SHOWN = {
    "PreRunPodSandbox": lambda told: told.annotations["by"] == "plugin",
    "PreCreateContainer": lambda told: told.container_envs["BY"] == "plugin",
    "PreStartContainer": lambda told: told.container_resources.cpu_shares == 333,
    "PreUpdateContainerResources": lambda told: told.container_resources.cpu_period == 77777,
}

#: What the second plugin would change at PostStartContainer. It is never asked a second time: nothing of it comes into force.
SECOND_CHANGE = sparse(resources={"cpuset_mems": "0"})

#: How often each of two plugins is asked again after the kill, the one that has answered as well: nobody remembers that.
#: kubelet repeats a stop of a sandbox, and no other of these calls.
ASKED_AGAIN = {"StartContainer": 0, "StopContainer": 0, "StopPodSandbox": 1}

#: What is asked of the runtime to look up a container, or a pod.
LOOK_UPS = ("ContainerStatus", "PodSandboxStatus")

#: Which call of our own the runtime holds, by its verb and what is in it.
OURS = {
    IN_UPDATE_BEFORE: ("UpdateContainerResources", lambda request: request.linux.cpu_shares == 333),
    IN_UPDATE_AFTER: ("UpdateContainerResources", lambda request: request.linux.cpu_quota == 70000),
    IN_STOP: ("StopContainer", lambda request: True),
}


def held_call(verb, step):
    """The call that the runtime holds at a step in its hands, likewise."""
    if step == IN_LOOK_UP:
        return LOOK_UPS[verb in ("CreateContainer", "StopPodSandbox")], lambda request: True
    return OURS.get(step, (verb, lambda request: True))


def lost(verb, step):
    """What of its Post hook is lost with the process: "all" (it is never asked), a part of what follows, or None.

    Between the runtime's work and the hook's answer nobody but the process knows that a hook is due. kubelet repeats
    a stop only of what still runs; a sandbox it stops at least twice. Nor does anybody else know what is owed.
    """
    if verb == "StartContainer":
        return {
            IN_RUNTIME: "all", "answered": "all",
            IN_POST: "its change", "told": "its change", IN_SECOND_POST: "both changes",
            "refused": "its refusal", AFTER_FAILURE: "its refusal",
            IN_STOP: "that attempt's PostStopContainer", "stopped": "that attempt's PostStopContainer",
        }.get(step)
    if verb == "StopContainer":
        return {IN_RUNTIME: "all", "answered": "all", IN_LOOK_UP: "all", AFTER_FAILURE: "what is owed"}.get(step)
    return None


class Crash:
    """One case: a front before a runtime, a plugin under Fail (or two), a kubelet with one pod."""

    def __init__(self, front, plugin, kubelet, verb, step, second=None):
        self.front, self.plugin, self.kubelet, self.second = front, plugin, kubelet, second
        self.plugins = [plugin, second] if second else [plugin]
        self.verb, self.step = verb, step
        for hook, answer in CHANGES.items():
            plugin.on(hook, answer)
        if step in ("refused", IN_STOP, "stopped"):
            plugin.on("PostStartContainer", refuse(grpc.StatusCode.ABORTED), then=CHANGES["PostStartContainer"])
        #: What kubelet saw.
        self.code = None
        #: How often its Pre hook was asked, until kubelet had what it wanted.
        self.pre_asked = 0
        #: How often each plugin had been asked at its Post hook when the process died.
        self.post_asked = []

    def prepare(self):
        """Everything before the verb's call."""
        order = ["RunPodSandbox", "CreateContainer", "StartContainer"]
        before = order[: order.index(self.verb)] if self.verb in order else order
        if self.step not in OF_PLUGINS + OF_RUNTIME:
            self.front.environment = {"RUNTIME_MANAGER_TEST_KILL_AT": f"{self.verb}:{self.step}"}
        self.front.start()
        self.kubelet.client.until_answered()
        for verb in before + (["StopContainer"] if self.verb == "StopPodSandbox" else []):
            self.kubelet.call(verb)
        self.plugin.forget()

    def crash(self, in_runtime=None):
        """The call, and the process's end; `in_runtime` holds the call there and gives when it is held."""
        request = self.kubelet.request(self.verb)
        post = POST.get(self.verb)
        held = hang()
        if self.step == IN_PRE:
            self.plugin.on(f"Pre{self.verb}", held, then=CHANGES[f"Pre{self.verb}"])
        if self.step == IN_SECOND:
            self.second.on(f"Pre{self.verb}", held, then=echo())
        wanted = CHANGES.get(post, echo())
        if self.step == IN_POST:
            self.plugin.on(post, held, then=wanted)
        if self.step == AFTER_FAILURE:
            self.plugin.on(post, refuse(grpc.StatusCode.ABORTED), then=wanted)
        if self.step in OF_SECOND_POST:
            self.second.on(post, held, then=SECOND_CHANGE)
        with in_runtime() if self.step in OF_RUNTIME else contextlib.nullcontext() as entered:
            answer = self.kubelet.client.begin(self.verb, request, timeout=60)
            if self.step == IN_PRE:
                self.plugin.take(f"Pre{self.verb}")
            if self.step == IN_SECOND:
                assert SHOWN[f"Pre{self.verb}"](self.second.take(f"Pre{self.verb}").request), "the first has answered"
            if self.step in OF_RUNTIME:
                assert entered.wait(20)
            if self.step in (IN_POST, *OF_SECOND_POST):
                first = self.plugin.take(post)
            if self.step in OF_SECOND_POST:
                self.second.take(post)
                assert first.cancelled.wait(20), "the first's answer has left"
            if self.step in OF_PLUGINS + OF_RUNTIME:
                self.front.kill()
            else:
                assert self.front.wait_exit(20) == -9, "it has killed itself"
            try:
                answer.result(60)
                self.code = "OK"
            except grpc.RpcError as error:
                self.code = error.code().name
        self.post_asked = [self.asked(post, plugin) for plugin in self.plugins]
        held.release()
        self.front.environment = {}
        self.front.start()
        self.kubelet.client.until_answered()

    def recover(self):
        """kubelet goes on until its container runs; gives what the next hook was told, and the container's status."""
        if self.verb == "UpdateContainerResources" and self.code != "OK":
            self.kubelet.call(self.verb)
        container = self.kubelet.sync()
        self.pre_asked = self.asked(f"Pre{self.verb}")
        if self.step == IN_SECOND:
            calls = self.second.of(f"Pre{self.verb}")
            assert len(calls) == self.pre_asked, "the second is asked as often as the first"
            assert SHOWN[f"Pre{self.verb}"](calls[-1].request), "what the first wants is asked of it again"
        there = self.kubelet.client.container_status(container).status
        self.kubelet.client.update(container, memory_limit_in_bytes=96 << 20)
        return self.plugin.of("PreUpdateContainerResources")[-1].request, there

    def asked(self, hook, plugin=None):
        """How often the plugin (the first, if not told otherwise) has been asked there."""
        return len([call for call in (plugin or self.plugin).of(hook) if call.request.pod_meta.uid == self.kubelet.uid])

    def told(self, hook):
        """What each plugin was told there at last, if it was."""
        return [calls[-1].request for calls in (plugin.of(hook) for plugin in self.plugins) if calls]


RESULTS = {}


@pytest.fixture(scope="module", autouse=True)
def table():
    RESULTS.clear()
    yield
    verbs = list(STEPS)
    print("\n| killed | kubelet saw | " + " | ".join(verbs) + " |\n|" + "---|" * (len(verbs) + 2))
    for step in STEPS["StartContainer"]:
        cells = [RESULTS.get((verb, step), "") for verb in verbs]
        print(f"| {step} | {'OK' if step in END else 'UNAVAILABLE'} | " + " | ".join(cells) + " |")


@pytest.fixture
def crashing(start_plugin, start_manager):
    def make(socket, verb, step, parent="/kubepods/pod7"):
        plugin = start_plugin(policy="Fail", timeout="30s")
        second = None
        if step in (IN_SECOND, *OF_SECOND_POST):
            hook = f"Pre{verb}" if step == IN_SECOND else POST[verb]
            second = start_plugin("q", hooks=[hook], policy="Fail", timeout="30s")
        front = start_manager(socket, start=False)
        clients.append(Runtime(front.listen))
        return Crash(front, plugin, Kubelet(clients[-1], parent), verb, step, second)

    clients = []
    yield make
    for client in clients:
        client.close()


def whole_pod(crash, meta, labels, annotations, cgroup_parent):
    """Whether a hook was told everything about the pod, with what plugins changed."""
    pod = crash.kubelet.pod
    assert meta.SerializeToString() == pod.metadata.SerializeToString()
    assert dict(labels) == dict(pod.labels)
    assert dict(annotations) == {**pod.annotations, "by": "plugin"}
    assert cgroup_parent == pod.linux.cgroup_parent


def whole(told, crash, there):
    """Whether a hook was told everything about the container, whose status is `there`, with what is in force."""
    whole_pod(crash, told.pod_meta, told.pod_labels, told.pod_annotations, told.pod_cgroup_parent)
    assert dict(told.container_envs) == {"A": "1", "BY": "plugin"}
    meta = told.container_meta
    assert (meta.id, meta.name, meta.attempt) == (there.id, "web", there.metadata.attempt)
    ours, its = told.container_resources, there.resources.linux
    assert (ours.cpu_shares, ours.cpu_quota) == (its.cpu_shares, its.cpu_quota)
    assert ours.cpu_period == its.cpu_period or not its.cpu_period


def check(crash, there, code=None):
    """kubelet goes on, and in the end takes all away; `there` is a client of the runtime itself. Gives the table's cell."""
    verb, step, kubelet = crash.verb, crash.step, crash.kubelet
    assert crash.code == (code or ("OK" if step in END else "UNAVAILABLE"))
    if verb not in STOPS:
        told, status = crash.recover()
        whole(told, crash, status)
        its = status.resources.linux
        assert its.cpu_shares == (222 if verb == "UpdateContainerResources" else 333)
        if verb == "UpdateContainerResources":
            assert its.cpu_period == 77777, "PreUpdateContainerResources was not skipped"
        unchanged = lost(verb, step) in ("all", "its change", "both changes", "its refusal")
        assert (its.cpu_quota, its.cpuset_mems) == (0 if unchanged else 70000, ""), "what PostStartContainer wanted"
        (sandbox,) = kubelet.sandboxes(there)
        assert sandbox.state == READY and sandbox.annotations["by"] == "plugin", "PreRunPodSandbox was not skipped"
        (container,) = kubelet.containers(there)
        assert container.state == RUNNING
    if step in (IN_STOP, "stopped"):
        assert crash.asked("PostStopContainer") == 0, "nobody is told of our own stop"
    started = crash.asked("PostStartContainer")
    (container,) = kubelet.containers(there)
    status = there.container_status(container.id).status
    kubelet.terminate()
    assert kubelet.sandboxes(there) == [] and kubelet.containers(there) == [], "kubelet has found and removed all"
    for told in crash.told("PostStopContainer"):
        whole(told, crash, status)
    assert crash.asked("PostStopPodSandbox") > 0
    for told in crash.told("PostStopPodSandbox"):
        whole_pod(crash, told.pod_meta, told.labels, told.annotations, told.cgroup_parent)
        assert told.overhead.cpu_shares == kubelet.pod.linux.overhead.cpu_shares
    if step in OF_SECOND_POST:
        again = [crash.asked(POST[verb], plugin) for plugin in crash.plugins]
        assert again == [count + ASKED_AGAIN[verb] for count in crash.post_asked], "each plugin"
    pre = [f"Pre {crash.pre_asked}×"] if crash.pre_asked else []
    if verb not in POST:
        return ", ".join(pre)
    posts = started if verb == "StartContainer" else crash.asked(POST[verb])
    what = lost(verb, step)
    assert (posts == 0) == (what == "all"), crash.plugin.names()
    return ", ".join([*pre, "**Post lost**" if what == "all" else f"Post asked, **{what} lost**" if what else "Post asked"])


def test_every_step_of_the_program_is_among_the_cases():
    source = (ROOT / "Sources" / "CRIServer" / "Calls" / "CrashStep.swift").read_text()
    steps = set(re.findall(r"^  case (\w+)$", source, re.MULTILINE))
    assert steps == {step for _, step in CASES} - set(OF_PLUGINS + OF_RUNTIME)


def test_what_is_not_exactly_a_step_does_nothing(runtime, crashing):
    crash = crashing(runtime.socket, "RunPodSandbox", "Allowed")
    crash.prepare()
    crash.kubelet.sync()
    assert crash.front.process.poll() is None


@pytest.mark.parametrize("verb,step", CASES)
def test_killed_before_a_simulated_runtime(runtime, crashing, verb, step):
    crash = crashing(runtime.socket, verb, step)
    crash.prepare()
    if step == IN_LOOK_UP:
        nothing_is_remembered(crash, runtime)

    @contextlib.contextmanager
    def in_runtime():
        entered, gate = threading.Event(), threading.Event()
        held_verb, is_held = held_call(verb, step)

        def held(call):
            answer = getattr(runtime, f"_on_{held_verb}")(call)
            if is_held(call.request):
                if step == IN_LOOK_UP and verb in STOPS:
                    assert runtime.take(verb).cancelled.wait(20), "the stop beside it has been answered"
                entered.set()
                gate.wait(30)
            return answer

        runtime.on(held_verb, held)
        yield entered
        runtime.on(held_verb, None)
        gate.set()

    crash.crash(in_runtime)
    with Runtime(runtime.socket) as there:
        known(crash, there)
        RESULTS[verb, step] = check(crash, there)
    every_pre_hook_was_asked(crash, runtime)


def nothing_is_remembered(crash, runtime):
    """RuntimeManager begins anew while the runtime tells it nothing about what there is: its Store is empty."""
    for method in LOOK_UPS:
        runtime.refuse(method, grpc.StatusCode.INTERNAL)
    since = crash.front.log_length()
    crash.front.restart()
    assert " 0 read, " in crash.front.wait_log("store rebuilt", since)
    for method in LOOK_UPS:
        runtime.on(method, None)
    crash.kubelet.client.until_answered()


def known(crash, there):
    """Whatever is there after the crash, kubelet has asked for it, under this name and attempt."""
    sandboxes, containers = crash.kubelet.sandboxes(there), crash.kubelet.containers(there)
    assert len(there.call("ListPodSandbox").items) == len(sandboxes) <= 1
    assert len(there.call("ListContainers").containers) == len(containers) <= 1
    for sandbox in sandboxes:
        assert sandbox.metadata.SerializeToString() == crash.kubelet.pod.metadata.SerializeToString()
    for container in containers:
        assert container.metadata.SerializeToString() == crash.kubelet.container.metadata.SerializeToString()


def every_pre_hook_was_asked(crash, runtime):
    """Of all that the runtime was ever asked in this case: nothing without what the plugin wanted."""
    for call in runtime.of("RunPodSandbox"):
        assert call.request.config.annotations["by"] == "plugin"
    for call in runtime.of("CreateContainer"):
        assert {(e.key, e.value) for e in call.request.config.envs} >= {("BY", b"plugin")}
        assert call.request.sandbox_config.annotations["by"] == "plugin", "what the pod got is not forgotten"
    updated = set()
    for call in runtime.calls:
        if call.method == "UpdateContainerResources" and call.request.linux.cpu_shares == 333:
            updated.add(call.request.container_id)
        if call.method == "StartContainer":
            assert call.request.container_id in updated, "our update comes before the start"
    updates = [call.request.linux for call in runtime.of("UpdateContainerResources") if call.request.linux.cpu_shares == 222]
    # (Once it is in force the plugin sees it, and what it wants then is no change.)
    assert all(linux.cpu_period == 77777 for linux in updates[:1]), "kubelet's own update, with the plugin's change"


def test_the_published_table_is_what_came_out():
    """Each cell of docs/proof/faults-runtime.md whose case has been run (above)."""
    lines = (ROOT / "docs" / "proof" / "faults-runtime.md").read_text().splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("| killed | kubelet saw |"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[begin:] if line.startswith("|")]
    published = {(verb, row[0]): cell for row in rows for verb, cell in zip(rows[0][2:], row[2:])}
    assert {case: cell for case, cell in published.items() if case in RESULTS} == RESULTS
    assert {case for case, cell in published.items() if case[1] in STEPS["StartContainer"] and cell} == set(CASES)


@pytest.mark.parametrize("verb,step", [(verb, step) for verb, step in CASES if step not in OF_RUNTIME])
def test_killed_before_containerd(containerd, direct, parent, crashing, verb, step):
    crash = crashing(containerd.socket, verb, step, parent)
    crash.prepare()
    crash.crash()
    known(crash, direct)
    check(crash, direct)


def test_killed_while_containerd_runs_a_pod(containerd, direct, parent, crashing):
    """containerd sees its caller go in the midst of it, and gives up or not; kubelet finds out."""
    crash = crashing(containerd.socket, "RunPodSandbox", IN_RUNTIME, parent)
    crash.prepare()

    @contextlib.contextmanager
    def in_runtime():
        begun = containerd.dir / "t" / "io.containerd.grpc.v1.cri" / "sandboxes"
        before = os.listdir(begun) if begun.exists() else []

        class Entered:
            def wait(self, within):
                return eventually(lambda: begun.exists() and os.listdir(begun) != before, within, "its directory is there")

        yield Entered()

    crash.crash(in_runtime)
    known(crash, direct)

    def goes_on():
        try:
            return crash.kubelet.sync()
        except grpc.RpcError as error:
            # The name is given back when containerd has ended what it had begun.
            assert "is reserved" in error.details(), error.details()

    eventually(goes_on, 30, "the pod runs")
    assert crash.code in ("OK", "UNAVAILABLE"), "nearly always the latter: it may have been just ready"
    check(crash, direct, crash.code)
