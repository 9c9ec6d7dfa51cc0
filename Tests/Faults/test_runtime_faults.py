"""The runtime fails in every phase of every hooked call: what kubelet is told, what is sent twice (nothing), and
whether everything is known afterwards.

All verbs of one fault and phase are under way at once; each is a test by itself. What must come out is said by one
function, `expected`. The faults, and what is looked at after them, are in Faults/runtime_arena.py.
"""

import pytest

from Faults.runtime_arena import (
    ERROR, FAULTS, HASTY, HUNG, KILLED, MARK, PATIENT, REFUSES, RESTARTED, SLOW, STARVED, STOPPED, Stack, case_of, standing,
)
from Peers.recorder import echo, hang

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


#: Faults of what the runtime is asked: in the Post hook it is asked nothing, but for what the plugin wants (then see
#: test_runtime_faults_of_our_own_calls.py).
OF_SINGLE_CALLS = (SLOW, REFUSES)

CASES = [
    (fault, verb, phase)
    for phase in (PRE, ASKED, POST)
    for fault in FAULTS
    for verb, hooks in VERBS.items()
    if (phase == ASKED or phase in hooks) and not (phase == POST and fault in OF_SINGLE_CALLS)
]


class Calls(Stack):
    """The hooked calls, one case each."""

    def prepare(self, verb):
        return self.ready(case_of(verb), self.kubelet)

    def run(self, fault, phase):
        runtime, plugin = self.runtime, self.plugin
        cases = [self.prepare(verb) for verb, hooks in VERBS.items() if phase == ASKED or phase in hooks]
        verbs = [case.verb for case in cases]
        plugin.forget()
        hold = {}
        if phase == ASKED:
            runtime.tell(hold=verbs)
            if fault == REFUSES:
                self.strike(fault, verbs)
        else:
            for case in cases:
                hook = VERBS[case.verb][phase]
                hold[hook] = hang(MARK if hook == "PreRunPodSandbox" else echo())
                plugin.on(hook, hold[hook])
        for case in cases:
            hasty = fault == HUNG and phase != POST  # there nobody waits for the runtime
            case.answer = self.kubelet.begin(case.verb, case.request, HASTY if hasty else PATIENT)
        if phase != ASKED:
            for case in cases:
                plugin.take(VERBS[case.verb][phase], within=20)
        elif fault != REFUSES:
            self.wait_held(cases)

        if not (phase == ASKED and fault == REFUSES):
            self.strike(fault, verbs)
        for waiting in hold.values():
            waiting.release()
        if fault == SLOW and phase == PRE:
            self.wait_held(cases)
        if fault == STARVED:
            self.nobody_else_is_accepted()

        # What only takes long ends before kubelet is answered, everything else after it.
        if fault in (STOPPED, SLOW):
            self.back[fault, phase] = self.mend(fault, VERBS)
        elif fault == STARVED:
            runtime.tell(hold=[])
        for case in cases:
            self.note(case, phase)
        if fault not in (STOPPED, SLOW):
            self.back[fault, phase] = self.mend(fault, VERBS)
        for hook in hold:
            plugin.on(hook, MARK if hook == "PreRunPodSandbox" else echo())
        for case in cases:
            self.go_on(case, fault, phase)
        for case in cases:  # after everything, so that nothing is too late to be counted
            case.sent_later = self.count(case) - case.repeated
        return {case.verb: case for case in cases}

    def note(self, case, phase):
        """What kubelet is told, and what had happened by then."""
        case.note_answer()
        case.sent = self.count(case)
        if phase in VERBS[case.verb]:
            case.asked = self.asked(case, VERBS[case.verb][phase])

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


@pytest.fixture(scope="module")
def stack():
    with standing(Calls) as stack:
        yield stack
    print("\n| the runtime is | " + " | ".join((PRE, ASKED, POST)) + " |\n|---|---|---|---|")
    for fault in FAULTS:
        times = [stack.back.get((fault, phase)) for phase in (PRE, ASKED, POST)]
        print(f"| {fault} | " + " | ".join("" if t is None else f"{t * 1000:.0f} ms" for t in times) + " |")


@pytest.mark.parametrize("fault,verb,phase", CASES, ids=lambda part: part)
def test_a_fault_of_the_runtime(stack, fault, verb, phase):
    case = stack.outcome(fault, phase)[verb]
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


def test_after_all_of_that_nothing_is_left_open(stack):
    stack.nothing_is_left_open()
