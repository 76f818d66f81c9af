"""The law's known answers, and what follows from it."""

import numpy as np
import pytest

from sukima.base.errors import InputError
from sukima.masks import cpu, law
from sukima.masks.key import MaskKey, philox4x32

KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_known_answers(counter: tuple[int, ...], key: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert tuple(law.philox4x32(counter, key).tolist()) == expected
    assert philox4x32(counter, key) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [0, 1 / 300, 1 / 256, 0.1, 0.5, 0.99999, 1])
@pytest.mark.parametrize(("size", "offset"), [(0, 3), (1, 0), (7, 5), (1023, 2**35 - 11), (4099, 2**33 * 8 - 100)])
def test_cpu_is_the_law(rate: float, size: int, offset: int) -> None:
    key = MaskKey(0xFEDCBA9876543210, 2**40 + 7)
    np.testing.assert_array_equal(cpu.keep(key, rate, size, offset), law.keep(key, rate, size, offset))


def test_offset_is_a_window() -> None:
    key = MaskKey(3, 9)
    whole = law.keep(key, 0.3, 1000)
    for start, stop in [(0, 1), (5, 997), (8, 16), (999, 1000)]:
        np.testing.assert_array_equal(law.keep(key, 0.3, stop - start, start), whole[start:stop])


@pytest.mark.parametrize(("rate", "expected"), [(0, 0), (0.5, 2**15), (1, 2**16), (1 / 256, 256), (2.0**-20, 2**12)])
def test_threshold(rate: float, expected: int) -> None:
    assert law.threshold(rate) == expected


def test_scale_is_the_inverse_of_the_share_kept() -> None:
    assert law.scale(0) == 1
    assert law.scale(0.5) == 2
    assert law.scale(1) == 0
    assert law.scale(0.1) == 2**16 / (2**16 - 6554)


@pytest.mark.parametrize("bad", [-1, 2**64, 1.5, "1", None, True])
def test_key_rejects(bad: object) -> None:
    with pytest.raises(InputError, match=r"seed must be an integer in \[0, 2\*\*64\)"):
        MaskKey(bad)  # type: ignore[arg-type]


def test_fold_in_separates() -> None:
    key = MaskKey(1)
    folded = {key.fold_in(v) for v in (0, 1, 2**63, "0", "1", "", "unit", "channel")} | {key, MaskKey(1, 1).fold_in(0)}
    assert len(folded) == 10
    assert key.fold_in(np.int64(5)) == key.fold_in(5)
