"""What a soak must show. Values only."""

import dataclasses
import re

from kubelet import middle

#: The share of a soak that is warm-up, and the shares whose medians are compared.
WARM_UP, WINDOW = 0.2, 0.2


@dataclasses.dataclass
class Check:
    text: str
    goal: str
    measured: str
    holds: bool

    def row(self):
        return [self.text, self.goal, self.measured, "holds" if self.holds else "MISSED"]


def windows(rows):
    """The rows after the warm-up that growth is measured between: its first and its last part."""
    warm = rows[int(len(rows) * WARM_UP):]
    share = max(int(len(rows) * WINDOW), 1)
    return warm[:share], warm[-share:]


def growth(rows, column):
    """Median of the last window less median of the first after the warm-up. Medians, because a rebuild of the Store
    needs memory for a moment, which is no growth."""
    first, last = windows(rows)
    return middle([row[column] for row in last]) - middle([row[column] for row in first])


def memory_checks(rows):
    checks = []
    for column, name in (("rss_kib", "resident memory (VmRSS)"), ("anon_kib", "memory not of files (RssAnon)")):
        grown = growth(rows, column)
        checks.append(Check(f"growth of {name} after warm-up", "below 1,024 KiB", f"{grown:+,.0f} KiB", grown < 1024))
    for column, name in (("fds", "open file descriptors"), ("threads", "threads")):
        grown = growth(rows, column)
        checks.append(Check(f"growth of {name} after warm-up", "none", f"{grown:+,.0f}", grown <= 0))
    return checks


def call_checks(ledger, excused, runtime, direct):
    """Every call was answered, and the runtime saw each once. `runtime`: its own counts; `direct`: what was asked of it
    past RuntimeManager."""
    bad = [call for call in ledger.failed if not excused(call)]
    shown = ", ".join(sorted({f"{call.method} {call.code.name}" for call in bad}))
    checks = [Check("failed calls outside of runtime restarts", "0", f"{len(bad)} {shown}".strip(), not bad)]
    wrong = []
    for method, answered in sorted(ledger.answered.items()):
        seen = runtime["calls"].get(method, 0) - direct.get(method, 0)
        if not answered <= seen <= ledger.attempts[method]:
            wrong.append(f"{method}: {answered} answered, {seen} seen")
    kinds = ("RunPodSandbox CreateContainer StartContainer UpdateContainerResources StopContainer RemoveContainer "
             "StopPodSandbox RemovePodSandbox ExecSync")
    lost = [kind for kind in kinds.split() if not ledger.answered[kind]]
    checks.append(Check("methods whose calls the runtime saw more or less often than they were made", "0",
                        "; ".join(wrong + lost) or "0", not wrong and not lost))
    return checks


def list_checks(rebuilds):
    """RuntimeManager reads its own lists when the runtime is back, which the counts of the two list calls contain."""
    return {"ListPodSandbox": rebuilds, "ListContainers": rebuilds}


def stops(kubelet):
    """How often each PostStop hook must be told: once for each object that was stopped."""
    return {"PostStopContainer": len(kubelet.stopped_containers), "PostStopPodSandbox": len(kubelet.stopped_pods)}


def hook_checks(ledger, kubelet, plugin):
    """The plugin that never restarts was asked for every call, and told of everything that stopped once."""
    asked = lambda hook: plugin["calls"].get(f"{hook}Hook", 0)
    wrong = []
    for hook, method in (("PreRunPodSandbox", "RunPodSandbox"), ("PreCreateContainer", "CreateContainer"),
                         ("PreStartContainer", "StartContainer"), ("PreUpdateContainerResources", "UpdateContainerResources")):
        if not ledger.answered[method] <= asked(hook) <= ledger.attempts[method]:
            wrong.append(f"{hook}: {asked(hook)} for {ledger.answered[method]} calls")
    for hook, wanted in {"PostStartContainer": ledger.answered["StartContainer"], **stops(kubelet)}.items():
        if asked(hook) != wanted:
            wrong.append(f"{hook}: {asked(hook)} for {wanted}")
    text = "hook points of the plugin that stays up whose count is not the calls'"
    return [Check(text, "0", "; ".join(wrong) or "0", not wrong)]


def metric(metrics, series):
    """A sample of RuntimeManager's own metrics; one that was never counted is 0."""
    found = re.search(rf"^runtime_manager_{re.escape(series)} (\S+)$", metrics, re.M)
    return int(float(found[1])) if found else 0


def owed_checks(metrics, kubelet):
    """The plugin that is owed its PostStop hooks has answered each of them once, and nothing was given up. RuntimeManager's
    word: a plugin that is killed takes its own counts along."""
    wrong, failed = [], 0
    for hook, wanted in stops(kubelet).items():
        answered, dropped, owed = (
            metric(metrics, f'hook_calls_total{{plugin="owed-stops",hook_point="{hook}",outcome="{outcome}"}}')
            for outcome in ("answered", "dropped", "owed"))
        failed += owed
        if answered != wanted or dropped:
            wrong.append(f"{hook}: {answered} for {wanted}, {dropped} given up")
    if still := metric(metrics, "owed_calls"):
        wrong.append(f"{still} still owed")
    text = "PostStop hook points of the plugin that is owed them whose answers are not the stops'"
    return [Check(text, "0", f"{'; '.join(wrong) or '0'} ({failed} failed attempts)", not wrong)]


def event_checks(told, received, restarts):
    """An event that is told while the stream is being opened again is lost, as without RuntimeManager."""
    return [Check("events lost on the stream, beyond one a runtime restart", "0",
                  f"{max(told - received - restarts, 0)} ({told} told, {received} received)",
                  told - restarts <= received <= told)]


def load_checks(crashed, planned, done):
    """The load itself has done all that was planned: one that stands still finds no fault."""
    return [Check("faults of the load itself", "0", "; ".join(crashed) or "0", not crashed),
            Check("planned restarts that did not happen", "0", f"{planned - done} of {planned}", planned == done)]


REBUILT = re.compile(r"store rebuilt .*: (\d+) pod sandboxes and (\d+) containers listed, (\d+) read, (\d+) removed, "
                     r"(\d+) gone meanwhile, (\d+) failed")


def store_checks(log, pods, containers):
    """After the last pod has gone the runtime restarts once more: the rebuild finds a Store that is right already."""
    last = [tuple(map(int, found.groups())) for found in REBUILT.finditer(log)][-1]
    listed, read, removed, failed = last[:2], last[2], last[3], last[5]
    right = listed == (pods, containers) and read == removed == failed == 0
    return [Check("records that the Store has too many or too few at the end", "0",
                  f"{read + removed + failed} (the runtime lists {listed[0]} pods, {listed[1]:,} containers)", right)]
