"""Histories as TensorBoard event files, laid out as Keras lays them out: a run a seed, training beside validation.

The files are written without TensorBoard, whose import would load TensorFlow where it is installed. An event file is a
row of records: length, checksum of it, a protocol-buffer message, checksum of that.
"""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

from sukima.integrations.runs import Logged, curve_names, runs_of
from sukima.records.history import History

__all__ = ["write_tensorboard"]


def write_tensorboard(result: Logged, folder: str | Path) -> Path:
    """Write the curves of a history, or of every run of a result, for ``tensorboard --logdir folder``.

    A run is ``folder/<arm>/seed-<seed>`` (of a history ``folder`` itself); below it ``train`` and ``validation`` hold
    ``epoch_loss`` and, where there is one, ``epoch_<metric>``, so that TensorBoard draws both in one chart.

    Returns:
        The folder.

    Raises:
        InputError: ``result`` is none of these.
    """
    folder = Path(folder)
    for run in runs_of(result):
        _write(run.history, folder.joinpath(*run.place))
    return folder


def _write(history: History, folder: Path) -> None:
    for index, part in enumerate(("train", "validation")):
        events = [_event(0, b"\x1a" + _sized(b"brain.Event:2"))]  # the file's version
        for name, curves in curve_names(history).items():
            for epoch, value in enumerate(curves[index]):
                scalar = b"\x0a" + _sized(f"epoch_{name}".encode()) + b"\x15" + struct.pack("<f", value)
                events.append(_event(epoch, b"\x2a" + _sized(b"\x0a" + _sized(scalar))))
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / "events.out.tfevents.0.sukima").write_bytes(b"".join(events))


def _event(step: int, content: bytes) -> bytes:
    """One record: an event at a step, with what it holds. Its time is its step, so that the same run gives one file."""
    message = b"\x09" + struct.pack("<d", float(step)) + b"\x10" + _varint(step) + content
    head = struct.pack("<Q", len(message))
    return head + _checksum(head) + message + _checksum(message)


def _sized(content: bytes) -> bytes:
    return _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _checksum(content: bytes) -> bytes:
    """CRC-32C, rotated and shifted as the format has it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _table()[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


@cache
def _table() -> tuple[int, ...]:
    entries = []
    for entry in range(256):
        for _ in range(8):
            entry = (entry >> 1) ^ (0x82F63B78 if entry & 1 else 0)
        entries.append(entry)
    return tuple(entries)
