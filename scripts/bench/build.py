"""Builds a checkout from nothing and says what that costs. See scripts/bench-build.sh."""

import argparse
import collections
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

# Stands before every rustc and writes down its CPU seconds: cargo itself only knows how long each took.
METER = """#!/usr/bin/env python3
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(os.environ["CHATSPEC_METER"], "a") as meter:
    package = os.environ.get("CARGO_PKG_NAME", "cargo")
    meter.write(f"{package} {used.ru_utime + used.ru_stime:.2f}\\n")
sys.exit(code)
"""


def commands(checkout):
    """The two commands of the README: the first two lines that are indented by four and call cargo."""
    found = re.findall(r"^ {4}(cargo (?:run|test)[^#\n]*)", (checkout / "README.md").read_text(), re.MULTILINE)
    return found[0].strip(), found[1].strip()


class Bench:
    def __init__(self, checkout, scratch):
        self.checkout, self.scratch, self.target = checkout, scratch, scratch / "target"
        self.meter = scratch / "meter"
        wrapper = scratch / "rustc-meter"
        wrapper.write_text(METER)
        wrapper.chmod(0o755)
        self.env = os.environ | {
            "CARGO_TARGET_DIR": str(self.target),
            "RUSTC_WRAPPER": str(wrapper),
            "CHATSPEC_METER": str(self.meter),
        }

    def run(self, label, command):
        """Runs it to its end, prints a row of figures, and gives the CPU seconds of rustc by package."""
        self.meter.write_text("")
        log = self.scratch / "log"
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        with log.open("w") as out:
            code = subprocess.call(["bash", "-c", command], cwd=self.checkout, env=self.env, stdout=out, stderr=out)
        wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if code:
            sys.stderr.write(log.read_text()[-8000:])
            sys.exit(f"bench-build: {command} ended with {code}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        packages = collections.Counter()
        for line in self.meter.read_text().splitlines():
            package, seconds = line.split()
            packages[package] += float(seconds)
        ours = sum(seconds for package, seconds in packages.items() if package.startswith("chatspec"))
        rustc = sum(packages.values())
        size = self.size(self.target)
        print(
            f"| {label} | {cpu:.0f} | {ours:.0f} | {rustc - ours:.0f} | {cpu - rustc:.0f} | {wall:.0f} | {size:.0f} |",
            flush=True,
        )
        return packages

    @staticmethod
    def size(folder):
        """In MB, as it lies on the disk; a file of several names counts once."""
        seen, total = set(), 0
        for path in folder.rglob("*") if folder.exists() else []:
            stat = path.lstat()
            if stat.st_ino not in seen:
                seen.add(stat.st_ino)
                total += stat.st_blocks * 512
        return total / 1e6

    def empty(self):
        shutil.rmtree(self.target, ignore_errors=True)


def slowest(packages, count=12):
    return ", ".join(f"{package} {cpu:.0f}" for package, cpu in packages.most_common(count))


def binary_sizes(bench, names):
    for name in names:
        path = bench.target / "release" / name
        stripped = bench.scratch / "stripped"
        subprocess.check_call(["strip", "-o", stripped, path])
        print(f"release {name}: {path.stat().st_size / 1e6:.1f} MB, {stripped.stat().st_size / 1e6:.1f} MB stripped")


def crates(checkout, package):
    """How many packages the default build of one takes, itself included."""
    tree = ["cargo", "tree", "--locked", "-p", package, "-e", "normal,build", "--prefix", "none", "--format", "{p}"]
    # Where the workspace has several members, each is built with its own features alone.
    lines = subprocess.check_output(tree, cwd=checkout, text=True).splitlines()
    return len({" ".join(line.split()[:2]) for line in lines if line.strip()})


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench-build.sh", description=__doc__)
    parser.add_argument("checkout", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).parents[2])
    parser.add_argument("--only", action="append", choices=["first", "tests", "release"])
    parser.add_argument("--keep", action="store_true", help="leave the folder with what was built")
    given = parser.parse_args()
    wanted, checkout = given.only or ["first", "tests", "release"], given.checkout.resolve()
    first, tests = commands(checkout)
    subprocess.check_call(["cargo", "fetch", "--locked", "--quiet"], cwd=checkout)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bench-build-"))
    bench = Bench(checkout, scratch)
    release = re.sub(r"^cargo run", "cargo build", first).replace(" --release", "")
    try:
        print(f"{os.cpu_count()} cores, {subprocess.check_output(['rustc', '--version'], text=True).strip()}")
        for package in ("chatspec", "chatspec-server"):
            print(f"crates of {package}: {crates(checkout, package)}")
        print("\n| | CPU s | rustc, our crates | rustc, others | C, scripts, the rest | wall s | target/ in MB |")
        print("|---|---|---|---|---|---|---|", flush=True)
        told = []
        if "first" in wanted:
            told.append(("first", bench.run(f"build of `{first}`", re.sub(r"^cargo run", "cargo build", first))))
            bench.run(f"`{first}`, built", first)
        if "tests" in wanted:
            told.append(("tests", bench.run(f"build of `{tests}` after it", f"{tests} --no-run")))
            bench.run(f"`{tests}`, built", tests)
        if "release" in wanted:
            bench.empty()
            told.append(("chatspec", bench.run("release build of chatspec", f"{release} --release --locked")))
            server = "cargo build --release --locked --bin chatspec-server"
            told.append(("server", bench.run("release build of chatspec-server after it", server)))
        print()
        for label, packages in told:
            print(f"most CPU seconds of rustc ({label}): {slowest(packages)}")
        if "release" in wanted:
            binary_sizes(bench, ("chatspec", "chatspec-server"))
    finally:
        if given.keep:
            print(f"kept: {scratch}")
        else:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
