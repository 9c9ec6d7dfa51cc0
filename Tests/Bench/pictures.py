"""Pictures of what was measured, as SVG."""

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

from report import middle  # noqa: E402

# Text stays text, and the same figures give the same file.
pyplot.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "runtime-manager", "font.size": 9, "font.family": "sans-serif",
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#e6e6e6", "axes.axisbelow": True,
    "figure.constrained_layout.use": True, "axes.titlesize": 10, "axes.titlelocation": "left",
})
OURS, PEER, GOAL = "#1f6feb", "#9aa4b2", "#d1242f"
COLOURS = ["#1f6feb", "#bf8700", "#1a7f37", "#8250df", "#57606a"]


def save(figure, path):
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)


def bars(axes, title, unit, rows, goal=None):
    """One horizontal bar a row of (name, numbers, whether it is ours): the median, a whisker for the spread."""
    rows = [row for row in rows if row[1]]
    if not rows:
        return axes.set_axis_off()
    middles = [middle(numbers) for _, numbers, _ in rows]
    whiskers = [[m - min(numbers) for m, (_, numbers, _) in zip(middles, rows)],
                [max(numbers) - m for m, (_, numbers, _) in zip(middles, rows)]]
    axes.barh([name for name, _, _ in rows], middles, xerr=whiskers, height=0.62,
              color=[OURS if ours else PEER for _, _, ours in rows], error_kw={"elinewidth": 1, "ecolor": "#57606a"})
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_title(title)
    axes.set_xlabel(unit)
    room = max(max(m + w for m, w in zip(middles, whiskers[1])), goal or 0) * 1.22
    axes.set_xlim(min(0, min(m - w for m, w in zip(middles, whiskers[0]))), room)
    for index, (m, above) in enumerate(zip(middles, whiskers[1])):
        axes.text(m + above + room * 0.012, index, f"{m:,.0f}" if m >= 100 else f"{m:,.1f}", va="center", fontsize=8)
    if goal is not None:
        axes.axvline(goal, color=GOAL, linestyle="--", linewidth=1.2)
        axes.text(goal, len(rows) - 0.42, " goal", color=GOAL, fontsize=8, ha="left", va="bottom")


def speed(results, managers, cases, path):
    """The peers side by side. `cases`: the titles of the four kinds of load."""
    one, many, large, hooked = cases
    ours = lambda way: any(way.startswith(name) for name in managers)
    added = lambda case, way: [w - d for w, d in zip(results.series(case, way), results.series(case, "direct"))]
    rows = lambda case, get: [(way, get(way), ours(way)) for way in results.ways(case) if way != "direct"]
    times = lambda numbers, factor: middle(numbers) * factor if numbers else None
    used = lambda way: [cpu for cpu in results.series(many, way, "cpu") if cpu is not None]
    figure, axes = pyplot.subplots(3, 2, figsize=(10, 9))
    bars(axes[0][0], f"{one}: time added to a direct call", "microseconds", rows(one, lambda way: added(one, way)),
         times(added(one, "byte relay"), 1.7))
    bars(axes[0][1], f"{many}: calls a second", "thousands",
         [(way, [rate / 1e3 for rate in results.series(many, way, "rate")], ours(way)) for way in results.ways(many)],
         times(results.series(many, "C-core proxy", "rate"), 3 / 1e3))
    bars(axes[1][0], f"{many}: CPU of the hop", "microseconds a call", rows(many, used), 6.5)
    bars(axes[1][1], "16 MiB answer: time added", "milliseconds",
         rows(large, lambda way: [value / 1e3 for value in added(large, way)]), times(added(large, "byte relay"), 2 / 1e3))
    bars(axes[2][0], "RunPodSandbox of 2 KB, 1 in flight", "microseconds",
         [(way, results.series(hooked, way), ours(way)) for way in results.ways(hooked)])
    bars(axes[2][1], "Peak memory", "MB",
         [(f"{way}\n{when.replace(' containers of', ' c. of')}", [used.peak / 1e6 for used in memory], ours(way))
          for (when, way), memory in results.memory.items() if "16 MiB" not in when and ("RunPod" not in when or ours(way))],
         14)
    axes[2][1].tick_params(axis="y", labelsize=7)
    save(figure, path)


def curves(axes, title, xlabel, ylabel, lines, logarithmic=(True, False)):
    """`lines`: name -> list of (x, numbers); the median, and the spread as a band."""
    for colour, (name, points) in zip(COLOURS, lines.items()):
        at = [x for x, _ in points]
        axes.plot(at, [middle(numbers) for _, numbers in points], marker="o", markersize=3.5, label=name, color=colour)
        axes.fill_between(at, [min(numbers) for _, numbers in points], [max(numbers) for _, numbers in points],
                          alpha=0.15, color=colour, linewidth=0)
    if logarithmic[0]:
        axes.set_xscale("log")
    if logarithmic[1]:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_title(title)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.legend(frameon=False, fontsize=8)
