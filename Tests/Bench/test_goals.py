"""That goals are judged as docs/proof/speed.md says, from figures that nobody has measured."""

import argparse
import io
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, "..")]

import report  # noqa: E402
from goals import Goal, goals, goals_table, verdict  # noqa: E402
from load import Sample  # noqa: E402
from processes import Memory  # noqa: E402
from sections import AFTER_SMALL, LARGE_CASE, ONE, Results  # noqa: E402

TEXT = "16 MiB: adds, in times of what the byte relay adds"


def measured(case=LARGE_CASE, **ways):
    """Results in which each way took these microseconds, round by round."""
    results = Results()
    for way, rounds in ways.items():
        results.samples[case, way.replace("_", " ")] = [Sample(took, took, 1e6 / took) for took in rounds]
    return results


def only(results):
    [goal] = goals(results, "ours")
    return goal


def test_what_is_added_is_divided_round_by_round_and_judged_by_the_median():
    goal = only(measured(direct=[100, 200, 100], byte_relay=[200, 300, 200], ours=[250, 450, 290]))
    assert goal.measured == [1.5, 2.5, 1.9]
    assert goal.row() == [TEXT, "at most 2.00", "1.90", "1.50..2.50", "holds"]


def test_a_round_in_which_the_peer_added_about_nothing_is_no_part_of_the_spread():
    goal = only(measured(direct=[100, 100, 100], byte_relay=[200, 109, 200], ours=[250, 250, 290]))
    assert goal.row() == [TEXT, "at most 2.00", "1.90", "1.50..1.90 (2 of 3 rounds)", "holds"]


def test_rounds_that_tell_nothing_count_against_the_goal():
    goal = only(measured(direct=[100, 100, 100], byte_relay=[100, 90, 200], ours=[150, 150, 150]))
    assert goal.row() == [TEXT, "at most 2.00", "inf", "0.50..0.50 (1 of 3 rounds)", "MISSED"]


def test_a_goal_without_its_peer_is_not_judged():
    assert goals(measured(case=ONE, direct=[100], ours=[150]), "ours") == []


def test_a_record_may_cost_1_3_times_what_it_serializes_to_and_1_kb():
    results = Results()
    for before, after in (((0, 0), (23_240, 10_000)), ((50_000, 800), (73_260, 10_800))):
        results.add_record("pod, created", "ours", before, after, count=10)
    assert [record.limit for record in results.records["pod, created", "ours"]] == [2324, 2324]
    assert only(results).row()[1:] == ["at most 1.00", "1.00", "1.00..1.00", "MISSED"]
    assert goals(results, "another build") == []


def test_memory_is_the_median_of_its_samples_and_their_number_is_told():
    results = Results()
    for millions in (12, 15, 13):
        results.add_memory(AFTER_SMALL, "ours", Memory(*[part * 1_000_000 for part in (millions, 9, 2, 7)], threads=millions))
    assert only(results).row()[1:] == ["at most 14.0", "13.0", "12.0..15.0", "holds"]
    assert report.memory_table(results)[1] == ["ours", AFTER_SMALL, "3", "13.0", "9.0", "2.0", "7.0", "13"]


def test_calls_a_second_have_a_spread_and_p99_is_the_median_of_the_rounds():
    heading, row = report.case_table(measured(direct=[100, 200, 125]), LARGE_CASE)
    told = dict(zip(heading, row))
    assert (told["calls/s"], told["p99 us"]) == ("8,000 (5,000..10,000)", "125")


def test_the_last_line_names_what_was_missed():
    held, slow, few = Goal("quick", [1], 1), Goal("slow", [3], 2), Goal("few", [3], 4, at_least=True)
    assert verdict([held]) == "1 goals hold, 0 missed"
    assert verdict([held, slow, few]) == "1 goals hold, 2 missed: slow; few"


def test_a_document_says_which_command_made_its_figures(tmp_path):
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--no-pin", action="store_true")
    parser.add_argument("--binaries", default="there")
    parser.add_argument("--document")
    page = os.path.join(report.ROOT, "docs", "page.md")
    arguments = parser.parse_args(["--rounds", "11", "--no-pin", "--binaries", "here", "--calls=100", "--document", page])
    made_by = report.command(parser, arguments, os.path.join(HERE, "run.py"))
    assert made_by == "Tests/Bench/run.py --rounds 11 --no-pin --document docs/page.md"
    document = tmp_path / "page.md"
    document.write_text("Before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n")
    report.put_into(str(document), made_by, "new\n")
    assert document.read_text() == (f"Before\n<!-- bench: begin -->\n\nMade by `{made_by}`.\n\nnew\n"
                                    "<!-- bench: end -->\nafter\n")


def test_the_table_has_a_row_a_goal():
    text = io.StringIO()
    report.markdown(goals_table([Goal("quick", [1], 2)], "ours"), text)
    assert "| quick | at most 2.00 | 1.00 | 1.00..1.00 | holds |" in text.getvalue()
