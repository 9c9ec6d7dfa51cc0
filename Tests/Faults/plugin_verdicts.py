"""What a plugin's failure means, computed from the documents and from nothing else.

The rows come from README.md, "When a plugin fails" and "Deadlines, retry, breaker" (and design, "Failure"); which
plugins are asked and when from "Hook points". Pure: no socket, no clock, nothing of the program under test.
"""

import dataclasses

PRE = ("PreRunPodSandbox", "PreCreateContainer", "PreStartContainer", "PreUpdateContainerResources")
STOPS = ("PostStopPodSandbox", "PostStopContainer")
START = "PostStartContainer"
HOOKS = PRE + (START,) + STOPS
POLICIES = ("Fail", "Ignore")
POSITIONS = ("first", "second")

#: The hook points at which a plugin's resources are brought to the runtime by an update of RuntimeManager's own.
UPDATED = ("PreStartContainer", START)

VERB = {
    "PreRunPodSandbox": "RunPodSandbox",
    "PreCreateContainer": "CreateContainer",
    "PreStartContainer": "StartContainer",
    START: "StartContainer",
    "PreUpdateContainerResources": "UpdateContainerResources",
    "PostStopContainer": "StopContainer",
    "PostStopPodSandbox": "StopPodSandbox",
}

#: gRPC's status codes (the gRPC protocol, "Status codes"), without OK.
CODES = {
    1: "CANCELLED", 2: "UNKNOWN", 3: "INVALID_ARGUMENT", 4: "DEADLINE_EXCEEDED", 5: "NOT_FOUND", 6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED", 8: "RESOURCE_EXHAUSTED", 9: "FAILED_PRECONDITION", 10: "ABORTED", 11: "OUT_OF_RANGE",
    12: "UNIMPLEMENTED", 13: "INTERNAL", 14: "UNAVAILABLE", 15: "DATA_LOSS", 16: "UNAUTHENTICATED",
}
#: "kubelet reads meaning into them".
READ_BY_KUBELET = ("OK", "CANCELLED", "NOT_FOUND", "UNIMPLEMENTED", "ALREADY_EXISTS")


@dataclasses.dataclass(frozen=True)
class Failure:
    """One row of the table of causes."""

    code: str
    #: How the cause may begin.
    texts: tuple
    #: How often the plugin hears the request, at least and at most: nothing is repeated, except once what provably
    #: was not processed.
    asked: tuple = (1, 1)
    #: It lies in what the answer says; where that is not read, it is no failure.
    is_content: bool = False
    #: It costs only the change in question under Ignore, not the whole answer.
    is_one_change: bool = False


@dataclasses.dataclass(frozen=True)
class Answer:
    """No failure; whether the answer wants a change, and of what kind: "resources" as far as the hook point has
    them, or "annotations" (labels of a pod)."""

    change: str = None
    asked: tuple = (1, 1)


UNREACHABLE = Failure("UNAVAILABLE", ("socket unavailable: ",), asked=(0, 0))
BROKEN = Failure("UNAVAILABLE", ("connection broken: ",))
#: It breaks before it is known whether anything was asked.
BROKEN_AT_ONCE = Failure("UNAVAILABLE", ("connection broken: ", "socket unavailable: "), asked=(0, 2))
LATE = Failure("DEADLINE_EXCEEDED", ("deadline of ",))
BAD = Failure("INTERNAL", ("bad answer: ",))

GOOD = "answers as it should"
TRIPPED = "is tripped"

FAULTS = {
    "socket absent": UNREACHABLE,
    "socket refused": UNREACHABLE,
    "socket not permitted": UNREACHABLE,
    "socket of another user": Failure("FAILED_PRECONDITION", ("socket belongs to uid ",), asked=(0, 0)),
    "accepts and is silent": dataclasses.replace(LATE, asked=(0, 0)),  # it does not even read
    "reads and never answers": LATE,
    "drips one byte a second": LATE,
    "stops in mid-answer": LATE,
    "closes in mid-answer": BROKEN,
    "closes the connection": BROKEN,
    "hangs up at once": BROKEN_AT_ONCE,
    "resets the stream": BROKEN,
    "refuses the stream": dataclasses.replace(BROKEN, asked=(2, 2)),
    "GOAWAY at once": dataclasses.replace(BROKEN, asked=(0, 2)),
    "garbage frames": BROKEN,
    "garbage at once": BROKEN_AT_ONCE,
    "is no gRPC server": BROKEN,
    "answers without a status": BROKEN,
    "16 MiB answer": BAD,
    "no message": BAD,
    "two messages": BAD,
    "compressed answer": BAD,
    "undecodable message": Failure("INTERNAL", ("answer cannot be decoded",), is_content=True),
    "message of the other kind": Answer(change="annotations"),
    "empty message": Answer(),
    "forbidden change": Failure(
        "FAILED_PRECONDITION", ("forbidden change of ",), is_content=True, is_one_change=True
    ),
    **{
        f"code {name}": Failure("FAILED_PRECONDITION" if name in READ_BY_KUBELET else name, (f"{name}: because",))
        for name in CODES.values()
    },
}

#: What one call of a row meets. Rows of several calls: the fault of each, one after the other.
EFFECTS = {
    **FAULTS,
    GOOD: Answer(change="resources"),
    TRIPPED: Failure("UNAVAILABLE", ("not asked, because its last calls ran into their deadlines",), asked=(0, 0)),
}


def is_late(fault):
    """Whether nothing but the plugin's own timeout ends a call with this fault."""
    return getattr(FAULTS.get(fault), "texts", None) == LATE.texts


@dataclasses.dataclass(frozen=True)
class Cell:
    fault: str
    policy: str
    hook: str
    #: Of the plugin at fault, among the two, by name.
    position: str

    def __str__(self):
        return f"{self.fault} x {self.policy} x {self.hook} x {self.position} of two"


@dataclasses.dataclass
class Verdict:
    """What one call comes to."""

    #: kubelet's.
    code: str = "OK"
    #: How kubelet's text may begin after "hook server err: <plugin>: <hook point>: "; nothing if it is OK.
    texts: tuple = ()
    #: What the runtime is asked about the object, in order.
    runtime: tuple = ()
    #: Whose changes it is told.
    told: frozenset = frozenset()
    #: How often the plugin at fault hears it, at least and at most.
    asked: tuple = (1, 1)
    #: How often the other plugin is asked, and whether it is shown the change of the one at fault.
    other_asked: int = 1
    other_shown: bool = False
    #: How often the other plugin hears of the container's stop.
    stop_told: int = 0
    #: The words of the log about the plugin at fault.
    log: tuple = ()
    #: The call will be repeated until it succeeds.
    owed: bool = False


def verdict(cell, effect):
    """What a call comes to whose plugin at fault does `effect`, a key of EFFECTS."""
    cause = EFFECTS[effect]
    if isinstance(cause, Failure) and cause.is_content and cell.hook in STOPS:
        cause = Answer(asked=cause.asked)  # "the answer is not read"
    if cell.hook in PRE:
        return _pre(cell, cause)
    return _stop(cell, cause) if cell.hook in STOPS else _post_start(cell, cause)


def _changes(cell, cause):
    """Which plugins' changes the runtime is told if the call goes on. The other one always wants one."""
    own = False
    if isinstance(cause, Answer):
        # Annotations of a started container are remembered and not told to the runtime.
        own = cause.change == "resources" or cause.change == "annotations" and cell.hook not in UPDATED
    elif cause.is_one_change:
        own = True  # what is not forbidden in the same answer counts
    return frozenset({"other", "faulty"} if own else {"other"})


def _verbs(cell, told):
    verb, update = VERB[cell.hook], "UpdateContainerResources"
    if cell.hook == "PreStartContainer" and told:
        return (update, verb)
    return (verb, update) if cell.hook == START and told else (verb,)


def _pre(cell, cause):
    is_failure = isinstance(cause, Failure)
    if is_failure and cell.policy == "Fail":
        return Verdict(
            cause.code, cause.texts, runtime=(), told=frozenset(), asked=cause.asked,
            other_asked=0 if cell.position == "first" else 1, log=("refused",),
        )
    told = _changes(cell, cause)
    # Each sees what the earlier ones changed.
    wants = not is_failure and cause.change or is_failure and cause.is_one_change
    return Verdict(
        runtime=_verbs(cell, told), told=told, asked=cause.asked,
        other_shown=bool(wants) and cell.position == "first", log=_ignored(cause) if is_failure else (),
    )


def _post_start(cell, cause):
    is_failure = isinstance(cause, Failure)
    if is_failure and cell.policy == "Fail":
        return Verdict(
            cause.code, cause.texts, runtime=("StartContainer", "StopContainer"), told=frozenset(), asked=cause.asked,
            stop_told=1, log=("refused",),
        )
    told = _changes(cell, cause)
    return Verdict(
        runtime=_verbs(cell, told), told=told, asked=cause.asked, log=_ignored(cause) if is_failure else ()
    )


def _stop(cell, cause):
    is_failure = isinstance(cause, Failure)
    owed = is_failure and cell.policy == "Fail"
    log = ("owed",) if owed else ("ignored",) if is_failure else ()
    return Verdict(runtime=(VERB[cell.hook],), asked=cause.asked, log=log, owed=owed)


def _ignored(cause):
    return ("change dropped",) if cause.is_one_change else ("ignored",)


def differences(expected, seen):
    """Which fields of a verdict did not come. `seen` is a Verdict whose `texts` is the one text and `asked` one number;
    its `log` and `owed` do not count, they show only when all of a cell is over."""
    names = ("code", "runtime", "told", "other_asked", "other_shown", "stop_told")
    wrong = [name for name in names if getattr(expected, name) != getattr(seen, name)]
    if bool(expected.texts) != bool(seen.texts) or expected.texts and not seen.texts[0].startswith(expected.texts):
        wrong.append("texts")
    if not expected.asked[0] <= seen.asked <= expected.asked[1]:
        wrong.append("asked")
    return wrong
