"""One daemon between a simulated runtime and a kubelet, into which cells of the plugin fault matrix are put.

A group is the cells of one fault, policy and position: one pair of plugins for each hook point, on endpoints and
under names of their own, so that no cell knows of another. PreStartContainer and PostStartContainer belong to one
call; so the latter comes in a second round.
"""

import concurrent.futures
import dataclasses
import itertools
import os
import re
import shutil
import tempfile

import grpc

from Peers.cri import Runtime, container_config, pod_config
from Peers.fake_runtime import FakeRuntime
from Peers.manager import Manager
from Peers.messages import cri
from Peers.recorder import register
from Peers.wait import eventually
from Faults.plugin_faults import FLAPPING, Plugin, listening_as_stranger, marks, request_of
from Faults.plugin_verdicts import (
    GOOD, HOOKS, START, STOPS, TRIPPED, Cell, Verdict, differences, is_late, verdict,
)

#: As root without it: a socket's mode counts.
WITHOUT_OVERRIDE = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
LONG = 60
DEADLINES_TO_TRIP = 5


def rounds(cell):
    """The calls of a cell, one round after the other: how many at once, and what each plugin call then meets."""
    if cell.fault == TRIPPED:
        return [(DEADLINES_TO_TRIP, "reads and never answers"), (1, TRIPPED)]
    if cell.fault != FLAPPING:
        return [(1, cell.fault)]
    bad = (1, "closes the connection")
    # What is owed, or told anew with kubelet's next stop, is the good half at a stop.
    return [bad, bad] if cell.hook in STOPS else [bad, (1, GOOD)] * 2


def timeout_of(fault):
    """Short where nothing but the plugin's own timeout ends the call; else as long as it takes."""
    if fault == "drips one byte a second":
        return "2500ms"  # more than one byte comes
    return "800ms" if is_late(fault) or fault == TRIPPED else "60s"


@dataclasses.dataclass
class Trial:
    """A cell while it is tried."""

    cell: Cell
    faulty: Plugin
    other: Plugin
    faulty_name: str
    other_name: str
    #: The objects, one for each call.
    subjects: list
    #: What did not come as computed: text for people.
    wrong: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Subject:
    config: object
    pod: str = None
    container: str = None


class Arena:
    def __init__(self):
        self.place = tempfile.mkdtemp(prefix="rmf-", dir="/tmp")
        os.makedirs(os.path.join(self.place, "open"))
        os.chmod(self.place, 0o711)
        os.chmod(os.path.join(self.place, "open"), 0o777)  # another user listens in there
        self.runtime = FakeRuntime(os.path.join(self.place, "runtime.sock"))
        self.manager = Manager(self.place, self.runtime.socket, prefix=WITHOUT_OVERRIDE)
        self.kubelet = Runtime(self.manager.listen)
        self.kubelet.call("Status")
        self.manager.wait_log("store rebuilt")
        self.descriptors = self.manager.descriptors()
        self._serial = itertools.count(1)
        self._subjects = []

    # A group

    def run(self, fault, policy, position, hooks=HOOKS):
        """Tries the cells; gives what was wrong, one text each."""
        wrong = []
        early = self.trials(Cell(fault, policy, hook, position) for hook in hooks if hook != START)
        late = self.trials(Cell(fault, policy, hook, position) for hook in hooks if hook == START)
        for trials in (early, late):
            if trials:
                wrong += self._round(trials, policy)
        return wrong

    def trials(self, cells):
        cells = list(cells)
        paths = [os.path.join(self.place, "open", f"{next(self._serial)}") for _ in cells]
        strangers = [None] * len(cells)
        if cells and cells[0].fault == "socket of another user":
            strangers = listening_as_stranger([f"{path}f.sock" for path in paths])
        return [self._trial(*one) for one in zip(cells, paths, strangers)]

    def _trial(self, cell, path, stranger):
        name = f"{os.path.basename(path)}-{cell.hook}"
        faulty, other = ("a", "b") if cell.position == "first" else ("b", "a")
        fault = "reads and never answers" if cell.fault == TRIPPED else cell.fault
        return Trial(
            cell,
            Plugin(f"{path}f.sock", fault, "faulty", stranger),
            Plugin(f"{path}o.sock", who="other"),
            f"{faulty}-{name}-faulty",
            f"{other}-{name}-other",
            [self._subject(cell.hook) for count, _ in rounds(cell) for _ in range(count)],
        )

    def _subject(self, hook_name):
        """What a call of this hook point is about, made while nobody is registered."""
        subject = Subject(pod_config(name=f"pod-{next(self._serial)}", cgroup_parent="/kubepods/pod"))
        if hook_name != "PreRunPodSandbox":
            subject.pod = self.kubelet.run_pod(subject.config)
        if hook_name not in ("PreRunPodSandbox", "PreCreateContainer", "PostStopPodSandbox"):
            subject.container = self.kubelet.create(subject.pod, container_config(cpu_shares=100), subject.config)
        self._subjects.append(subject)
        return subject

    def _round(self, trials, policy):
        self.runtime.forget()
        since = self.manager.log_length()
        self._register(trials, policy, since)
        with concurrent.futures.ThreadPoolExecutor(len(trials)) as pool:
            list(pool.map(self._try, trials))
        for trial in trials:
            self._check_log(trial, since)
        self._unregister(trials)
        return [f"{trial.cell}: {text}" for trial in trials for text in trial.wrong]

    def _register(self, trials, policy, since):
        for trial in trials:
            hook = trial.cell.hook
            register(self.manager.hook_dir, trial.faulty_name, trial.faulty.path, [hook], policy,
                     timeout=timeout_of(trial.cell.fault))
            # It hears of the stop that a failure after the start leads to.
            hooks = [hook, "PostStopContainer"] if hook == START else [hook]
            register(self.manager.hook_dir, trial.other_name, trial.other.path, hooks, "Fail", timeout="60s")
        for trial in trials:
            for name in (trial.faulty_name, trial.other_name):
                self.manager.wait_log(f"plugin {name}: registered", since, LONG)

    def _unregister(self, trials):
        """Takes the plugins away; nothing of them must stay: no call, no descriptor."""
        since = self.manager.log_length()
        for trial in trials:
            for plugin in (trial.faulty, trial.other):
                self._expect(trial, lambda plugin=plugin: plugin.open_streams() == 0, f"a call to {plugin.who} stays open")
        names = [name for trial in trials for name in (trial.faulty_name, trial.other_name)]
        for name in names:
            os.unlink(os.path.join(self.manager.hook_dir, f"{name}.json"))
        for name in names:
            self.manager.wait_log(f"{name}.json: is gone", since, LONG)
        for trial in trials:
            trial.faulty.stop()
            trial.other.stop()
        self._expect(trials[0], lambda: self.manager.descriptors() <= self.descriptors, "file descriptors stay open")
        # The first count may have seen one that was about to be closed.
        self.descriptors = min(self.descriptors, self.manager.descriptors())

    @staticmethod
    def _expect(trial, condition, otherwise):
        try:
            eventually(condition, LONG)
        except AssertionError:
            trial.wrong.append(otherwise)

    def fail_then_heal(self, fault, times, hook="PreRunPodSandbox"):
        """Lets a plugin under Ignore fail so often in a row and then be good; gives what was wrong."""
        (trial,) = self.trials([Cell(fault, "Ignore", hook, "first")])
        self._register([trial], "Ignore", self.manager.log_length())
        for number in range(times + 1):
            if number == times:
                trial.faulty.heal()
            code, text = self._answer(self._begin(hook, self._subject(hook)))
            if code != "OK":
                trial.wrong.append(f"call {number + 1}: {code}: {text}")
        if len(trial.faulty.heard(hook, is_healed=True)) != 1:
            trial.wrong.append(f"it was not asked when it was good after {times} failures")
        self._unregister([trial])
        return [f"{fault}: {text}" for text in trial.wrong]

    # A cell

    def _try(self, trial):
        try:
            rest = iter(trial.subjects)
            for count, effect in rounds(trial.cell):
                subjects = [next(rest) for _ in range(count)]
                self._try_round(trial, subjects, effect)
                if trial.cell.hook in STOPS and trial.cell.fault != TRIPPED:
                    self._try_again(trial, subjects)
            if trial.cell.hook in STOPS and trial.cell.fault == TRIPPED:
                self._try_again(trial, trial.subjects)
        except Exception as error:  # the other cells go on
            trial.wrong.append(f"{type(error).__name__}: {error}")

    def _try_round(self, trial, subjects, effect):
        expected = verdict(trial.cell, effect)
        hook = trial.cell.hook
        before = (len(trial.faulty.heard(hook)), len(trial.other.heard(hook)), len(trial.other.heard("PostStopContainer")))
        calls = [self._begin(hook, subject) for subject in subjects]
        answers = [self._answer(call) for call in calls]
        count = len(subjects)
        # A request that its plugin did not wait for may still be on its way through the plugin.
        self._expect(trial, lambda: len(trial.faulty.heard(hook)) - before[0] >= expected.asked[0] * count, "was not asked")
        asked = len(trial.faulty.heard(hook)) - before[0]
        shown = [marks(request_of(hook, message)) for message in trial.other.heard(hook)[before[1]:]]
        stops = len(trial.other.heard("PostStopContainer")) - before[2] if hook == START else 0
        for subject, (code, text) in zip(subjects, answers):
            verbs, told = self._runtime_heard(hook, subject)
            prefix = f"hook server err: {trial.faulty_name}: {hook}: "
            seen = Verdict(
                code, (text.removeprefix(prefix),) if text else (), verbs, told, asked=asked / count,
                other_asked=len(shown) / count, other_shown=any("faulty" in one for one in shown), stop_told=stops / count,
            )
            if text and not text.startswith(prefix):
                trial.wrong.append(f"the text is {text!r}")
            wrong = differences(expected, seen)
            if wrong:
                trial.wrong.append(f"{', '.join(wrong)}\n    computed {expected}\n    seen     {seen}")

    def _try_again(self, trial, subjects):
        """kubelet's next stops, and what is owed: each plugin hears of the objects well once, and never after that."""
        hook, faulty, other = trial.cell.hook, trial.faulty, trial.other
        has_failed = any(verdict(trial.cell, effect).log for _, effect in rounds(trial.cell))
        heard, others = len(faulty.heard(hook, is_healed=True)), len(other.heard(hook))
        if has_failed:
            faulty.heal()
        for repetition in range(2):
            for subject in subjects:
                answer = self._answer(self._begin(hook, subject))
                if answer != ("OK", ""):
                    trial.wrong.append(f"kubelet's next stop: {answer}")
            if has_failed and repetition == 0:  # owed: in its time; ignored: with kubelet's stop
                self._expect(trial, lambda: len(faulty.heard(hook, is_healed=True)) - heard >= len(subjects),
                             "was never told after it had failed")
        told = len(faulty.heard(hook, is_healed=True)) - heard
        if has_failed and told != len(subjects):
            trial.wrong.append(f"was told {told} times of {len(subjects)} objects after it had failed")
        if not has_failed and len(faulty.heard(hook)) != len(subjects):
            trial.wrong.append("is told of kubelet's next stop although it has answered")
        if len(other.heard(hook)) != others:
            trial.wrong.append("the other plugin is told of kubelet's next stop although it has answered")

    def _begin(self, hook, subject):
        request = {
            "PreRunPodSandbox": lambda: cri.RunPodSandboxRequest(config=subject.config),
            "PreCreateContainer": lambda: cri.CreateContainerRequest(
                pod_sandbox_id=subject.pod, config=container_config(cpu_shares=100), sandbox_config=subject.config
            ),
            "PreStartContainer": lambda: cri.StartContainerRequest(container_id=subject.container),
            START: lambda: cri.StartContainerRequest(container_id=subject.container),
            "PreUpdateContainerResources": lambda: cri.UpdateContainerResourcesRequest(
                container_id=subject.container, linux=cri.LinuxContainerResources(cpu_period=50000)
            ),
            "PostStopContainer": lambda: cri.StopContainerRequest(container_id=subject.container),
            "PostStopPodSandbox": lambda: cri.StopPodSandboxRequest(pod_sandbox_id=subject.pod),
        }[hook]()
        return self.kubelet.begin(type(request).__name__.removesuffix("Request"), request, timeout=2 * LONG)

    @staticmethod
    def _answer(call):
        try:
            call.result()
            return "OK", ""
        except grpc.RpcError as error:
            return error.code().name, error.details()

    def _runtime_heard(self, hook, subject):
        """What the runtime was asked about the object, and whose changes it was told."""
        about = []
        for call in list(self.runtime.calls):
            request = call.request
            container, pod = getattr(request, "container_id", None), getattr(request, "pod_sandbox_id", None)
            name = request.config.metadata.name if call.method == "RunPodSandbox" else None
            if container and container == subject.container or pod and pod == subject.pod or name == subject.config.metadata.name:
                about.append((call.method, request))
        return tuple(method for method, _ in about), frozenset().union(*(marks(request) for _, request in about))

    def _check_log(self, trial, since):
        """Each failure stands in the log once, with what came of it."""
        expected = []
        for count, effect in rounds(trial.cell):
            expected += list(verdict(trial.cell, effect).log) * count
        owed = expected.count("owed")
        start = f"hook server {trial.faulty_name}: {trial.cell.hook}: "
        seen = []

        def words():
            lines = [line for line in self.manager.lines[since:] if start in line]
            seen[:] = ["succeeded" if "the owed call has succeeded" in line else word(line) for line in lines]
            return len(seen) >= len(expected) + owed

        self._expect(trial, words, "something is missing in the log")
        if sorted(seen) != sorted(expected + ["succeeded"] * owed):
            trial.wrong.append(f"the log says {seen}, computed {expected}, each that is owed with its success")

    # The end

    def finish(self):
        """Removes every object and ends the daemon; fails if anything of all that is left."""
        for subject in self._subjects:
            if subject.pod:
                self.kubelet.remove_pod(subject.pod)
        for pod in list(self.runtime.pods):
            self.kubelet.remove_pod(pod)
        since = self.manager.log_length()
        self.runtime.restart()
        counts = self.manager.wait_log("store rebuilt", since, LONG)
        assert "0 pod sandboxes and 0 containers listed, 0 read, 0 removed, 0 gone" in counts, f"records are left: {counts}"
        assert self.manager.process.poll() is None, self.manager.log()
        self.kubelet.close()
        self.manager.terminate()
        assert self.manager.wait_exit(LONG) == 0, self.manager.log()
        assert "still owed" not in self.manager.log()
        assert "its registration is gone" not in self.manager.log()

    def stop(self):
        self.kubelet.close()
        self.manager.stop()
        self.runtime.stop()
        shutil.rmtree(self.place, ignore_errors=True)


def word(line):
    """The `verdict` of a log line."""
    found = re.search(r"verdict=(.*?) \[", line)
    return found.group(1) if found else line
