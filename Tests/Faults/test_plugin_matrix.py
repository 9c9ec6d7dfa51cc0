"""The plugin fault matrix: {what a plugin does wrong} x {Fail, Ignore} x {7 hook points} x {first, second of two}.

What each cell must come to is computed by `plugin_verdicts` from the documents; what it came to is seen by `plugin_arena`.
Several daemons try the cells at once; a test waits for its own. See docs/proof/faults-plugins.md.
"""

import concurrent.futures
import os
import queue

import pytest

from Documentation.readme import ROOT, code, rows
from Faults import plugin_table
from Faults.plugin_arena import Arena
from Faults.plugin_faults import FLAPPING, SPOKEN, UNSPOKEN
from Faults.plugin_verdicts import EFFECTS, FAULTS, GOOD, HOOKS, POLICIES, POSITIONS, TRIPPED, Failure, is_late

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="skipped: needs root to listen as somebody else and to leave its privileges"
)
ROWS = [*FAULTS, FLAPPING, TRIPPED]
CELLS = len(ROWS) * len(POLICIES) * len(HOOKS) * len(POSITIONS)
ARENAS = 6


class Matrix:
    """Tries these groups, (fault, policy, position) each, on a few daemons at once."""

    def __init__(self, groups):
        self.arenas = [Arena() for _ in range(min(ARENAS, max(1, len(groups))))]
        self._free = queue.SimpleQueue()
        for arena in self.arenas:
            self._free.put(arena)
        self._pool = concurrent.futures.ThreadPoolExecutor(len(self.arenas))
        self.results = {group: self._pool.submit(self._run, *group) for group in groups}

    def _run(self, *group):
        arena = self._free.get()
        try:
            return arena.run(*group)
        except BaseException:  # what it leaves behind must not reach the next group
            arena.stop()
            arena = Arena()
            self.arenas.append(arena)
            raise
        finally:
            self._free.put(arena)

    def stop(self):
        self._pool.shutdown(cancel_futures=True)
        for arena in self.arenas:
            arena.stop()


@pytest.fixture(scope="module")
def matrix(request):
    """Tries what the selected tests ask for, from the first one on."""
    asked = [item.callspec.params for item in request.session.items if getattr(item, "originalname", "") == ROW_TEST]
    matrix = Matrix([(row["fault"], row["policy"], position) for row in asked for position in POSITIONS])
    yield matrix
    matrix.stop()


@pytest.mark.timeout(500)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("fault", ROWS)
def test_a_fault_comes_to_what_the_documents_say(matrix, fault, policy):
    wrong = [text for position in POSITIONS for text in matrix.results[fault, policy, position].result()]
    assert not wrong, "cells that came to something else:\n" + "\n".join(wrong)


ROW_TEST = test_a_fault_comes_to_what_the_documents_say.__name__


@pytest.mark.timeout(500)
def test_no_fault_costs_the_daemon_anything(matrix):
    """After all cells: it is alive, has no record of what was removed, owes nothing and ends in order."""
    concurrent.futures.wait(matrix.results.values())
    for arena in matrix.arenas:
        arena.finish()


def test_nothing_but_a_plugins_own_deadlines_trips_the_breaker():
    """Six failures of any other kind in a row, and the plugin is asked a seventh time."""
    arena = Arena()
    try:
        faults = [fault for fault, cause in FAULTS.items() if isinstance(cause, Failure) and not is_late(fault)]
        wrong = [text for fault in faults for text in arena.fail_then_heal(fault, times=6)]
        assert not wrong, "\n".join(wrong)
        arena.finish()
    finally:
        arena.stop()


# The matrix itself


def test_every_row_has_a_fault_and_a_verdict():
    assert set(FAULTS) == (set(SPOKEN) | UNSPOKEN) - {GOOD}
    assert CELLS >= 700


def test_the_tables_of_the_results_are_those_of_the_reference():
    page = (ROOT / "docs" / "proof" / "faults-plugins.md").read_text()
    for table in (plugin_table.faults(), plugin_table.places()):
        assert table in page, f"docs/proof/faults-plugins.md lacks this table:\n{table}"
    assert f"{CELLS:,} cells" in page


def readme_causes():
    """README's table of causes: the beginning of each text, and the status beside it."""
    table = rows(["cause, as in status and log", "status"])
    return {code(cause)[0].split("…")[0].split("<")[0]: status for cause, status in table}


def test_every_verdict_stands_in_the_readme():
    """The reference says what README says: its texts and its codes."""
    causes = readme_causes()
    assert len(causes) > 10
    for fault, cause in EFFECTS.items():
        if not isinstance(cause, Failure) or fault.startswith("code "):
            continue
        for text in cause.texts:
            found = [status for start, status in causes.items() if start.startswith(text) or start and text.startswith(start)]
            assert found and all(status.startswith(cause.code) for status in found), (fault, text, found)
    own = causes[""]
    for name in ("OK", "CANCELLED", "NOT_FOUND", "UNIMPLEMENTED", "ALREADY_EXISTS"):
        assert name in own, "the plugin's own code"
