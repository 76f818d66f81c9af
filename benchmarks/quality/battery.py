"""Is what a mask decides random? Tests on the thresholded bits themselves, not on the words they come from.

Two parts: our own chi-square tests at several rates (share kept, serial and cross correlation, gaps, pairs), and
dieharder on bits at rate 0.5. Each runs on four arrangements, in each of which neighbours come from what might be
too alike: consecutive elements; successive streams; neighbouring seeds; kinds, sites and steps folded into one seed.

``python benchmarks/quality/battery.py [--dieharder] > result.txt``. Exits 1 on a failure.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy import stats

from sukima.masks import cpu
from sukima.masks.key import MaskKey

Bits = npt.NDArray[np.bool_]
CHUNK = 1 << 16  # elements a mask


def consecutive(_index: int) -> MaskKey:
    return MaskKey(20140615)


def streams(index: int) -> MaskKey:
    return MaskKey(42, index)


def seeds(index: int) -> MaskKey:
    return MaskKey(index)


def sites(index: int) -> MaskKey:
    kind = ("unit", "channel", "path", "weight")[index % 4]
    return MaskKey(0).fold_in(f"encoder.{index // 4 % 64}.drop").fold_in(index // 256).fold_in(kind)


ARRANGEMENTS: dict[str, Callable[[int], MaskKey]] = {
    "consecutive elements": consecutive,
    "successive streams": streams,
    "neighbouring seeds": seeds,
    "kinds, sites, steps": sites,
}


def rows(name: str, rate: float, width: int) -> Iterator[Bits]:
    """Masks of ``width`` elements, one after another."""
    index = 0
    while True:
        offset = index * width if name == "consecutive elements" else 0
        yield cpu.keep(ARRANGEMENTS[name](index), rate, width, offset)
        index += 1


def interleaved(name: str, rate: float, count: int, across: int) -> Bits:
    """``count`` bits in which the same element of ``across`` neighbouring masks stands together."""
    source = rows(name, rate, count // across)
    block = np.stack([next(source) for _ in range(across)])
    return block.ravel() if name == "consecutive elements" else block.T.ravel()


def share(bits: Bits, kept: float) -> float:
    return float(stats.binomtest(int(bits.sum()), bits.size, kept).pvalue)


def correlation(bits: Bits, kept: float) -> float:
    """Autocorrelation at lags 1 to 64, together."""
    centred = (bits - kept) / np.sqrt(kept * (1 - kept))
    z = [centred[:-lag] @ centred[lag:] / np.sqrt(bits.size - lag) for lag in range(1, 65)]
    return float(stats.chi2.sf(np.sum(np.square(z)), len(z)))


def gaps(bits: Bits, kept: float) -> float:
    """Lengths between dropped elements, against the geometric distribution."""
    lengths = np.diff(np.flatnonzero(~bits)) - 1
    last = max(1, int(np.log(20 / lengths.size / (1 - kept)) / np.log(kept)))
    seen = np.bincount(np.minimum(lengths, last), minlength=last + 1)
    expected = lengths.size * np.append((1 - kept) * kept ** np.arange(last), kept**last)
    return float(stats.chisquare(seen, expected * seen.sum() / expected.sum()).pvalue)


def patterns(bits: Bits, kept: float) -> float:
    """Patterns of eight neighbours, against independence."""
    codes = np.packbits(bits[: bits.size // 8 * 8])
    ones = np.array([int(code).bit_count() for code in range(256)])
    chance = kept**ones * (1 - kept) ** (8 - ones)
    common = chance * codes.size >= 5
    seen = np.bincount(codes, minlength=256)
    grouped = np.append(seen[common], seen[~common].sum())
    expected = np.append(chance[common], chance[~common].sum()) * codes.size
    if expected[-1] < 5:
        grouped, expected = grouped[:-1], expected[:-1]
    return float(stats.chisquare(grouped, expected * grouped.sum() / expected.sum()).pvalue)


TESTS = {"share kept": share, "autocorrelation": correlation, "gaps": gaps, "patterns of 8": patterns}


def own_tests(count: int) -> bool:
    values = []
    for name in ARRANGEMENTS:
        for rate in (0.02, 0.1, 0.5, 0.9):
            bits = interleaved(name, rate, count, 256)
            kept = 1 - round(rate * 2**16) / 2**16
            for test, run in TESTS.items():
                p = run(bits, kept)
                values.append(p)
                print(f"{name:22s} rate {rate:4.2f}  {test:16s} p = {p:.4f}", flush=True)
    lowest, even = min(values) * len(values), stats.kstest(values, "uniform").pvalue
    fine = lowest > 0.001 and even > 0.001
    print(
        f"{len(values)} tests: smallest p, corrected for their number, {min(lowest, 1):.3f}; p values even: {even:.3f}"
    )
    print("own tests:", "pass" if fine else "FAIL", flush=True)
    return fine


def feed(name: str, out: object) -> None:
    """Bits at rate 0.5 to a pipe until it breaks."""
    source = rows(name, 0.5, CHUNK)
    while True:
        block = np.stack([next(source) for _ in range(64)])
        out.write(np.packbits(block if name == "consecutive elements" else block.T).tobytes())  # type: ignore[attr-defined]


# Birthdays, ranks of matrices, bit streams, counts of ones, runs, craps; monobit, runs, serial.
_VERDICT = re.compile("PASSED|WEAK|FAILED")
DIEHARDER = (0, 1, 2, 3, 8, 15, 16, 17, 100, 101, 102)


def dieharder(samples: int) -> bool:
    fine = True
    for name in ARRANGEMENTS:
        for test in DIEHARDER:
            command = ["dieharder", "-g", "200", "-d", str(test)]
            process = subprocess.Popen([*command, "-p", str(samples)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                feed(name, process.stdin)
            results = [line.strip() for line in process.stdout.read().decode().splitlines() if _VERDICT.search(line)]
            fine = fine and bool(results) and not any("FAILED" in line for line in results)
            for line in results or [f"test {test}: no result"]:
                print(f"{name:22s} {line}", flush=True)
    print("dieharder:", "pass" if fine else "FAIL")
    return fine


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dieharder", action="store_true", help="run dieharder too (it must be installed)")
    parser.add_argument("--bits", type=int, default=1 << 26, help="bits for each of our own tests")
    parser.add_argument("--samples", type=int, default=20, help="dieharder's p samples for each test")
    options = parser.parse_args()
    passed = own_tests(options.bits)
    if options.dieharder:
        passed = dieharder(options.samples) and passed
    sys.exit(0 if passed else 1)
