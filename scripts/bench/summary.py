"""Reads what scripts/bench.sh has gathered in a folder, and prints the summary: medians over the rounds, and ratios.

Exit code 1 where a message was lost, doubled, out of order or invented.
"""

import json
import pathlib
import re
import statistics
import sys

PLANS = {
    "everyday": "300 messages a second in 100 rooms of 10: what the contract's rate limit lets 1,000 users send",
    "busy": "2,000 messages a second in 100 rooms of 10: 20,000 deliveries, with the rate limit lifted",
    "half": "4,000 messages a second in 100 rooms of 10: about half of the machine",
    "overload": "20,000 messages a second in 100 rooms of 10: more than can be done",
    "room": "20 messages a second in one room of 1,000: 20,000 deliveries",
    "idle": "5,000 connections that do nothing, opened as fast as they are let in",
    "rooms-10": "500 messages a second in 10 rooms of 10",
    "rooms-100": "500 messages a second in 100 rooms of 10",
    "rooms-1000": "500 messages a second in 1,000 rooms of 10",
}
FAULTS = ("lost", "doubled", "out_of_order", "invented", "ids")


def per_cpu(run):
    return run["target_usage"]["deliveries_per_cpu_s"]


def acks(run):
    return run["rates"]["acks_per_s"]


# What is held against what, the first over the second, and what is asked of it.
RATIOS = [
    ("deliveries per CPU-second", per_cpu, ("busy", "memory"), ("busy", "node"), 4),
    ("deliveries per CPU-second", per_cpu, ("busy", "memory"), ("busy", "bare"), 0.8),
    ("deliveries per CPU-second", per_cpu, ("everyday", "memory"), ("everyday", "node"), None),
    ("deliveries per CPU-second", per_cpu, ("everyday", "memory"), ("everyday", "python"), None),
    ("deliveries per CPU-second", per_cpu, ("room", "memory"), ("room", "node"), None),
    ("deliveries per CPU-second", per_cpu, ("room", "memory"), ("room", "bare"), 0.8),
    ("deliveries per CPU-second", per_cpu, ("busy", "disk"), ("busy", "memory"), None),
    ("acks per second", acks, ("overload", "disk"), ("overload", "memory"), 0.5),
    ("acks per second", acks, ("overload", "mongodb"), ("overload", "memory"), None),
    ("acks per second", acks, ("overload", "memory"), ("overload", "node"), None),
    ("deliveries per CPU-second", per_cpu, ("rooms-1000", "memory"), ("rooms-10", "memory"), None),
]


class Runs:
    """All runs of a folder, by plan and subject, round by round."""

    def __init__(self, folder):
        self.by_plan, self.kit = {}, []
        for path in sorted((folder / "raw").glob("*.json")):
            plan, subject, _ = path.name.split(".", 2)
            run = json.loads(path.read_text())
            if plan == "kit":
                self.kit.append(run)
            else:
                self.by_plan.setdefault(plan, {}).setdefault(subject, []).append(run)

    def of(self, plan, subject):
        return self.by_plan.get(plan, {}).get(subject, [])

    def all(self):
        return [run for subjects in self.by_plan.values() for runs in subjects.values() for run in runs]


def faults(runs):
    return sum(run["faults"][kind] for run in runs for kind in FAULTS)


def median(runs, figure):
    values = [figure(run) for run in runs]
    return statistics.median(values) if values and None not in values else None


def shown(value, digits=0):
    return "unknown" if value is None else f"{value:,.{digits}f}"


def table(header, rows):
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def ratio_rows(runs):
    """Ratios within each round, and their median: what disturbs the machine disturbs both."""
    for what, figure, one, other, goal in RATIOS:
        pairs = [(figure(a), figure(b)) for a, b in zip(runs.of(*one), runs.of(*other))]
        values = [a / b for a, b in pairs if a and b]
        if not values:
            continue
        middle = statistics.median(values)
        names = [runs.of(*each)[0]["target"]["name"] for each in (one, other)]
        if one[0] != other[0]:
            names = [f"{name}, {plan}" for name, (plan, _) in zip(names, (one, other))]
        asked = "" if goal is None else f"at least {goal}" + ("" if middle >= goal else ": **missed**")
        spread = f"{min(values):.2f} to {max(values):.2f}"
        yield [what, one[0] if one[0] == other[0] else "", " over ".join(names), f"**{middle:.2f}**", spread, asked]


def machine_share(cores):
    """How much of all cores server and generator took, in per cent."""

    def share(run):
        own, target = run["generator_usage"], run["target_usage"]
        return 100 * (own["share"] + target["cores"] / cores) if own and target else None

    return share


def load_rows(subjects, cores):
    for of_one in subjects.values():
        latencies = [
            "/".join(shown(median(of_one, lambda run: run["latency"][what][p]), 1) for p in ("p50", "p99"))
            for what in ("ack", "delivery")
        ]
        yield [
            of_one[0]["target"]["name"],
            shown(median(of_one, lambda run: run["rates"]["acks_per_s"])),
            shown(median(of_one, lambda run: run["rates"]["deliveries_per_s"])),
            shown(median(of_one, per_cpu)),
            shown(median(of_one, lambda run: run["target_usage"]["cores"]), 2),
            shown(median(of_one, machine_share(cores))),
            *latencies,
            str(sum(run["connections"]["lost"] for run in of_one)),
            str(faults(of_one)),
        ]


def idle_rows(subjects):
    for of_one in subjects.values():
        memory = median(of_one, lambda run: run["target_usage"]["rss_per_connection"])
        yield [
            of_one[0]["target"]["name"],
            shown(median(of_one, lambda run: run["connections"]["per_second"])),
            shown(median(of_one, lambda run: run["latency"]["connect"]["p99"]), 1),
            shown(memory and memory / 1000, 1),
            str(sum(run["connections"]["failed"] + run["connections"]["lost"] for run in of_one)),
        ]


LOAD_HEADER = ["server", "acks/s", "deliveries/s", "deliveries per CPU-s", "cores", "machine %", "ack p50/p99 ms",
               "delivery p50/p99 ms", "connections lost", "faults"]
IDLE_HEADER = ["server", "connections/s", "connect p99 ms", "kB each", "failed or lost"]
RATIO_HEADER = ["figure", "load", "of", "median", "rounds", "goal"]


def summary(folder, runs):
    setup = (folder / "setup.txt").read_text().rstrip()
    cores = int(re.search(r"(\d+) cores", setup)[1])
    yield "# The reference server under load\n"
    yield f"```text\n{setup}\n```\n"
    yield "## Ratios\n"
    yield from table(RATIO_HEADER, ratio_rows(runs))
    for plan, title in PLANS.items():
        subjects = runs.by_plan.get(plan)
        if subjects:
            yield f"\n## {title}\n"
            yield from table(IDLE_HEADER, idle_rows(subjects)) if plan == "idle" else table(LOAD_HEADER, load_rows(subjects, cores))
    growth = folder / "growth.md"
    if growth.exists():
        yield "\n## How cost grows, without sockets, in memory"
        yield growth.read_text().rstrip()
    if runs.kit:
        yield "\n## A whole run of the kit\n"
        figures = [("seconds", 1), ("cpu_s", 2)]
        cells = [shown(median(runs.kit, lambda run: run[key]), digits) for key, digits in figures]
        peak = shown(median(runs.kit, lambda run: run["peak_kb"] / 1000), 1)
        yield from table(["seconds", "CPU-seconds, with the server", "peak MB of the larger of both"], [[*cells, peak]])
    warned = sorted({re.sub(r"[\d.]+", "…", warning) for run in runs.all() for warning in run["warnings"]})
    if warned:
        yield "\nThe generator says, of one load or another:\n"
        yield from (f"- {warning}" for warning in warned)


def main():
    folder = pathlib.Path(sys.argv[1])
    runs = Runs(folder)
    print("\n".join(summary(folder, runs)))
    sys.exit(1 if faults(runs.all()) else 0)


main()
