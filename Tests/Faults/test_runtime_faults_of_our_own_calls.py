"""The runtime fails while RuntimeManager itself has something to ask of it about a StartContainer: an update that a
plugin wants, before or after the start, or the stop of a container that a plugin has refused.

Each case is a container of its own, one after the other. What must come out is the table `EXPECTED`. The faults, and
what is looked at after them, are in Faults/runtime_arena.py.
"""

import dataclasses

import grpc
import pytest

from Faults.runtime_arena import (
    ERROR, FAULTS, HASTY, HUNG, KILLED, PATIENT, REFUSES, RESTARTED, SLOW, STARVED, STOPPED, Case, Stack, case_of, standing,
)
from Peers.messages import cri
from Peers.recorder import echo, hang, refuse, sparse
from Wire.expect import by
from Wire.test_store import complete

#: The plugin has not yet said what it wants, or the runtime is at it: it has done it and not answered.
IN_HOOK, ASKED = "in the hook that asks for it", "while the runtime is asked"
PHASES = (IN_HOOK, ASKED)

UPDATE_BEFORE, UPDATE_AFTER, STOP = "our update before the start", "our update after the start", "our stop"

#: The verb of each, the hook that brings it about, and what the plugin answers there.
CALLS = {
    UPDATE_BEFORE: ("UpdateContainerResources", "PreStartContainer", sparse(resources={"cpu_shares": 77})),
    UPDATE_AFTER: ("UpdateContainerResources", "PostStartContainer", sparse(resources={"cpu_shares": 77})),
    STOP: ("StopContainer", "PostStartContainer", refuse(grpc.StatusCode.ABORTED)),
}

#: What our own stop gives the container to stop in, seconds: no stop of this kubelet's does.
GRACE = 2

#: What has become of the container: CREATED: it was never started. ENDED: we have stopped it, and told
#: PostStopContainer. LEFT, UNSURE: our stop has failed, the log says so; it runs, or has stopped all the same.
CREATED, RUNS, ENDED, LEFT, UNSURE = "not started", "runs", "stopped by us", "runs although refused", "stopped, we cannot know"

#: What kubelet is told, how often our own call had got to the runtime by then, and the container, for each phase.
FINE = {phase: ("OK", 1, RUNS) for phase in PHASES}  # it is late, that is all
DEADLINE = "DEADLINE_EXCEEDED"  # kubelet's own
EXPECTED = {
    UPDATE_BEFORE: {
        KILLED: {IN_HOOK: ("UNAVAILABLE", 0, CREATED), ASKED: ("UNAVAILABLE", 1, CREATED)},
        RESTARTED: {IN_HOOK: ("OK", 1, RUNS), ASKED: ("UNAVAILABLE", 1, CREATED)},
        STOPPED: FINE,
        HUNG: {IN_HOOK: (DEADLINE, 0, CREATED), ASKED: (DEADLINE, 1, CREATED)},
        STARVED: FINE,
        SLOW: FINE,
        REFUSES: {phase: ("RESOURCE_EXHAUSTED", 1, CREATED) for phase in PHASES},
    },
    UPDATE_AFTER: {
        KILLED: {IN_HOOK: ("UNAVAILABLE", 0, LEFT), ASKED: ("UNAVAILABLE", 1, LEFT)},
        # When the update's answer is lost, our stop follows at once: before the runtime is back.
        RESTARTED: {IN_HOOK: ("OK", 1, RUNS), ASKED: ("UNAVAILABLE", 1, LEFT)},
        STOPPED: FINE,
        # Our stop has a deadline of its own, and is read when the runtime goes on.
        HUNG: {IN_HOOK: (DEADLINE, 0, ENDED), ASKED: (DEADLINE, 1, ENDED)},
        STARVED: FINE,
        SLOW: FINE,
        REFUSES: {phase: ("RESOURCE_EXHAUSTED", 1, ENDED) for phase in PHASES},
    },
    STOP: {
        KILLED: {IN_HOOK: ("ABORTED", 0, LEFT), ASKED: ("ABORTED", 1, UNSURE)},
        RESTARTED: {IN_HOOK: ("ABORTED", 1, ENDED), ASKED: ("ABORTED", 1, UNSURE)},
        STOPPED: {phase: ("ABORTED", 1, ENDED) for phase in PHASES},
        HUNG: {IN_HOOK: (DEADLINE, 0, ENDED), ASKED: (DEADLINE, 1, ENDED)},
        STARVED: {phase: ("ABORTED", 1, ENDED) for phase in PHASES},
        SLOW: {phase: ("ABORTED", 1, ENDED) for phase in PHASES},
        REFUSES: {phase: ("ABORTED", 1, LEFT) for phase in PHASES},
    },
}

#: Of a runtime that was stopped, what it had not read of our own call when kubelet's deadline passed. The update ends
#: with kubelet's deadline: it lies in the socket together with its end, and may be taken up or not. The stop goes on.
UNREAD = {UPDATE_BEFORE: {0, 1}, UPDATE_AFTER: {0, 1}, STOP: {1}}

CASES = [(fault, call, phase) for phase in PHASES for fault in FAULTS for call in CALLS]


@dataclasses.dataclass
class OwnCase(Case):
    """A container, and what we asked the runtime about it: `sent`, `sent_later`."""

    call: str = None
    started: int = 0
    stops: int = 0
    end: str = None
    #: How often PostStopContainer was told, when kubelet had stopped the container as well.
    told: int = 0

    def is_mine(self, request):
        if request.container_id != self.container:
            return False
        return request.timeout == GRACE if self.call == STOP else request.linux.cpu_shares == 77


class OwnCalls(Stack):
    def run(self, fault, call, phase):
        runtime, plugin = self.runtime, self.plugin
        verb, hook, wants = CALLS[call]
        made = case_of(verb)
        case = OwnCase(verb, made.pod_config, made.marked, call=call)
        self.container_for(case, self.kubelet)
        plugin.forget()
        since = self.front.log_length()
        held = hang(then=wants)
        if phase == IN_HOOK:
            plugin.on(hook, held)
        else:
            plugin.on(hook, wants)
            if fault == REFUSES:
                self.strike(fault, [verb])
            else:
                runtime.tell(hold=[verb])
        request = cri.StartContainerRequest(container_id=case.container)
        case.answer = self.kubelet.begin("StartContainer", request, HASTY if fault == HUNG else PATIENT)
        if phase == IN_HOOK:
            plugin.take(hook, within=20)
        elif fault != REFUSES:
            self.wait_held([case])

        if not (phase == ASKED and fault == REFUSES):
            self.strike(fault, [verb])
        held.release()
        if fault == SLOW and phase == IN_HOOK:
            self.wait_held([case])
        if fault == STARVED:
            self.nobody_else_is_accepted()

        # What only takes long ends before kubelet is answered, everything else after it.
        if fault in (STOPPED, SLOW):
            self.mend(fault, [verb])
        elif fault == STARVED:
            runtime.tell(hold=[])
        case.note_answer()
        case.sent = self.count(case)
        case.asked = self.asked(case, hook)
        if fault == HUNG and call != STOP:
            # The same deadline passes here, maybe a moment later.
            self.front.wait_log("runtime refused the changed resources", since)
        if fault not in (STOPPED, SLOW):
            self.mend(fault, [verb])
        plugin.on(hook, echo())
        self.go_on(case, fault, phase, since)
        return case

    def go_on(self, case, fault, phase, since):
        """What has become of the container; then kubelet goes on, and the next hook must be told everything."""
        _, _, end = EXPECTED[case.call][fault][phase]
        if end == ENDED:
            complete(self.plugin.take("PostStopContainer").request, case.marked, case.container)
        if end in (LEFT, UNSURE):
            self.front.wait_log("could not be stopped", since)
        case.end = self.end(case, since)
        shares = 100 if case.call == STOP or fault == REFUSES else 77
        if case.call != STOP and phase == IN_HOOK and fault == KILLED:
            shares = 100  # what never came into force is not remembered
        if case.call != STOP and phase == IN_HOOK and fault == HUNG:
            # What it had not read it may do now or never, in its own time.
            update = cri.UpdateContainerResourcesRequest(container_id=case.container)
            update.linux.cpu_shares = 77
            self.again(case, "UpdateContainerResources", update)
        told, there = self.told_and_in_force(case, case.container)
        if not told == there == shares:
            case.wrong.append(f"{shares} shares: the plugin is told {told}, in force are {there}")
        case.started = self.starts(case)
        if end == CREATED:
            self.kubelet.start_container(case.container)
            case.started = self.starts(case) - 1
        self.kubelet.stop_container(case.container)
        case.told = self.asked(case, "PostStopContainer")
        # After everything, so that nothing is too late to be counted.
        case.sent_later = self.count(case) - case.repeated
        stops = self.runtime.calls("StopContainer")
        case.stops = sum(request.container_id == case.container and request.timeout == GRACE for request in stops)

    def end(self, case, since):
        """What has become of the container, seen from outside."""
        is_logged = any("could not be stopped" in line for line in self.front.lines[since:])
        state = self.runtime.state()[1][case.container]["state"]
        if self.asked(case, "PostStopContainer"):
            return ENDED if state == 2 and not is_logged else "PostStopContainer is told although it failed"
        return {(0, False): CREATED, (1, False): RUNS, (1, True): LEFT, (2, True): UNSURE}.get((state, is_logged))

    def starts(self, case):
        return sum(request.container_id == case.container for request in self.runtime.calls("StartContainer"))


@pytest.fixture(scope="module")
def stack():
    with standing(OwnCalls) as stack:
        yield stack


@pytest.mark.parametrize("fault,call,phase", CASES, ids=lambda part: part)
def test_a_fault_of_the_runtime_at_a_call_of_our_own(stack, fault, call, phase):
    case = stack.outcome(fault, call, phase)
    code, sent, end = EXPECTED[call][fault][phase]
    _, hook, _ = CALLS[call]
    assert case.code == code, case
    if code not in ("OK", DEADLINE):
        assert by("p", hook) in case.text, "its failure is the plugin's"
    if code == "RESOURCE_EXHAUSTED":
        assert ERROR[1] in case.text, "the runtime's words are in it"
    assert case.end == end, case
    assert case.sent == sent, "nothing is sent twice"
    assert case.sent_later in (UNREAD[call] if (fault, phase) == (HUNG, IN_HOOK) else {sent}), "nor later"
    assert case.started == (end != CREATED), "nor the start, and never one that kubelet was told has failed"
    # (A runtime that is gone is not sent our stop.)
    assert case.stops == (end in (ENDED, UNSURE) or (call, fault) == (STOP, REFUSES)), "one stop, where there must be one"
    assert case.asked == 1, "nor is a plugin asked twice"
    assert case.told == 1, "the stop is told once: ours, or else kubelet's"
    assert case.wrong == []


def test_after_all_of_that_nothing_is_left_open(stack):
    stack.nothing_is_left_open()
