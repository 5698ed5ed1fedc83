#!/usr/bin/env python3
"""Write report.md and tail.svg from the results that the benchmark programs left in a folder, <program>.json each.

report.py FOLDER COMMAND: COMMAND is shown as the way to repeat them. Run it on the machine that was measured.
"""
import json
import math
import pathlib
import platform
import re
import sys

PROGRAMS = ["record", "cold", "tail", "scale", "flush", "end_to_end"]
OURS = ["statsd", "statsd no label", "prometheus"]
FLOORS = ["empty timing", "none"]
PERCENTILES = [("p50", "p50"), ("p90", "p90"), ("p99", "p99"), ("p99_9", "p99.9"), ("p99_99", "p99.99"),
               ("p99_999", "p99.999"), ("max", "max")]
NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
BUILT_IN = {"repetitions", "repetition_index", "threads", "iterations", "real_time", "cpu_time", "time", "family_index",
            "per_family_instance_index"}


class Result:
    """One benchmark: `words` and `fields` of its name, and `median` and `min` of whatever it reports."""

    def __init__(self, run_name):
        parts = [part for part in run_name.split("/") if part != "manual_time" and not part.startswith("min_time:")]
        pairs = [part.split(":", 1) for part in parts if re.fullmatch(r"\w+:\d+", part)]
        self.words = [part for part in parts if not re.fullmatch(r"\w+:\d+", part)]
        self.fields = {key: int(value) for key, value in pairs if key not in ("iterations", "repeats")}
        self.median, self.min = {}, {}
        self.error = None

    def add(self, entry):
        values = {key: value for key, value in entry.items() if isinstance(value, (int, float))}
        values["time"] = values.get("real_time", 0) * NANOSECONDS[entry.get("time_unit", "ns")]
        if entry.get("error_occurred"):
            self.error = entry.get("error_message", "failed")
        if entry["run_type"] == "iteration":
            self.median = self.min = values
        elif entry["aggregate_name"] in ("median", "min"):
            setattr(self, entry["aggregate_name"], values)

    def cell(self, key="time", show=None):
        """Minimum / median, or one number where there was one repetition."""
        if self.error:
            return self.error
        if key not in self.median:
            return ""
        low, middle = [(show or nanoseconds)(values[key]) for values in (self.min, self.median)]
        return middle if self.min is self.median else f"{low} / {middle}"


def nanoseconds(value):
    if abs(value) < 10:
        return f"{value:.1f}"
    if abs(value) < 10_000:
        return f"{value:,.0f}"
    return f"{value / 1e3:,.0f} µs" if abs(value) < 1e7 else f"{value / 1e6:,.0f} ms"


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def load(folder):
    """The results of each program that ran, by program, and the context of the first."""
    results, context = {}, None
    for program in PROGRAMS:
        try:
            data = json.loads((folder / f"{program}.json").read_text())
        except (OSError, ValueError):
            continue
        context = context or data["context"]
        found = {}
        for entry in data["benchmarks"]:
            found.setdefault(entry["run_name"], Result(entry["run_name"])).add(entry)
        # The order of registration, not of the interleaved run.
        order = {e["run_name"]: (e["family_index"], e["per_family_instance_index"]) for e in data["benchmarks"]}
        results[program] = [found[name] for name in sorted(found, key=order.get)]
    return results, context


def table(head, rows):
    lines = [head, ["---"] + ["--:"] * (len(head) - 1)] + rows
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def grid(results, row, column, corner="", key="time"):
    """A table of cells by what row() and column() say of a result, both in order of first sight."""
    rows = list(dict.fromkeys(map(row, results)))
    columns = list(dict.fromkeys(map(column, results)))
    cells = {(row(r), column(r)): r.cell(key) for r in results}
    body = [[a] + [cells.get((a, b), "") for b in columns] for a in rows]
    return table([corner] + columns, body) if rows else "Not run.\n"


def threads(result):
    return f"threads: {result.fields['threads']}"


def record_section(results):
    of = lambda call: [r for r in results if r.words[0] == call]
    text = ""
    for call in ("success", "failure", "error", "task"):
        shown = [r for r in of(call) if r.fields.get("endpoints", 16) == 16]
        text += f"### {call}, 16 endpoints\n\n" + grid(shown, lambda r: r.words[1], threads) + "\n"
    more = [r for r in of("success") if r.words[1] in ("none", "statsd")]
    with_endpoints = lambda r: f"{r.words[1]}, endpoints: {r.fields['endpoints']}"
    text += "### success, by endpoints\n\n" + grid(more, with_endpoints, threads) + "\n"
    text += "### success, by how the URL is written\n\n" + grid(of("shape"), lambda r: r.words[2], with_endpoints) + "\n"
    return text + "### floors\n\n" + grid(of("floor"), lambda r: r.words[1], threads)


def cold_section(results):
    condition = lambda r: ", ".join([r.words[1], f"endpoints: {r.fields['endpoints']}"] + r.words[3:])
    return "p50 of a success.\n\n" + grid(results, condition, lambda r: r.words[2], "walked between calls", "p50")


def tail_section(results):
    text = ""
    for condition in dict.fromkeys(r.words[1] for r in results):
        rows = []
        for result in (r for r in results if r.words[1] == condition):
            slow = f"{result.median['over_100us']:,.0f} of {result.median['calls'] / 1e6:.3g} M"
            rows.append([result.words[2]] + [result.cell(key) for key, _ in PERCENTILES] + [slow])
        text += f"### {condition}\n\n" + table(["", *[name for _, name in PERCENTILES], "over 100 µs"], rows) + "\n"
    return text + "![percentiles, contended](tail.svg)\n"


def scale_section(results):
    keys = list(dict.fromkeys(key for r in results for key in r.median if key not in BUILT_IN))
    name = lambda r: ", ".join(r.words + [f"{k}: {v}" for k, v in r.fields.items()])
    return table(["", "time", *keys], [[name(r), "" if r.words[0] == "memory" else r.cell()] +
                                       [r.cell(key, number) for key in keys] for r in results])


def flush_section(results):
    of = lambda kind: [r for r in results if r.words[0] == kind]
    turns = of("turn")
    rows = [[number(r.fields["series"]), number(r.fields["changed"]), str(r.fields["recorders"]),
             r.cell("quiet_turn_ns"), r.cell("turn_ns"), r.cell("ns_per_changed_series"),
             r.cell("datagrams", number), r.cell("bursts", number)] for r in turns]
    text = "### a turn\n\n" + table(["series", "changed", "recording threads", "turn, nothing changed", "turn, changed",
                                     "ns per changed series", "datagrams", "bursts"], rows)
    quiet = {r.fields["series"]: r.median for r in turns if r.fields["changed"] == 0 and r.fields["recorders"] == 1}
    if len(quiet) > 1:
        few, many = min(quiet), max(quiet)
        slope = (quiet[many]["quiet_turn_ns"] - quiet[few]["quiet_turn_ns"]) / (many - few)
        text += f"\nAn idle series costs {slope:.1f} ns a turn: the difference of {few:,} and {many:,}, medians.\n"
    for result in of("bare send"):
        text += f"\nThe kernel takes {result.cell('ns_per_datagram')} ns for a datagram sent without this library.\n"
    for result in of("wait"):
        text += f"\nA call of `flush()` takes {result.cell()}, mostly waiting.\n"
    text += "\n### on the wire, for each million deliveries\n\n"
    keys = ["bytes", "datagrams", "left_out"]
    rows = [[r.words[1], number(r.fields["deliveries"])] + [r.cell(f"{key}_per_million", number) for key in keys]
            for r in of("wire")]
    return text + table(["agent", "deliveries in an interval", "bytes", "datagrams", "timings left out"], rows)


def end_to_end_section(results):
    load_of = lambda r: (r.fields["per_second"], r.fields["pacers"])
    floor = {load_of(r): r for r in results if r.words[1] == "none"}
    rows = []
    for result in results:
        pacing = floor.get(load_of(result))
        net = ["", ""]
        if pacing not in (None, result):
            net = [number((result.median[key] - pacing.median[key]) / scale)
                   for key, scale in (("percent_of_a_core", 1), ("time", 1e6))]
        rows.append([result.words[1], number(result.fields["per_second"]), str(result.fields["pacers"]),
                     result.cell("percent_of_a_core", number), net[0],
                     result.cell("time", lambda ns: number(ns / 1e6)), net[1],
                     result.cell("datagrams_per_second", number), result.cell("bytes_per_second", number),
                     number(result.median["deliveries_per_second"])])
    return ("Net: less what the pacing alone costs (none), medians.\n\n" +
            table(["", "deliveries/s", "threads", "% of a core", "net", "CPU ms per million", "net", "datagrams/s",
                   "bytes/s", "reached/s"], rows))


SECTIONS = {
    "record": ("What a call costs", "Nanoseconds, minimum / median.", record_section),
    "cold": ("With cold caches", "Nanoseconds, minimum / median.", cold_section),
    "tail": ("The slowest calls", "Nanoseconds, minimum / median of each percentile over the rounds.", tail_section),
    "scale": ("With more threads and endpoints", "Nanoseconds, minimum / median.", scale_section),
    "flush": ("What sending costs", "Nanoseconds of CPU time, minimum / median.", flush_section),
    "end_to_end": ("A whole process", "Minimum / median.", end_to_end_section),
}


# Of each program: which word of a name is the backend, and what is compared.
COMPARED = {"record": (1, {"time": "ns"}), "cold": (2, {"p50": "p50"}), "tail": (2, dict(PERCENTILES)),
            "end_to_end": (1, {"time": "CPU"})}


def not_first(results):
    """A row for each comparison in which another library's median is below ours."""
    for program, (place, keys) in COMPARED.items():
        groups = {}
        for result in results.get(program, []):
            what = [word for word in result.words[:place] + result.words[place + 1:] if word != program]
            what += [f"{key}: {value}" for key, value in result.fields.items()]
            for key in (key for key in keys if key in result.median):
                groups.setdefault((", ".join(what), key), {})[result.words[place]] = result
        for (what, key), group in groups.items():
            if "statsd" not in group:
                continue
            ours = group["statsd"].median[key]
            ahead = sorted((result.median[key], name) for name, result in group.items()
                           if name not in OURS + FLOORS and result.median[key] < ours)
            if ahead:
                first = ", ".join(f"{name} {nanoseconds(value)}" for value, name in ahead)
                yield [program.replace("_", " "), f"{what}: {keys[key]}", nanoseconds(ours), first]


def not_first_section(results):
    rows = list(not_first(results))
    text = f"{len(rows)} of the comparisons above, in which the median of another library is below that of statsd.\n"
    return text + ("\n" + table(["program", "what", "statsd", "before it"], rows) if rows else "")


# Readable on white and on near black; dashes part what colours alone may not.
COLOURS = ["#8a8f98", "#e0483e", "#3b82f6", "#d18700", "#16a34a", "#a855f7", "#0ea5b7", "#db2777", "#7c6f2f", "#5b6bd6"]
DASHES = ["2 4", "", "", "7 4", "", "7 4", "", "2 3", "7 4", "2 3"]
STYLE = """<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .grid { stroke: #d0d7de } .axis { stroke: #57606a } .leader { stroke: #8a8f98; stroke-width: 0.7 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .grid { stroke: #30363d } .axis { stroke: #8b949e } }
</style>"""


def plot(results, file):
    """Percentiles of the contended calls as SVG, on two logarithmic axes; no file where there are none."""
    shown = [r for r in results if r.words[1] == "contended" and "p99_999" in r.median]
    if not shown:
        return
    points = [("p50", 0.5), ("p90", 0.1), ("p99", 0.01), ("p99_9", 1e-3), ("p99_99", 1e-4), ("p99_999", 1e-5)]
    left, right, top, bottom = 76, 640, 48, 440
    values = [r.median[key] for r in shown for key, _ in points]
    low, high = math.floor(math.log10(max(min(values), 1))), math.ceil(math.log10(max(values)))
    x = lambda rest: left + (right - left) * math.log10(0.5 / rest) / math.log10(0.5 / 1e-5)
    y = lambda ns: bottom - (bottom - top) * (math.log10(max(ns, 1)) - low) / max(high - low, 1)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 500" role="img" aria-labelledby="t">', STYLE,
             '<title id="t">Percentiles of the time of one call with eight threads, by backend</title>',
             f'<text x="{left}" y="26">Time of one call, 8 threads calling without pause, median of the rounds</text>']
    for exponent in range(low, high + 1):
        level = y(10 ** exponent)
        name = f"{10 ** (exponent % 3)} {['ns', 'µs', 'ms', 's'][exponent // 3]}"
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{level:.1f}" y2="{level:.1f}"/>'
                     f'<text x="{left - 8}" y="{level + 4:.1f}" text-anchor="end">{name}</text>')
    for key, rest in points:
        parts.append(f'<line class="grid" x1="{x(rest):.1f}" x2="{x(rest):.1f}" y1="{top}" y2="{bottom}"/>'
                     f'<text x="{x(rest):.1f}" y="{bottom + 20}" text-anchor="middle">{100 * (1 - rest):.6g} %</text>')
    parts.append(f'<path class="axis" fill="none" d="M{left} {top}V{bottom}H{right}"/>'
                 f'<text x="{(left + right) / 2}" y="{bottom + 44}" text-anchor="middle">of all calls took less</text>')
    label = top - 16
    for result in sorted(shown, key=lambda r: -r.median["p99_999"]):
        style = shown.index(result)
        colour, dash = COLOURS[style % len(COLOURS)], DASHES[style % len(DASHES)]
        line = " ".join(f"{x(rest):.1f},{y(result.median[key]):.1f}" for key, rest in points)
        end = y(result.median["p99_999"])
        label = max(label + 18, end)  # names stand beside the ends of their lines, and not on each other
        width = 3.5 if result.words[2] == "statsd" else 2
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dash}" '
                     f'points="{line}"/>'
                     f'<line class="leader" x1="{right + 3}" y1="{end:.1f}" x2="{right + 16}" y2="{label:.1f}"/>'
                     f'<line stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dash}" x1="{right + 18}" '
                     f'x2="{right + 42}" y1="{label:.1f}" y2="{label:.1f}"/>'
                     f'<text x="{right + 48}" y="{label + 4:.1f}">{result.words[2]}</text>')
    file.write_text("\n".join(parts + ["</svg>", ""]))


def heading(context, command, results):
    model = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    cpu = model.group(1) if model else platform.machine()
    rounds = max(r.median["repetitions"] for found in results.values() for r in found)
    rows = [["machine", f"{cpu}, {context['num_cpus']} cores at {context['mhz_per_cpu']} MHz"],
            ["system", f"{platform.system()} {platform.release()}"],
            ["compiler", f"{context.get('compiler', '?')}, {context.get('flags', '?').strip()}"],
            ["date", context["date"]], ["command", f"`{command}`"], ["interleaved rounds", str(rounds)]]
    return "# What it costs\n\n" + table(["", ""], rows).replace("--:", "---")


def main():
    folder = pathlib.Path(sys.argv[1])
    results, context = load(folder)
    if not results:
        sys.exit(f"{folder}: no results of any of {', '.join(PROGRAMS)}")
    text = heading(context, " ".join(sys.argv[2:]).strip(), results)
    for program, (title, unit, section) in SECTIONS.items():
        text += f"\n## {title}\n\n"
        if program in results:
            text += f"{unit}\n\n{section(results[program])}"
        else:
            text += f"There is no {program}.json: that program did not run.\n"
    text += f"\n## Where we are not first\n\n{not_first_section(results)}"
    (folder / "report.md").write_text(text)
    plot(results.get("tail", []), folder / "tail.svg")


main()
