"""The fault matrix as the tables of docs/proof/faults-plugins.md, from the function that computes the verdicts.

    cd Tests && /usr/bin/python3 -m Faults.plugin_table
"""

from Faults.plugin_verdicts import CODES, FAULTS, GOOD, HOOKS, TRIPPED, Cell, verdict

PRE, STOP = "PreCreateContainer", "PostStopContainer"
WORDS = {0: "never", 1: "once", 2: "twice"}


def heard(asked):
    low, high = asked
    return WORDS[low] if low == high else f"{WORDS[low]} to {WORDS[high]}"


def row(name, fault):
    """What one fault comes to, wherever it happens."""
    strict = verdict(Cell(fault, "Fail", PRE, "first"), fault)
    stop = verdict(Cell(fault, "Fail", STOP, "first"), fault)
    lax = verdict(Cell(fault, "Ignore", PRE, "first"), fault)
    text = " or ".join(f"`{text.strip()}`" for text in strict.texts) or "none"
    return (
        name, strict.code if name == fault or strict.code == "FAILED_PRECONDITION" else "the same", text,
        "owed" if stop.owed else "no failure",
        {(): "no failure", ("ignored",): "as if it had said nothing", ("change dropped",): "that change is dropped"}[lax.log],
        heard(strict.asked),
    )


def faults():
    """One row for each fault; the gRPC codes in two."""
    codes = {name: verdict(Cell(f"code {name}", "Fail", PRE, "first"), f"code {name}").code for name in CODES.values()}
    table = [row(fault, fault) for fault in FAULTS if not fault.startswith("code ")]
    for is_same in (True, False):
        names = [name for name, code in codes.items() if (name == code) == is_same]
        _, code, _, *rest = row("code", f"code {names[0]}")
        table.append(("code " + ", ".join(names), "the same" if is_same else "FAILED_PRECONDITION", "`<code>: <text>`", *rest))
    table.append(row(TRIPPED, TRIPPED))
    return markdown(
        ("what the plugin does", "Fail: kubelet's code", "its text begins", "Fail at PostStop*", "Ignore", "it hears the request"),
        table,
    )


def places():
    """What follows from a failure that nothing comes of, by hook point."""
    table = []
    for hook in HOOKS:
        cells = []
        for policy, position in (("Fail", "first"), ("Fail", "second"), ("Ignore", "first")):
            seen = verdict(Cell("no message", policy, hook, position), "no message")
            words = [", ".join(seen.runtime) or "nothing", "asked" if seen.other_asked else "not asked"]
            if seen.stop_told:
                words[1] += ", then told of the stop"
            cells.append(f"{words[0]}; other {words[1]}")
        good = verdict(Cell(GOOD, "Fail", hook, "first"), GOOD)
        table.append((hook, *cells, ", ".join(good.runtime)))
    return markdown(
        ("hook point", "Fail, first of two", "Fail, second of two", "Ignore", "without a fault"), table
    )


def markdown(head, rows):
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


if __name__ == "__main__":
    print(faults(), places(), sep="\n\n")
