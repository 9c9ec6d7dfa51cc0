"""The goals of issues 2 and 3: ratios, computed round by round, judged by their median."""

import dataclasses
import math

from report import middle, spread
from sections import AFTER_SMALL, HOOKED, LARGE_CASE, MANY, ONE, REACTION

MB = 1e6


@dataclasses.dataclass
class Goal:
    text: str
    measured: list
    limit: float
    #: Whether the limit is the least that is wanted, not the most.
    at_least: bool = False
    digits: int = 2

    def holds(self):
        return middle(self.measured) >= self.limit if self.at_least else middle(self.measured) <= self.limit

    def row(self):
        limit = f"{'at least' if self.at_least else 'at most'} {self.limit:,.{self.digits}f}"
        told = list(filter(math.isfinite, self.measured))
        rounds = f" ({len(told)} of {len(self.measured)} rounds)" if len(told) < len(self.measured) else ""
        return [self.text, limit, f"{middle(self.measured):,.{self.digits}f}", spread(told, self.digits) + rounds,
                "holds" if self.holds() else "MISSED"]


def added(results, case, way, floor="direct"):
    return [w - d for w, d in zip(results.series(case, way), results.series(case, floor))]


def added_ratio(results, case, way, peer, floor="direct", peer_floor="direct"):
    """What `way` adds in times of what `peer` adds, round by round. Where `peer` adds less than a tenth of a direct call
    nothing can be told: infinite, so that the round counts against the goal and is no part of the spread."""
    rounds = zip(added(results, case, way, floor), added(results, case, peer, peer_floor), results.series(case, peer_floor))
    return [ours / theirs if theirs >= direct / 10 else math.inf for ours, theirs, direct in rounds]


def goals(results, manager):
    """The goals that this run measured for this build."""
    series, found = results.series, []

    def goal(text, measured, limit, **more):
        if measured:
            found.append(Goal(text, measured, limit, **more))

    over = lambda case, peer: added_ratio(results, case, manager, peer)
    goal("1 in flight: adds, in times of what the byte relay adds", over(ONE, "byte relay"), 1.7)
    goal("32 in flight: calls/s, in times of the C-core proxy's",
         [ours / theirs for ours, theirs in zip(series(MANY, manager, "rate"), series(MANY, "C-core proxy", "rate"))], 3,
         at_least=True)
    goal("16 MiB: adds, in times of what the byte relay adds", over(LARGE_CASE, "byte relay"), 2)
    relayed = f"{manager}, relayed (Status)"
    goal("intercepted, no plugin: adds, in times of pass-through (1.10 is taken as equal)",
         added_ratio(results, HOOKED, f"{manager}, no plugin", relayed, peer_floor="direct, Status"), 1.1)
    one, plugin = series(HOOKED, f"{manager}, 1 plugin"), series(HOOKED, "a plugin, called directly")
    plain = series(HOOKED, relayed)
    goal("one plugin: adds to pass-through, without the plugin's own round trip, us",
         [o - p - q for o, p, q in zip(one, plain, plugin)], 40, digits=1)
    goal("peak memory after the 100 B load, Store empty, MB",
         [used.peak / MB for used in results.memory.get((AFTER_SMALL, manager), [])], 14, digits=1)
    for what, records in results.records_of(manager):
        goal(f"record of a {what}: costs, in times of 1.3 x its serialized size + 1 KB",
             [record.cost / record.limit for record in records], 1)
    goal("1 in flight: adds, in times of what socat adds (issue 2)", over(ONE, "socat"), 2.2)
    goal("32 in flight: CPU us a call (issue 2)", series(MANY, manager, "cpu"), 6.5)
    goal("one plugin: in times of two relayed calls and the plugin's own time (issue 2)",
         [o / (2 * p + q) for o, p, q in zip(one, plain, plugin)], 1)
    goal("a registration file is in force after, ms (issue 2)", results.figures.get((REACTION, manager), []), 100, digits=1)
    return found


def goals_table(found, manager):
    return [[f"{manager}: goals", "goal", "measured", "min..max", "verdict"]] + [goal.row() for goal in found]


def verdict(found):
    """All of them in a line."""
    missed = [goal.text for goal in found if not goal.holds()]
    return f"{len(found) - len(missed)} goals hold, {len(missed)} missed" + (f": {'; '.join(missed)}" if missed else "")
