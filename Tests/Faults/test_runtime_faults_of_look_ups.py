"""The runtime fails while RuntimeManager asks it whom a call is about: an object that was made beside it, which its Store
does not have. Under Fail and under Ignore.

All verbs of one fault and phase are under way at once; each is a test by itself. What must come out is the table
`FAILED`, or `FOUND` where the look-up only takes long. The faults, and what is looked at after them, are in
Faults/runtime_arena.py.
"""

import dataclasses

import pytest

from Faults.runtime_arena import (
    ERROR, HUNG, KILLED, PATIENT, REFUSES, SLOW, STARVED, STOPPED, Case, Stack, case_of, standing,
)
from Peers.cri import Runtime
from Peers.wait import eventually
from Wire.expect import by
from Wire.test_store import complete

#: The runtime has failed before kubelet calls, or has the look-up and has not answered it.
BEFORE, ASKED = "before the look-up", "while it is asked"

#: Each verb that looks up, and the hooks of its call.
VERBS = {
    "CreateContainer": ["PreCreateContainer"],
    "StartContainer": ["PreStartContainer", "PostStartContainer"],
    "UpdateContainerResources": ["PreUpdateContainerResources"],
    "StopContainer": ["PostStopContainer"],
    "StopPodSandbox": ["PostStopPodSandbox"],
}
STOPS = ("StopContainer", "StopPodSandbox")
#: What is asked of the runtime for it.
LOOK_UPS = ["ContainerStatus", "PodSandboxStatus"]

#: A look-up fails at once when the connection breaks: "killed and started again" would be no case of its own. "Slow" is
#: slower than the 2 s that a look-up may take. Those that strike single calls strike the look-ups alone.
FAULTS = {BEFORE: [KILLED, HUNG, STARVED], ASKED: [KILLED, STOPPED, HUNG, STARVED, SLOW, REFUSES]}

#: kubelet's deadline where it passes, seconds: a look-up has its 2 s in the half of it, and time is left for a hook.
HASTY = 6

#: The look-up succeeds in the end: all of the call is as ever.
FOUND = ("OK", 1, True)
#: The look-up fails: what kubelet is told, how often the runtime had got the call by then, and whether the hooks were
#: asked (or are in the end, for stops: the call is owed). CreateContainer carries all that its hook must know.
REFUSED = ("FAILED_PRECONDITION", 0, False)  # subject unknown
SILENT, FORWARDED = ("OK", 1, False), ("OK", 1, True)
DOWN, LATE = ("UNAVAILABLE", 0), ("DEADLINE_EXCEEDED", 0)
FAILED = {
    # The stop was under way beside its look-up, and is done.
    (KILLED, ASKED): {
        "Fail": {"CreateContainer": (*DOWN, True), "starts": REFUSED, "stops": FORWARDED},
        "Ignore": {"CreateContainer": (*DOWN, True), "starts": (*DOWN, False), "stops": SILENT},
    },
    (HUNG, ASKED): {
        "Fail": {"CreateContainer": (*LATE, True), "starts": REFUSED, "stops": FORWARDED},
        "Ignore": {"CreateContainer": (*LATE, True), "starts": (*LATE, False), "stops": SILENT},
    },
    # The stop itself meets the fault: kubelet repeats it.
    (KILLED, BEFORE): {
        "Fail": {"CreateContainer": (*DOWN, True), "starts": REFUSED, "stops": (*DOWN, False)},
        "Ignore": {"CreateContainer": (*DOWN, True), "starts": (*DOWN, False), "stops": (*DOWN, False)},
    },
    (HUNG, BEFORE): {
        "Fail": {"CreateContainer": (*LATE, True), "starts": REFUSED, "stops": (*LATE, False)},
        "Ignore": {"CreateContainer": (*LATE, True), "starts": (*LATE, False), "stops": (*LATE, False)},
    },
    # The runtime does everything else.
    (SLOW, ASKED): {
        "Fail": {"CreateContainer": FORWARDED, "starts": REFUSED, "stops": FORWARDED},
        "Ignore": {"CreateContainer": FORWARDED, "starts": SILENT, "stops": SILENT},
    },
    (REFUSES, ASKED): {
        "Fail": {"CreateContainer": FORWARDED, "starts": REFUSED, "stops": FORWARDED},
        "Ignore": {"CreateContainer": FORWARDED, "starts": SILENT, "stops": SILENT},
    },
}

CASES = [(fault, verb, phase) for phase, faults in FAULTS.items() for fault in faults for verb in VERBS]


def expected(fault, phase, policy, verb):
    if (fault, phase) not in FAILED:
        return FOUND
    row = FAILED[fault, phase][policy]
    return row.get(verb) or row["stops" if verb in STOPS else "starts"]


@dataclasses.dataclass
class LookUp(Case):
    #: How often each hook was asked: by kubelet's answer (a stop's: when what is owed has come), and in the end by what
    #: kubelet did not repeat.
    hooks: list = None
    hooks_later: list = None


class LookUps(Stack):
    def prepare(self, verb, beside):
        made = case_of(verb, is_marked=False)
        case = LookUp(verb, made.pod_config, made.marked)
        return self.ready(case, beside)

    def run(self, fault, phase):
        # (The client stays: a descriptor that it gave back, a starved runtime would have again.)
        with Runtime(self.runtime.socket) as beside:
            return self.play([self.prepare(verb, beside) for verb in VERBS], fault, phase)

    def play(self, cases, fault, phase):
        runtime = self.runtime
        self.plugin.forget()
        since = self.front.log_length()
        if fault == REFUSES:
            self.strike(fault, LOOK_UPS)
        elif phase == ASKED:
            runtime.tell(hold=LOOK_UPS)
        else:
            self.strike(fault, LOOK_UPS)
        for case in cases:
            case.answer = self.kubelet.begin(case.verb, case.request, HASTY if fault == HUNG else PATIENT)
        if phase == ASKED:
            for case in cases:
                self.wait_looked_up(case, "call" if fault == REFUSES else "held")
            if fault not in (SLOW, REFUSES):
                self.strike(fault, LOOK_UPS)

        # What only takes long ends before kubelet is answered, everything else after it.
        if fault == STOPPED:
            self.mend(fault, LOOK_UPS)
        elif fault == STARVED:
            runtime.tell(hold=[])
        for case in cases:
            self.note(case)
        if fault == STARVED:
            self.nobody_else_is_accepted()
        if fault != STOPPED:
            self.mend(fault, LOOK_UPS)
        if fault in (KILLED, STARVED):  # it must not find the objects of the next run
            self.front.wait_log("store rebuilt", since)
        for case in cases:
            if case.verb in STOPS and expected(fault, phase, self.policy, case.verb)[2]:
                eventually(lambda: self.all_asked(case) != [0], 30, f"{case.verb} is told, or what is owed")
            case.hooks = self.all_asked(case)
        for case in cases:
            self.go_on(case)
        for case in cases:  # after everything, so that nothing is too late to be counted
            case.sent_later = self.count(case) - case.repeated
            case.hooks_later = [count - case.repeated for count in self.all_asked(case)]
        return {case.verb: case for case in cases}

    def wait_looked_up(self, case, what):
        """The look-up is with the runtime; a stop beside it has been answered."""
        method = "PodSandboxStatus" if case.container is None else "ContainerStatus"

        def is_looked_up():
            asked = runtime.calls(method, what)
            return any(case.container == r.container_id if case.container else case.pod == r.pod_sandbox_id for r in asked)

        runtime = self.runtime
        eventually(is_looked_up, 20, f"{case.verb} is looked up")
        if case.verb in STOPS:
            eventually(lambda: any(map(case.is_mine, runtime.calls(case.verb, "answered"))), 20, f"{case.verb} is done")

    def note(self, case):
        """What kubelet is told, and what had happened by then."""
        case.note_answer()
        case.sent = self.count(case)

    def all_asked(self, case):
        return [self.asked(case, hook) for hook in VERBS[case.verb]]

    def go_on(self, case):
        """kubelet repeats what failed; the hooks of that, of what was done, and of what follows must be told everything."""
        if case.code != "OK":
            # (What a stopped runtime had not read it may do now or never, in its own time.)
            self.again(case, case.verb, case.request)
            if self.all_asked(case) != [count + 1 for count in case.hooks]:
                case.wrong.append(f"repeated, it asks {self.plugin.names()}")
        for call in self.plugin.of(VERBS[case.verb][-1]):
            if call.request.pod_meta.uid == case.uid:
                self.is_whole(case, call)
        self.look(case, is_done=True)

    def is_whole(self, case, call):
        if case.verb != "StopPodSandbox":
            complete(call.request, case.marked, case.container or "")
        elif dict(call.request.annotations) != dict(case.marked.annotations) or call.request.cgroup_parent != "/kubepods/pod7":
            case.wrong.append(f"told: {call.request}")


@pytest.fixture(scope="module", params=["Fail", "Ignore"])
def stack(request):
    with standing(LookUps, request.param) as stack:
        yield stack


@pytest.mark.parametrize("fault,verb,phase", CASES, ids=lambda part: part)
def test_a_fault_of_the_runtime_at_a_look_up(stack, fault, verb, phase):
    case = stack.outcome(fault, phase)[verb]
    code, sent, is_asked = expected(fault, phase, stack.policy, verb)
    assert case.code == code, case
    if (code, sent, is_asked) == REFUSED:
        assert case.text.startswith(by("p", VERBS[verb][0]) + "subject unknown: "), case.text
        assert fault != REFUSES or ERROR[1] in case.text, "the runtime's words are in it"
    else:
        assert "hook server" not in case.text, "the plugin is not blamed"
    assert case.sent == sent, "nothing is sent twice"
    # What a stopped runtime had not read when kubelet's deadline passed lies in its socket, the call and its end: it may
    # take it up or not when it goes on. Everything else that comes later would be a repetition of ours.
    assert case.sent_later in ({0, 1} if code == "DEADLINE_EXCEEDED" else {sent}), "nor later"
    assert case.hooks == case.hooks_later == [int(is_asked)] * len(VERBS[verb]), "nor is a plugin asked twice"
    assert case.wrong == []


def test_after_all_of_that_nothing_is_left_open(stack):
    stack.nothing_is_left_open()
