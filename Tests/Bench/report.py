"""What the results say, as tables: for a terminal, as markdown, in a document. Nothing here measures."""

import os
import shlex
import statistics
import sys

from processes import ROOT, read, stop

#: Between these two lines of a document stand the figures of the last run.
MARK = "<!-- bench: {} -->"


def middle(numbers):
    return statistics.median(numbers)


def spread(numbers, digits=0):
    return f"{min(numbers):,.{digits}f}..{max(numbers):,.{digits}f}" if numbers else ""


def with_spread(numbers, digits=2):
    return f"{middle(numbers):,.{digits}f} ({spread(numbers, digits)})" if numbers else ""


def optional(numbers, digits):
    numbers = [number for number in numbers if number is not None]
    return with_spread(numbers, digits) if numbers else "-"


COLUMNS = ["median us", "min..max", "added us", "p99 us", "calls/s", "CPU us/call", "switches/call"]


def case_table(results, case):
    """One row a way. Each figure is the median of the rounds, p99 too: the median of the rounds' p99."""
    rows = [[case, *COLUMNS]]
    direct = results.series(case, "direct")
    for way in results.ways(case):
        get = lambda what: results.series(case, way, what)
        added = [m - d for m, d in zip(get("median"), direct)] if way != "direct" and direct else []
        rows.append([way, f"{middle(get('median')):,.1f}", spread(get("median"), 0), f"{middle(added):,.1f}" if added else "-",
                     f"{middle(get('p99')):,.0f}", with_spread(get("rate"), 0),
                     optional(get("cpu"), 2), optional(get("switches"), 2)])
    return rows


def memory_table(results):
    """Medians of the samples; as a rule there is one, at the end of the rounds."""
    rows = [["memory, MB", "", "samples", "peak", "now", "its own", "mapped files", "threads"]]
    for (when, way), memory in results.memory.items():
        get = lambda name: middle([getattr(used, name) for used in memory])
        megabytes = [f"{get(name) / 1e6:.1f}" for name in ("peak", "all", "own", "files")]
        rows.append([way, when, str(len(memory)), *megabytes, f"{get('threads'):g}"])
    return rows


def record_table(results):
    rows = [["a record of the Store, bytes", "", "serialized", "costs", "may cost"]]
    for (what, way), records in results.records.items():
        get = lambda name: [getattr(record, name) for record in records]
        rows.append([way, what, f"{middle(get('serialized')):,.0f}", with_spread(get("cost"), 0),
                     f"{middle(get('limit')):,.0f}"])
    return rows


def versus_table(results, first, second):
    """The second build beside the first: the ratio of each round."""
    rows = [[f"{second} / {first}", "latency", "calls/s", "CPU/call", "switches/call"]]
    for case in results.cases():
        for way in results.ways(case):
            if not way.startswith(first):
                continue
            other = second + way[len(first):]
            row = [f"{case}{way[len(first):]}"]
            for what in ("median", "rate", "cpu", "switches"):
                both = zip(results.series(case, way, what), results.series(case, other, what))
                row.append(optional([after / before if before else None for before, after in both], 3))
            rows.append(row)
    return rows


def shown(rows, stream):
    """Writes a table for a terminal: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for index, row in enumerate(rows):
        print("  ".join(cell.ljust(width) if column == 0 or not cell and index else cell.rjust(width)
                        for column, (cell, width) in enumerate(zip(row, widths))).rstrip(), file=stream)
        if index == 0:
            print("  ".join("─" * width for width in widths), file=stream)
    print(file=stream)


def markdown(rows, stream):
    print("| " + " | ".join(rows[0]) + " |", file=stream)
    print("|---" + "|---:" * (len(rows[0]) - 1) + "|", file=stream)
    for row in rows[1:]:
        print("| " + " | ".join(row) + " |", file=stream)
    print(file=stream)


#: Flags that say where programs and results are, and not what is measured.
ELSEWHERE = {"binaries", "manager", "no_build", "out", "markdown"}


def command(parser, arguments, program=sys.argv[0]):
    """The command that measures the same again: the flags that are not what they are anyway."""
    words = [os.path.relpath(os.path.abspath(program), ROOT)]
    for name, value in vars(arguments).items():
        if name in ELSEWHERE or value == parser.get_default(name):
            continue
        for one in value if isinstance(value, list) else [value]:
            words.append("--" + name.replace("_", "-"))
            if one is not True:
                words.append(os.path.relpath(one, ROOT) if name == "document" else str(one))
    return shlex.join(words)


def put_into(document, made_by, text):
    """Replaces what stands between the marks, by the command that made it and `text`."""
    begin, end = MARK.format("begin"), MARK.format("end")
    before, _, rest = read(document).partition(begin)
    if end not in rest:
        stop(f"{document} lacks {begin} and {end}")
    with open(document, "w") as file:
        file.write(f"{before}{begin}\n\nMade by `{made_by}`.\n\n{text}{end}{rest.partition(end)[2]}")
