"""How long ``sukima audit`` takes over a source tree, beside TorchFix over the same tree in the same run.

    python benchmarks/audit.py path/to/timm --torchfix path/to/bin/torchfix
    python benchmarks/audit.py path/to/transformers/models

Both run as their users run them: a process of its own, start and output included. A live model of 1,000 modules is
audited too where torch is installed.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--torchfix", help="the program torchfix; without it there is no ratio")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    files = [path for path in options.tree.rglob("*.py") if path.is_file()]
    lines = sum(path.read_bytes().count(b"\n") for path in files)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{options.tree.name}: {len(files)} files, {lines} lines")
    command = [sys.executable, "-c", "from sukima.cli import main; main()", "audit", str(options.tree), "--json"]
    ours = [seconds(command) for _ in range(options.repeats)]
    print(f"sukima audit: median {statistics.median(ours):.2f} s of {', '.join(f'{t:.2f}' for t in ours)}")
    if options.torchfix:
        theirs = seconds([options.torchfix, "--select", "ALL", str(options.tree)])
        print(f"torchfix: {theirs:.2f} s, {theirs / statistics.median(ours):.1f} times as long")
    live_model()


def seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begin


def live_model() -> None:
    try:
        import torch
        from torch import nn
    except ImportError:
        return
    from sukima.auditing.api import audit

    blocks = [layer for _ in range(333) for layer in (nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1))]
    model = nn.Sequential(*blocks)
    audit(nn.Linear(2, 2), torch.zeros(1, 2))  # the first call imports the rules
    for name, example in (("traced with an example", torch.zeros(2, 64)), ("without an example", None)):
        begin = time.perf_counter()
        audit(model, example)
        print(f"live model of 1,000 modules, {name}: {time.perf_counter() - begin:.2f} s")


if __name__ == "__main__":
    main()
