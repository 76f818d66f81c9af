"""What the first mask of a new process costs, with compiled code already kept on disk: wall and processor time.

    python benchmarks/first_call.py

Imports of torch and of sukima.torch are not counted and shown beside, nor is what torch loads for its own first
backward pass; what Numba imports when it first loads a kernel is. Each figure is the median of 7 fresh processes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

RUNS, LIMIT = 7, 0.5

CASES = {
    "dropout": "st.dropout(x, 0.5)",
    "dropout, forward and backward": "st.dropout(x.requires_grad_(), 0.5).backward(x.detach())",
    "F.dropout, accelerated": "st.accelerate(); F.dropout(x, 0.5)",
    "channels": "st.dropout2d(x, 0.5)",
    "channels-last": "st.dropout(x.contiguous(memory_format=torch.channels_last), 0.5)",
    "bfloat16": "st.dropout(x.bfloat16(), 0.5)",
    "gaussian": "st.gaussian_dropout(x, 0.5)",
}

PROCESS = """
import json, time
import torch
import torch.nn.functional as F
began = time.perf_counter(), time.process_time()
import sukima.torch as st
imported = time.perf_counter(), time.process_time()
x = torch.ones(32, 32, 32, 32)
(torch.ones(2, requires_grad=True) * 1).backward(torch.ones(2))
before = time.perf_counter(), time.process_time()
{call}
after = time.perf_counter(), time.process_time()
print(json.dumps([b - a for a, b in (*zip(before, after), *zip(began, imported))]))
"""


def seconds(call: str) -> list[list[float]]:
    command = [sys.executable, "-c", PROCESS.format(call=call)]
    return [json.loads(subprocess.check_output(command)) for _ in range(RUNS + 1)][1:]  # the first fills the cache


def main() -> bool:
    fine, imports = True, []
    for name, call in CASES.items():
        runs = seconds(call)
        wall, processor, *imported = (statistics.median(column) for column in zip(*runs, strict=True))
        imports.append(imported)
        fine = fine and wall <= LIMIT
        verdict = "pass " if wall <= LIMIT else "SHORT"
        print(f"{verdict}  {name:32s} {1e3 * wall:5.0f} ms (<= {1e3 * LIMIT:.0f}), processor {1e3 * processor:.0f} ms")
    wall, processor = (statistics.median(column) for column in zip(*imports, strict=True))
    print(f"       {'import sukima.torch, after torch':32s} {1e3 * wall:5.0f} ms, processor {1e3 * processor:.0f} ms")
    return fine


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
