"""How long diagnose takes: 100 histories of 10,000 epochs, a CSV and a TensorBoard log of a million rows."""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROWS = 1_000_000


def judge_many() -> None:
    from sukima.diagnosis import judge
    from sukima.records.history import History

    rng = np.random.default_rng(0)
    epoch = np.arange(1, 10_001)
    fall = 2 * epoch**-0.5
    histories = [
        History(
            train_loss=(fall + rng.normal(0, 0.01, 10_000)).tolist(),
            validation_loss=(fall + 1e-5 * seed * epoch + rng.normal(0, 0.02, 10_000)).tolist(),
        )
        for seed in range(100)
    ]
    judge(histories[:1])
    began = time.perf_counter()
    for history in histories:
        judge([history])
    print(f"100 histories of 10,000 epochs: {time.perf_counter() - began:.2f} s (bound: 2 s)")


def write_csv(path: Path) -> None:
    values = 1 / np.sqrt(np.arange(1, ROWS + 1))
    with path.open("w") as file:
        file.write("step,train_loss,val_loss,train_acc,val_acc\n")
        file.writelines(f"{i},{v:.6f},{v * 1.1:.6f},{1 - v:.6f},{1 - v * 1.2:.6f}\n" for i, v in enumerate(values))


def write_events(path: Path) -> None:
    def record(event: bytes) -> bytes:
        return struct.pack("<QI", len(event), 0) + event + bytes(4)

    def varint(value: int) -> bytes:
        out = bytearray()
        while value > 127:
            out.append(value & 127 | 128)
            value >>= 7
        return bytes(out) + bytes([value])

    with path.open("wb") as file:
        file.write(record(b"\x09" + bytes(8) + b"\x1a\x0dbrain.Event:2"))
        for i in range(ROWS // 2):
            for tag in (b"loss/train", b"loss/val"):
                value = b"\x0a" + bytes([len(tag)]) + tag + b"\x15" + struct.pack("<f", 1 / (i + 1))
                inner = b"\x0a" + bytes([len(value)]) + value
                file.write(record(b"\x09" + bytes(8) + b"\x10" + varint(i) + b"\x2a" + bytes([len(inner)]) + inner))


def read_one(path: str) -> None:
    from sukima.diagnosis import diagnose

    began = time.perf_counter()
    verdict = diagnose(path)
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{Path(path).name} of {ROWS:,} rows: {seconds:.1f} s, {memory} MB (bounds: 10 s, 500 MB); {verdict.verdict}")


def main() -> None:
    judge_many()
    with tempfile.TemporaryDirectory() as folder:
        for name, write in (("history.csv", write_csv), ("events.out.tfevents.1", write_events)):
            path = Path(folder) / name
            write(path)
            # A process of its own, so that its memory is its own.
            subprocess.run([sys.executable, __file__, str(path)], check=True)


if __name__ == "__main__":
    read_one(sys.argv[1]) if len(sys.argv) > 1 else main()
