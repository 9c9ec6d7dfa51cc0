"""The runtime fails in every phase of every hooked call: what kubelet is told, what is sent twice (nothing), and
whether everything is known afterwards.

The simulated runtime is a process of its own here. All verbs of one fault and phase are under way at once; each is
a test by itself. What must come out is said by one function, `expected`. How long it took until the connection was
back is printed (pytest -s), never asserted.
"""

import dataclasses
import os
import shutil
import tempfile
import time

import grpc
import pytest

from Peers.cri import Life, Runtime, container_config, pod_config
from Peers.manager import Manager
from Peers.messages import cri
from Peers.recorder import Recorder, echo, hang, refuse, sparse
from Peers.runtime_process import RuntimeProcess
from Peers.wait import eventually
from Wire.expect import by, refused
from Wire.test_store import CONTAINER, POD, complete

#: A call is in the hands of a plugin, of the runtime, of a plugin again.
PRE, ASKED, POST = "before the Pre hook's answer", "while the runtime is asked", "in the Post hook"

#: Each hooked verb, with the hook point of each phase.
VERBS = {
    "RunPodSandbox": {PRE: "PreRunPodSandbox"},
    "CreateContainer": {PRE: "PreCreateContainer"},
    "StartContainer": {PRE: "PreStartContainer", POST: "PostStartContainer"},
    "UpdateContainerResources": {PRE: "PreUpdateContainerResources"},
    "StopContainer": {POST: "PostStopContainer"},
    "StopPodSandbox": {POST: "PostStopPodSandbox"},
}

KILLED, RESTARTED = "killed", "killed and started again"
STOPPED, HUNG = "stopped and continued", "stopped until kubelet's deadline"
STARVED, SLOW, REFUSES = "out of file descriptors", "slow", "answers an error"
FAULTS = [KILLED, RESTARTED, STOPPED, HUNG, STARVED, SLOW, REFUSES]

#: What it answers when it answers an error: with details, and words that kubelet reads.
ERROR = (8, "RROUnsupported: ünï, 100 %", b"\x08\x08\x12\x03abc\xff\x00")

#: kubelet's deadlines, seconds. Half of it is the Pre hooks', who are let go at once.
PATIENT, HASTY = 60, 3


def expected(fault, phase):
    """The code that kubelet sees, and how often the runtime may have got the call by then: the same for all verbs."""
    if phase == POST:
        return "OK", {1}  # the runtime has spoken
    if fault == REFUSES:
        return "RESOURCE_EXHAUSTED", {1}
    if fault == KILLED:
        return "UNAVAILABLE", {0} if phase == PRE else {1}
    if fault == RESTARTED:
        return ("OK", {1}) if phase == PRE else ("UNAVAILABLE", {1})
    if fault == HUNG:
        return "DEADLINE_EXCEEDED", {0} if phase == PRE else {1}
    return "OK", {1}  # it is late, that is all


CASES = [
    (fault, verb, phase)
    for phase in (PRE, ASKED, POST)
    for fault in FAULTS
    for verb, hooks in VERBS.items()
    if phase == ASKED or phase in hooks
]


@dataclasses.dataclass
class Case:
    """One verb's call, about a pod and a container of its own."""

    verb: str
    pod_config: object
    pod: str = None
    container: str = None
    request: object = None
    answer: object = None
    # At kubelet's answer
    code: str = None
    text: str = ""
    details: bytes = None
    sent: int = 0
    asked: int = 0
    # Afterwards
    repeated: int = 0
    sent_later: int = 0
    wrong: list = dataclasses.field(default_factory=list)

    @property
    def uid(self):
        return self.pod_config.metadata.uid

    def is_mine(self, request):
        """Whether a request at the runtime is this case's call."""
        if self.verb == "RunPodSandbox":
            return request.config.metadata.uid == self.uid
        if self.verb == "CreateContainer":
            return request.pod_sandbox_id == self.pod
        if self.verb == "StopPodSandbox":
            return request.pod_sandbox_id == self.pod
        return request.container_id == self.container


class Stack:
    """kubelet, RuntimeManager, a plugin under Fail that registers everything, and a runtime."""

    def __init__(self, place):
        self.place = place
        self.runtime = RuntimeProcess(os.path.join(place, "runtime.sock"), os.path.join(place, "journal"))
        self.plugin = Recorder(os.path.join(place, "p.sock"))
        self.front = Manager(place, self.runtime.socket, start=False)
        self.plugin.register(self.front.hook_dir, "p", policy="Fail", timeout="60s")
        self.plugin.on("PreRunPodSandbox", MARK)
        self.front.start()
        self.kubelet = Runtime(self.front.listen)
        self.kubelet.call("Status")
        self.outcomes = {}
        #: Until kubelet's connection was of use again, seconds, by fault and phase.
        self.back = {}

    def stop(self):
        self.kubelet.close()
        self.front.stop()
        self.plugin.stop()
        self.runtime.stop()

    def outcome(self, fault, phase):
        if (fault, phase) not in self.outcomes:
            self.outcomes[fault, phase] = None  # if the run fails
            self.outcomes[fault, phase] = self.run(fault, phase)
        return self.outcomes[fault, phase]

    # A case's way

    def prepare(self, verb):
        case = Case(verb, pod_config(**POD))
        if verb == "RunPodSandbox":
            case.request = cri.RunPodSandboxRequest(config=case.pod_config)
            return case
        case.pod = self.kubelet.run_pod(case.pod_config)
        if verb == "CreateContainer":
            case.request = self.create_request(case)
            return case
        if verb == "StopPodSandbox":
            case.request = cri.StopPodSandboxRequest(pod_sandbox_id=case.pod)
            return case
        case.container = self.kubelet.call("CreateContainer", self.create_request(case)).container_id
        if verb == "StopContainer":
            self.kubelet.start_container(case.container)
        case.request = {
            "StartContainer": lambda: cri.StartContainerRequest(container_id=case.container),
            "StopContainer": lambda: cri.StopContainerRequest(container_id=case.container, timeout=1),
            "UpdateContainerResources": lambda: cri.UpdateContainerResourcesRequest(
                container_id=case.container, linux=cri.LinuxContainerResources(cpu_shares=222)
            ),
        }[verb]()
        return case

    def create_request(self, case):
        return cri.CreateContainerRequest(
            pod_sandbox_id=case.pod, config=container_config(**CONTAINER), sandbox_config=case.pod_config
        )

    def run(self, fault, phase):
        runtime, plugin = self.runtime, self.plugin
        cases = [self.prepare(verb) for verb, hooks in VERBS.items() if phase == ASKED or phase in hooks]
        plugin.forget()
        hold = {}
        if phase == ASKED:
            runtime.tell(hold=[case.verb for case in cases])
            if fault == REFUSES:
                self.refuse([case.verb for case in cases])
        else:
            for case in cases:
                hook = VERBS[case.verb][phase]
                hold[hook] = hang(MARK if hook == "PreRunPodSandbox" else echo())
                plugin.on(hook, hold[hook])
        for case in cases:
            hasty = fault == HUNG and phase != POST  # there nobody waits for the runtime
            case.answer = self.kubelet.begin(case.verb, case.request, HASTY if hasty else PATIENT)
        for case in cases:
            if phase != ASKED:
                plugin.take(VERBS[case.verb][phase], within=20)
            elif fault != REFUSES:
                eventually(lambda: any(map(case.is_mine, runtime.calls(case.verb, "held"))), 20, f"{case.verb} is held")

        # It happens.
        {
            KILLED: self.kill,
            RESTARTED: self.restart,
            STOPPED: runtime.freeze,
            HUNG: runtime.freeze,
            STARVED: runtime.starve,
            SLOW: lambda: runtime.tell(hold=[case.verb for case in cases]),
            REFUSES: lambda: phase == ASKED or self.refuse([case.verb for case in cases]),
        }[fault]()
        for waiting in hold.values():
            waiting.release()
        if fault == SLOW and phase == PRE:
            for case in cases:
                eventually(lambda: any(map(case.is_mine, runtime.calls(case.verb, "held"))), 20, f"{case.verb} is held")
        if fault == STARVED:
            with Runtime(self.front.listen) as another, refused("UNAVAILABLE|DEADLINE_EXCEEDED"):
                another.call("Status", timeout=1)

        # What only takes long ends before kubelet is answered, everything else after it.
        if fault in (STOPPED, SLOW):
            self.mend(fault, phase)
        elif fault == STARVED:
            runtime.tell(hold=[])
        for case in cases:
            self.note(case, phase)
        if fault not in (STOPPED, SLOW):
            self.mend(fault, phase)
        for hook in hold:
            plugin.on(hook, MARK if hook == "PreRunPodSandbox" else echo())
        for case in cases:
            self.go_on(case, fault, phase)
        for case in cases:  # after everything, so that nothing is too late to be counted
            case.sent_later = self.count(case) - case.repeated
        return {case.verb: case for case in cases}

    def kill(self):
        since = self.front.log_length()
        self.runtime.kill()
        self.front.wait_log("the runtime is gone", since)

    def come_back(self):
        since = self.front.log_length()
        self.runtime.start()
        self.front.wait_log("the runtime answers", since)

    def restart(self):
        self.kill()
        self.come_back()

    def refuse(self, verbs):
        code, text, details = ERROR
        self.runtime.tell(refuse={verb: [code, text, details.hex()] for verb in verbs})

    def mend(self, fault, phase):
        """The runtime is well again; how long did it take until kubelet's connection was of use?"""
        if fault == STARVED:  # gRPC's C core accepts nobody any more after EMFILE
            self.runtime.kill()
        if fault in (KILLED, STARVED):
            self.runtime.start()
        elif fault in (STOPPED, HUNG):
            self.runtime.thaw()
        self.runtime.tell(hold=[], refuse={verb: None for verb in VERBS})
        began = time.monotonic()
        eventually(self.is_back, 30, "kubelet's calls are answered again")
        self.back[fault, phase] = time.monotonic() - began

    def is_back(self):
        try:
            return self.kubelet.call("Status", timeout=5)
        except grpc.RpcError:
            return None

    def note(self, case, phase):
        """What kubelet is told, and what had happened by then."""
        try:
            case.answer.result(PATIENT + 10)
            case.code = "OK"
        except grpc.RpcError as error:
            case.code, case.text = error.code().name, error.details()
            case.details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
        case.sent = self.count(case)
        if phase in VERBS[case.verb]:
            case.asked = sum(self.is_about(case, call) for call in self.plugin.of(VERBS[case.verb][phase]))

    def count(self, case):
        """How often the runtime has got the case's call."""
        return sum(map(case.is_mine, self.runtime.calls(case.verb)))

    def is_about(self, case, call):
        return call.request.pod_meta.uid == case.uid

    # Afterwards

    def go_on(self, case, fault, phase):
        """kubelet finds what there is, the next hooked call must be told everything, and what failed is repeated."""
        is_done = case.code == "OK" or (phase == ASKED and fault != REFUSES)
        if fault == HUNG and phase == PRE and case.verb not in ("RunPodSandbox", "CreateContainer"):
            # What it had not read it may do now or never, in its own time.
            self.again(case, case.verb, case.request)
            is_done = True
        pods = [pod.id for pod in self.kubelet.call("ListPodSandbox").items if pod.metadata.uid == case.uid]
        if case.verb == "RunPodSandbox" and not pods:
            if is_done:
                case.wrong.append("its pod is gone")
            pods = [self.again(case, "RunPodSandbox", case.request).pod_sandbox_id]
        for case.pod in pods:
            self.look(case, is_done)
        if case.code != "OK" and case.verb not in ("RunPodSandbox", "CreateContainer"):
            self.again(case, case.verb, case.request)

    def again(self, case, verb, request):
        """A later call of kubelet's, which is none of the case's own."""
        case.repeated += verb == case.verb
        return self.kubelet.call(verb, request)

    def look(self, case, is_done):
        """What the hooks of the pod and its containers are told."""
        marked = cri.PodSandboxConfig.FromString(case.pod_config.SerializeToString())
        marked.annotations["by"] = "plugin"
        containers = [c.id for c in self.kubelet.call("ListContainers").containers if c.pod_sandbox_id == case.pod]
        if case.verb == "CreateContainer" and is_done and not containers:
            case.wrong.append("its container is gone")
        if not containers:
            self.plugin.forget()
            containers = [self.again(case, "CreateContainer", self.create_request(case)).container_id]
            complete(self.plugin.take("PreCreateContainer").request, marked, "")
        for container in containers:
            self.plugin.forget()
            update = cri.UpdateContainerResourcesRequest(
                container_id=container, linux=cri.LinuxContainerResources(cpu_quota=5000)
            )
            self.again(case, "UpdateContainerResources", update)
            told = complete(self.plugin.take("PreUpdateContainerResources").request, marked, container)
            there = self.runtime.state()[1][container]["resources"]
            shares = 222 if case.verb == "UpdateContainerResources" and is_done else 100
            if not told.container_resources.cpu_shares == there.cpu_shares == shares:
                case.wrong.append(f"{shares} shares: the plugin is told {told.container_resources.cpu_shares}, {there}")


MARK = sparse(annotations={"by": "plugin"})


@pytest.fixture(scope="module")
def stack():
    place = tempfile.mkdtemp(prefix="rmf-", dir="/tmp")
    stack = Stack(place)
    yield stack
    stack.stop()
    shutil.rmtree(place, ignore_errors=True)
    print("\n| the runtime is | " + " | ".join((PRE, ASKED, POST)) + " |\n|---|---|---|---|")
    for fault in FAULTS:
        times = [stack.back.get((fault, phase)) for phase in (PRE, ASKED, POST)]
        print(f"| {fault} | " + " | ".join("" if t is None else f"{t * 1000:.0f} ms" for t in times) + " |")


@pytest.mark.parametrize("fault,verb,phase", CASES, ids=lambda part: part)
def test_a_fault_of_the_runtime(stack, fault, verb, phase):
    cases = stack.outcome(fault, phase)
    assert cases, "the run of this fault and phase has failed in its first case"
    case = cases[verb]
    code, sent = expected(fault, phase)
    assert case.code == code, case
    if code == "RESOURCE_EXHAUSTED":
        assert (case.text, case.details) == ERROR[1:], "word for word, with its details"
    assert "hook server" not in case.text, "the plugin is not blamed"
    assert case.sent in sent, "nothing is sent twice"
    # What a stopped runtime had not read when kubelet's deadline passed lies in its socket, the call and its end: it may
    # take it up or not when it goes on. Everything else that comes later would be a repetition of ours.
    allowed = {0, 1} if (fault, phase) == (HUNG, PRE) else {case.sent}
    assert case.sent_later in allowed, "nor later"
    assert case.asked == (phase in VERBS[verb]), "nor is a plugin asked twice"
    assert case.wrong == []


#: Where the runtime is killed, what the plugin wants then, and what kubelet is told.
OURS = {
    "our update before the start": ("PreStartContainer", sparse(resources={"cpu_shares": 77}), "UNAVAILABLE"),
    "our update after the start": ("PostStartContainer", sparse(resources={"cpu_shares": 77}), "UNAVAILABLE"),
    "our stop": ("PostStartContainer", refuse(grpc.StatusCode.ABORTED), "ABORTED"),
}


@pytest.mark.parametrize("case", OURS)
def test_the_runtime_is_killed_before_a_call_of_our_own(stack, case):
    """Its failure is the plugin's, kubelet is told so; a container that cannot be stopped is logged."""
    hook, answer, code = OURS[case]
    life, plugin, runtime = Life(stack.kubelet), stack.plugin, stack.runtime
    pod = life.pod(**POD)
    container = life.container(pod, **CONTAINER)
    plugin.forget()
    held = hang(then=answer)
    plugin.on(hook, held)
    since = stack.front.log_length()
    answer = stack.kubelet.begin("StartContainer", cri.StartContainerRequest(container_id=container), PATIENT)
    plugin.take(hook)
    stack.kill()
    held.release()
    with refused(code, by("p", hook)):
        answer.result(PATIENT)
    if hook == "PostStartContainer":
        stack.front.wait_log("could not be stopped", since)
    plugin.on(hook, echo())
    stack.come_back()
    assert len([r for r in runtime.calls("StartContainer") if r.container_id == container]) == (hook == "PostStartContainer")
    assert not [r for r in runtime.calls("UpdateContainerResources") if r.container_id == container]
    stack.kubelet.stop_container(container)
    marked = cri.PodSandboxConfig.FromString(life.configs[pod].SerializeToString())
    marked.annotations["by"] = "plugin"
    told = complete(plugin.take("PostStopContainer").request, marked, container)
    assert told.container_resources.cpu_shares == 100, "what never came into force is not remembered"


def test_after_all_of_that_nothing_is_left_open(stack):
    pid = stack.front.process.pid

    def descriptors():
        return len(os.listdir(f"/proc/{pid}/fd"))

    stack.kubelet.call("Status")
    with Manager(os.path.join(stack.place, "fresh"), stack.runtime.socket, hook_dir=stack.front.hook_dir) as fresh:
        with Runtime(fresh.listen) as kubelet:
            kubelet.run_pod(pod_config())
            pids = fresh.process.pid
            eventually(lambda: descriptors() <= len(os.listdir(f"/proc/{pids}/fd")), what="as many as after one call")
    assert stack.front.process.poll() is None
