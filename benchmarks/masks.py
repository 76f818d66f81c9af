"""What a mask costs beside torch's, on this machine: one line a claim, pass or short.

Every figure is a ratio of medians within one run. ``python benchmarks/masks.py`` takes about two minutes.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numba
import torch
import torch.nn.functional as F

import sukima
import sukima.torch as st
from sukima.workflow.bench import side_by_side

Timed = dict[str, float]


def claim(name: str, got: float, bound: float, at_least: bool) -> bool:
    fine = got >= bound if at_least else got <= bound
    sign = ">=" if at_least else "<="
    print(f"{'pass ' if fine else 'SHORT'}  {name:62s} {got:8.2f}  ({sign} {bound:g})", flush=True)
    return fine


def timed(size: int, dtype: torch.dtype = torch.float32, seconds: float = 0.6) -> Timed:
    """Forward into an existing output and allocating, for torch and for us through ``out=`` and ``accelerate``."""
    x, y = torch.randn(size).to(dtype), torch.empty(size, dtype=dtype)
    with st.accelerate():
        fast = side_by_side(
            {
                "mul": lambda: torch.mul(x, 2.0, out=y),
                "relu": lambda: torch.relu(x),
                "out": lambda: st.dropout(x, 0.5, out=y),
                "ours": lambda: F.dropout(x, 0.5),
            },
            seconds,
        )
    return fast | side_by_side({"torch": lambda: F.dropout(x, 0.5)}, seconds, rounds=3)


def backward(size: int) -> Timed:
    x, grad = torch.randn(size, requires_grad=True), torch.ones(size)

    def step() -> None:
        x.grad = None
        F.dropout(x, 0.5).backward(grad)

    with st.accelerate():
        ours = side_by_side({"ours": step}, 0.5)
    return ours | side_by_side({"torch": step}, 0.5, rounds=3)


def small(size: int) -> Timed:
    x = torch.randn(size, requires_grad=True)
    with st.accelerate():
        ours = side_by_side({"ours": lambda: F.dropout(x, 0.5)}, 0.2)
    return ours | side_by_side({"torch": lambda: F.dropout(x, 0.5)}, 0.2)


def compiled(size: int) -> Timed:
    x = torch.randn(size)
    plain = torch.compile(lambda v: F.dropout(v, 0.5), fullgraph=True)
    torchs = side_by_side({"torch": lambda: plain(x)}, 0.5)
    with st.accelerate():
        return torchs | side_by_side({"ours": lambda: plain(x)}, 0.5)


def retained(accelerated: bool) -> float:
    """Bytes an element that the process keeps from forward to backward, beyond input and output."""
    size = 2**24

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    def grown() -> int:
        x = torch.ones(size, requires_grad=True)
        gc.collect()
        before = resident()
        y = F.dropout(x, 0.5)
        after = resident()
        del y
        return after - before - 4 * size

    if not accelerated:
        return grown() / size
    with st.accelerate():
        return grown() / size


def in_processes(count: int) -> Timed:
    """Medians over fresh processes: at sizes beyond the caches, how memory was laid out matters."""
    runs = [json.loads(subprocess.check_output([sys.executable, __file__, "--one"])) for _ in range(count)]
    return {name: statistics.median(run[name] / run["mul"] for run in runs) for name in runs[0]} | {
        "relu ratio": statistics.median(run["ours"] / run["relu"] for run in runs)
    }


def main() -> bool:
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__},", end=" ")
    print(f"numba {numba.__version__}, {torch.get_num_threads()} threads, sukima {sukima.__version__}")
    fine: list[bool] = []

    def check(name: str, got: float, bound: float, at_least: bool = True) -> None:
        fine.append(claim(name, got, bound, at_least))

    t = timed(2**20)
    check("2^20 into an output, times torch", t["torch"] / t["out"], 60)
    check("2^20 into an output, cost of torch.mul(out=)", t["out"] / t["mul"], 3.5, False)
    f32 = t
    t = in_processes(5)
    check("2^24 into an output, times torch", t["torch"] / t["out"], 35)
    check("2^24 into an output, cost of torch.mul(out=)", t["out"], 2.5, False)
    check("2^24 allocating, cost of torch.relu", t["relu ratio"], 1.2, False)
    check("2^24 allocating, times torch", t["torch"] / t["ours"], 6)
    t = backward(2**20)
    check("2^20 forward and backward, times torch", t["torch"] / t["ours"], 40)
    for power, bound in ((16, 25), (12, 3)):
        t = timed(2**power, seconds=0.3)
        check(f"2^{power} accelerated, allocating, times torch", t["torch"] / t["ours"], bound)
    t = small(2**6)
    check("2^6 with gradients, cost of torch", t["ours"] / t["torch"], 2.2, False)
    t = compiled(2**20)
    check("2^20 compiled on both sides, times torch", t["torch"] / t["ours"], 15)
    check("kept for backward, bytes an element (torch: see next)", retained(True), 0.05, False)
    print(f"       {'torch keeps':62s} {retained(False):8.2f}")
    for dtype in (torch.bfloat16, torch.float16):
        t = timed(2**20, dtype)
        check(f"2^20 {dtype}, into an output, times torch", t["torch"] / t["out"], 60)
        check(f"2^20 {dtype}, cost of float32", t["out"] / f32["out"], 1.0, False)
    for side in (56, 7):
        check(f"channels-last {side}x{side}, cost of contiguous", channels_last(side), 2, False)
    return all(fine)


def channels_last(side: int) -> float:
    x = torch.randn(2**21 // (64 * side * side) or 1, 64, side, side)
    turned = x.contiguous(memory_format=torch.channels_last)
    y, z = torch.empty_like(x), torch.empty_like(turned)
    calls: dict[str, Callable[[], object]] = {
        "contiguous": lambda: st.dropout(x, 0.5, out=y),
        "turned": lambda: st.dropout(turned, 0.5, out=z),
    }
    t = side_by_side(calls, 0.4)
    return t["turned"] / t["contiguous"]


if __name__ == "__main__":
    if "--one" in sys.argv:
        print(json.dumps(timed(2**24, seconds=1.0)))
    else:
        sys.exit(0 if main() else 1)
