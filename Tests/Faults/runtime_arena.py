"""What tests of the runtime's faults are made of: the stack, the faults, and what must be known after them.

The simulated runtime is a process of its own. How long it took from when it served again until kubelet's connection was of
use is printed (pytest -s), never asserted.
"""

import contextlib
import dataclasses
import os
import resource
import shutil
import tempfile

import grpc

from Peers.cri import Runtime, container_config, pod_config
from Peers.manager import Manager
from Peers.messages import cri
from Peers.recorder import Recorder, sparse
from Peers.runtime_process import RuntimeProcess
from Peers.wait import eventually
from Wire.expect import refused
from Wire.test_store import CONTAINER, POD, complete

KILLED, RESTARTED = "killed", "killed and started again"
STOPPED, HUNG = "stopped and continued", "stopped until kubelet's deadline"
STARVED, SLOW, REFUSES = "out of file descriptors", "slow", "answers an error"
FAULTS = [KILLED, RESTARTED, STOPPED, HUNG, STARVED, SLOW, REFUSES]

#: What it answers when it answers an error: with details, and words that kubelet reads.
ERROR = (8, "RROUnsupported: ünï, 100 %", b"\x08\x08\x12\x03abc\xff\x00")

#: kubelet's deadlines, seconds. Half of it is the Pre hooks', who are let go at once.
PATIENT, HASTY = 60, 3

#: What the plugin changes in each pod that is run through RuntimeManager.
MARK = sparse(annotations={"by": "plugin"})


@dataclasses.dataclass
class Case:
    """One verb's call, about a pod and a container of its own."""

    verb: str
    #: As kubelet sends it, and as hooks must be told of it.
    pod_config: object
    marked: object
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

    def note_answer(self):
        """Waits for what kubelet is told."""
        try:
            self.answer.result(PATIENT + 10)
            self.code = "OK"
        except grpc.RpcError as error:
            self.code, self.text = error.code().name, error.details()
            self.details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")


class Stack:
    """kubelet, RuntimeManager, a plugin that registers everything, and a runtime.

    A file of tests derives from it: `run` gives the outcome of all cases of one fault and phase.
    """

    def __init__(self, place, policy="Fail"):
        self.place, self.policy = place, policy
        self.runtime = RuntimeProcess(os.path.join(place, "runtime.sock"), os.path.join(place, "journal"))
        self.plugin = Recorder(os.path.join(place, "p.sock"))
        self.front = Manager(place, self.runtime.socket, start=False)
        self.plugin.register(self.front.hook_dir, "p", policy=policy, timeout="60s")
        self.plugin.on("PreRunPodSandbox", MARK)
        self.front.start()
        self.kubelet = Runtime(self.front.listen)
        self.kubelet.call("Status")
        self.front.wait_log("store rebuilt")
        self.outcomes = {}
        #: From when the runtime served again to the first call that passed on kubelet's connection, seconds: the last time,
        #: and by fault and phase.
        self.took, self.back = None, {}

    def stop(self):
        self.kubelet.close()
        self.front.stop()
        self.plugin.stop()
        self.runtime.stop()

    def outcome(self, *what):
        """The outcome of the run of this fault and phase; the first test that asks for it runs it."""
        if what not in self.outcomes:
            self.outcomes[what] = None  # if the run fails
            self.outcomes[what] = self.run(*what)
        assert self.outcomes[what], "the run of this fault and phase has failed in its first case"
        return self.outcomes[what]

    # What a case is about, made by `client`

    def pod_for(self, case, client):
        case.pod = client.run_pod(case.pod_config)

    def container_for(self, case, client):
        self.pod_for(case, client)
        case.container = client.call("CreateContainer", self.create_request(case)).container_id

    def create_request(self, case):
        return cri.CreateContainerRequest(
            pod_sandbox_id=case.pod, config=container_config(**CONTAINER), sandbox_config=case.pod_config
        )

    def ready(self, case, client):
        """The case with its request, and with what that is about."""
        if case.verb == "RunPodSandbox":
            case.request = cri.RunPodSandboxRequest(config=case.pod_config)
            return case
        if case.verb in ("CreateContainer", "StopPodSandbox"):
            self.pod_for(case, client)
        else:
            self.container_for(case, client)
        if case.verb == "StopContainer":
            client.start_container(case.container)
        case.request = {
            "CreateContainer": lambda: self.create_request(case),
            "StartContainer": lambda: cri.StartContainerRequest(container_id=case.container),
            "StopContainer": lambda: cri.StopContainerRequest(container_id=case.container, timeout=1),
            "StopPodSandbox": lambda: cri.StopPodSandboxRequest(pod_sandbox_id=case.pod),
            "UpdateContainerResources": lambda: cri.UpdateContainerResourcesRequest(
                container_id=case.container, linux=cri.LinuxContainerResources(cpu_shares=222)
            ),
        }[case.verb]()
        return case

    # Faults

    def kill(self):
        since = self.front.log_length()
        self.runtime.kill()
        self.front.wait_log("the runtime is gone", since)

    def come_back(self):
        since = self.front.log_length()
        self.runtime.start()
        self.until_back()
        # Its connections are one each: ours, on which it is found gone, may come later than kubelet's.
        self.front.wait_log("the runtime answers", since)

    def restart(self):
        self.kill()
        self.come_back()

    def feed(self):
        """It may have as many file descriptors as it likes."""
        pid = self.runtime.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))

    def refuse(self, verbs):
        code, text, details = ERROR
        self.runtime.tell(refuse={verb: [code, text, details.hex()] for verb in verbs})

    def nobody_else_is_accepted(self):
        with Runtime(self.front.listen) as another, refused("UNAVAILABLE|DEADLINE_EXCEEDED"):
            another.call("Status", timeout=1)

    def strike(self, fault, verbs):
        """It happens: to calls of these verbs, as far as the fault is one of single calls."""
        {
            KILLED: self.kill,
            RESTARTED: self.restart,
            STOPPED: self.runtime.freeze,
            HUNG: self.runtime.freeze,
            STARVED: self.runtime.starve,
            SLOW: lambda: self.runtime.tell(hold=verbs),
            REFUSES: lambda: self.refuse(verbs),
        }[fault]()

    def wait_held(self, cases):
        """Their work is done at the runtime, and their answers wait."""
        for case in cases:
            eventually(
                lambda: any(map(case.is_mine, self.runtime.calls(case.verb, "held"))), 20, f"{case.verb} is held"
            )

    def mend(self, fault, verbs):
        """The runtime is well again (it is already if it was `RESTARTED`), and kubelet's connection of use; gives how long
        that took, seconds."""
        if fault == KILLED:
            self.come_back()
        elif fault in (STOPPED, HUNG):
            self.runtime.thaw()
            self.until_back()
        elif fault == STARVED:
            self.feed()
            self.until_back()
        self.runtime.tell(hold=[], refuse={verb: None for verb in verbs})
        if fault in (SLOW, REFUSES):
            self.until_back()
        took = self.took
        if fault == STARVED:  # gRPC's C core accepts nobody any more after EMFILE: what follows needs a fresh one
            self.restart()
        return took

    def until_back(self):
        """The runtime serves: from now on until a call of kubelet's passes."""
        self.took = self.kubelet.until_answered()

    # Afterwards

    def count(self, case):
        """How often the runtime has got the case's call."""
        return sum(map(case.is_mine, self.runtime.calls(case.verb)))

    def asked(self, case, hook):
        """How often the plugin has been asked about the case's pod there."""
        return sum(call.request.pod_meta.uid == case.uid for call in self.plugin.of(hook))

    def again(self, case, verb, request):
        """A later call of kubelet's, which is none of the case's own."""
        case.repeated += verb == case.verb and case.is_mine(request)
        return self.kubelet.call(verb, request)

    def look(self, case, is_done):
        """What the hooks of the pod and its containers are told."""
        containers = [c.id for c in self.kubelet.call("ListContainers").containers if c.pod_sandbox_id == case.pod]
        if case.verb == "CreateContainer" and is_done and not containers:
            case.wrong.append("its container is gone")
        if not containers:
            containers = [self.again(case, "CreateContainer", self.create_request(case)).container_id]
            complete(self.plugin.of("PreCreateContainer")[-1].request, case.marked, "")
        for container in containers:
            shares = 222 if case.verb == "UpdateContainerResources" and is_done else 100
            told, there = self.told_and_in_force(case, container)
            if not told == there == shares:
                case.wrong.append(f"{shares} shares: the plugin is told {told}, in force are {there}")

    def told_and_in_force(self, case, container):
        """The container's cpu shares, as the next hook is told and as the runtime has them."""
        update = cri.UpdateContainerResourcesRequest(
            container_id=container, linux=cri.LinuxContainerResources(cpu_quota=5000)
        )
        self.again(case, "UpdateContainerResources", update)
        told = complete(self.plugin.of("PreUpdateContainerResources")[-1].request, case.marked, container)
        return told.container_resources.cpu_shares, self.runtime.state()[1][container]["resources"].cpu_shares

    def nothing_is_left_open(self):
        """RuntimeManager has come through all of it, with no more open files than a fresh one after one call."""
        self.kubelet.call("Status")
        with Manager(os.path.join(self.place, "fresh"), self.runtime.socket, hook_dir=self.front.hook_dir) as fresh:
            with Runtime(fresh.listen) as kubelet:
                kubelet.run_pod(pod_config())
                eventually(lambda: self.front.descriptors() <= fresh.descriptors(), what="as many as after one call")
        assert self.front.process.poll() is None


def case_of(verb, is_marked=True):
    """A case of a new pod; `is_marked`: it is run through RuntimeManager."""
    config = pod_config(**POD)
    marked = cri.PodSandboxConfig.FromString(config.SerializeToString())
    if is_marked:
        marked.annotations["by"] = "plugin"
    return Case(verb, config, marked)


@contextlib.contextmanager
def standing(kind, *arguments):
    """A stack in a directory of its own."""
    place = tempfile.mkdtemp(prefix="rmf-", dir="/tmp")
    stack = kind(place, *arguments)
    yield stack
    stack.stop()
    shutil.rmtree(place, ignore_errors=True)
