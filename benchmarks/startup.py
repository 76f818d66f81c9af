"""How long ``import sukima`` and ``sukima --help`` take, beside an empty Python.

    python benchmarks/startup.py

Neither may import a framework. Each figure is the median of 21 fresh processes.
"""

import statistics
import subprocess
import sys
import time

RUNS = 21
HEAVY = ("torch", "numba", "matplotlib", "scipy", "keras", "sklearn", "pandas", "optuna")
LIMITS = {"import sukima": 60.0, "sukima --help": 250.0}


def median_ms(arguments: list[str]) -> float:
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main() -> None:
    empty = median_ms(["-c", "pass"])
    print(f"{'empty Python':<16} {empty:6.0f} ms")
    for name, arguments in {
        "import sukima": ["-c", "import sukima"],
        "sukima --help": ["-m", "sukima", "--help"],
    }.items():
        took, limit = median_ms(arguments), LIMITS[name]
        # An import is what it adds; a command is what the person waits for.
        shown = took - empty if name.startswith("import") else took
        print(f"{name:<16} {shown:6.0f} ms, limit {limit:.0f}: {'pass' if shown < limit else 'short'}")
    code = f"import sukima, sukima.cli.app, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    print(f"heavy modules imported: {found}")


if __name__ == "__main__":
    main()
