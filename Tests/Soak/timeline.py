"""A soak as a picture: memory, descriptors and latency over time, restarts as lines."""

from matplotlib.ticker import FuncFormatter

from pictures import GOAL, OURS, PEER, pyplot, save
from verdict import WARM_UP

#: At most this many points a line.
POINTS = 600


def draw(rows, path):
    step = max(len(rows) // POINTS, 1)
    thin = rows[::step]
    minutes = [row["second"] / 60 for row in thin]
    column = lambda name, factor=1.0: [row[name] * factor if row[name] != "" else float("nan") for row in thin]
    figure, (memory, descriptors, latency) = pyplot.subplots(3, 1, figsize=(9, 7.5), sharex=True, height_ratios=(3, 2, 3))
    memory.plot(minutes, column("rss_kib", 1 / 1024), color=OURS, label="resident")
    memory.plot(minutes, column("anon_kib", 1 / 1024), color="#bf8700", label="of it not of files")
    memory.set_title("Memory, MiB")
    descriptors.plot(minutes, column("fds"), color=OURS, label="file descriptors")
    descriptors.plot(minutes, column("threads"), color="#bf8700", label="threads")
    descriptors.set_title("File descriptors and threads")
    latency.plot(minutes, column("probe_p99_us"), color="#c9d7f0", linewidth=0.8, label="probes, p99 of each second")
    latency.plot(minutes, column("probe_median_us"), color=OURS, linewidth=1, label="probes, median")
    latency.plot(minutes, column("direct_median_us"), color=PEER, linewidth=1, label="probes past RuntimeManager, median")
    latency.set_yscale("log")
    latency.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    latency.set_title("Latency of ExecSync, microseconds")
    latency.set_xlabel("minutes (grey: warm-up; red: the runtime restarts; dotted: a plugin restarts)")
    for axes in (memory, descriptors):
        axes.set_ylim(bottom=0)
    for axes in (memory, descriptors, latency):
        axes.axvspan(0, rows[-1]["second"] / 60 * WARM_UP, color="#f2f3f5", zorder=0)
        axes.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.98), ncols=3)
        for row in rows:
            if "runtime" in row["restarted"]:
                axes.axvline(row["second"] / 60, color=GOAL, linewidth=0.7, alpha=0.6)
            elif "plugin" in row["restarted"]:
                axes.axvline(row["second"] / 60, color="#57606a", linewidth=0.6, linestyle=":")
    save(figure, path)
