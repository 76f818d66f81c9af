"""Whatever a file holds, it is read, read in part, or refused with one line."""

import bz2
import gzip
import io
import json
import pickle
import random
import sqlite3
import struct
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sukima.base.errors import SukimaError
from sukima.cli.diagnose import understood
from sukima.diagnosis import judge
from sukima.diagnosis.readers import read_history
from sukima.records.history import History

CELLS = [
    "",
    "nan",
    "inf",
    "-inf",
    "-1",
    "1e400",
    "0",
    "1",
    "2.5",
    "x",
    '"',
    "<b>",
    "\x1b[31m",
    "１",
    "1_0",
    "9" * 400,
    "\0",
]
NAMES = [
    "epoch",
    "loss",
    "val_loss",
    "acc",
    "val_acc",
    "run",
    "key",
    "value",
    "<script>",
    "\x1b[2J",
    "",
    "step",
    "検証損失",
]
PATTERNS = ["{loss} {val_loss}", "epoch {epoch} loss {loss} val_loss {val_loss}"]

anything = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def survives(path: Path, content: bytes) -> None:
    """Readings or one printable line; a verdict on what was read."""
    path.write_bytes(content)
    for patterns in ((), PATTERNS):
        try:
            readings = read_history(path, patterns=patterns)
        except SukimaError as error:
            assert_printable(str(error))
            continue
        for reading in readings:
            for text in (reading.source, *reading.understood.values(), *map(str, reading.notes)):
                assert_printable(text)
            try:
                verdict = judge([reading.history], source=reading.source)
            except SukimaError as error:
                assert_printable(str(error))
            else:
                assert 0 <= verdict.confidence <= 1
                assert_printable(json.dumps(verdict.to_dict(), ensure_ascii=False))


def assert_printable(text: str) -> None:
    assert text.isprintable(), repr(text)


@anything
@given(content=st.binary(max_size=400))
def test_bytes(tmp_path: Path, content: bytes) -> None:
    survives(tmp_path / "f", content)


@anything
@given(
    names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=5),
    rows=st.lists(st.lists(st.sampled_from(CELLS), max_size=6), max_size=8),
    delimiter=st.sampled_from(",\t; "),
)
def test_tables(tmp_path: Path, names: list[str], rows: list[list[str]], delimiter: str) -> None:
    survives(tmp_path / "f", "\n".join(delimiter.join(row) for row in [names, *rows]).encode())


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(CELLS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@anything
@given(document=values, lines=st.integers(1, 3))
def test_json(tmp_path: Path, document: object, lines: int) -> None:
    survives(tmp_path / "f", "\n".join([json.dumps(document)] * lines).encode())
    survives(tmp_path / "f", json.dumps({"log_history": document}).encode())
    survives(tmp_path / "f", json.dumps({"train_loss": document, "validation_loss": document}).encode())


@anything
@given(cut=st.integers(0, 400), flips=st.lists(st.tuples(st.integers(0, 399), st.integers(0, 255)), max_size=4))
def test_damaged_files_of_each_format(tmp_path: Path, cut: int, flips: list[tuple[int, int]]) -> None:
    for sound in sound_files():
        content = bytearray(sound[:cut])
        for at, byte in flips:
            if at < len(content):
                content[at] = byte
        survives(tmp_path / "f", bytes(content))


def sound_files() -> list[bytes]:
    def record(event: bytes) -> bytes:
        return struct.pack("<QI", len(event), 0) + event + bytes(4)

    events = record(b"\x09" + bytes(8) + b"\x1a\x0dbrain.Event:2")
    for tag in (b"loss", b"val_loss"):
        value = b"\x0a" + bytes([len(tag)]) + tag + b"\x15" + struct.pack("<f", 1.5)
        events += record(b"\x09" + bytes(8) + b"\x10\x01\x2a" + bytes([len(value) + 2, 0x0A, len(value)]) + value)
    rows = [{"epoch": i, "loss": 1 / i, "val_loss": 1.2 / i} for i in range(1, 5)]
    log = b":W&B\xe1\xbe\x00"
    for name in (b"loss", b"val_loss"):
        item = b"\x0a" + bytes([len(name)]) + name + b"\x82\x01\x031.5"
        item = b"\x0a" + bytes([len(item)]) + item
        log += struct.pack("<IHB", 0, len(item) + 2, 1) + b"\x12" + bytes([len(item)]) + item
    return [
        events,
        log,
        json.dumps({"log_history": rows}).encode(),
        "\n".join(map(json.dumps, rows)).encode(),
        "\n".join(["epoch,loss,val_loss", *(",".join(map(str, row.values())) for row in rows)]).encode(),
    ]


@settings(anything, max_examples=60)
@given(cut=st.integers(0, 12_288), flips=st.lists(st.tuples(st.integers(0, 12_287), st.integers(0, 255)), max_size=6))
def test_damaged_databases(tmp_path: Path, cut: int, flips: list[tuple[int, int]]) -> None:
    content = bytearray(sound_database(tmp_path)[: cut or None])
    for at, byte in flips:
        if at < len(content):
            content[at] = byte
    survives(tmp_path / "f", bytes(content))


def sound_database(folder: Path) -> bytes:
    path = folder / "sound.db"
    if not path.exists():
        with closing(sqlite3.connect(path)) as base, base:
            base.execute("CREATE TABLE runs (run_uuid, name, lifecycle_stage)")
            base.execute("CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan)")
            base.execute("INSERT INTO runs VALUES ('a', '<b>\x1b[2J', 'active')")
            rows = [(name, 1 / (i + 1), i) for i in range(4) for name in ("loss", "val_loss")]
            base.executemany("INSERT INTO metrics VALUES (?, ?, 0, 'a', ?, 0)", rows)
    return path.read_bytes()


def test_a_database_whose_cells_swell_is_left_alone(tmp_path: Path) -> None:
    """A generated column may hold any expression, and so any size."""
    path = tmp_path / "f.db"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("CREATE TABLE runs (run_uuid, name, lifecycle_stage)")
        base.execute(
            "CREATE TABLE metrics (a, key AS (hex(zeroblob(2000000))), value AS (1), run_uuid AS ('a'), step AS (a), "
            "is_nan AS (0))"
        )
        base.execute("INSERT INTO runs VALUES ('a', 'run', 'active')")
        base.executemany("INSERT INTO metrics (a) VALUES (?)", [(i,) for i in range(5)])
    survives(path, path.read_bytes())


@pytest.mark.parametrize(
    "schema",
    [
        "sql = 'CREATE TABLE metrics (key, value, x AS (load_extension(''x'')))'",
        "sql = 'CREATE TABLE metrics garbage ((('",
        "rootpage = 2",
        "rootpage = 4000000",
        "type = 'trigger'",
    ],
)
def test_a_database_whose_schema_lies(tmp_path: Path, schema: str) -> None:
    path = tmp_path / "f.db"
    path.write_bytes(sound_database(tmp_path))
    with closing(sqlite3.connect(path)) as base:
        base.executescript(f"PRAGMA writable_schema = ON; UPDATE sqlite_master SET {schema} WHERE name = 'metrics'")
    survives(path, path.read_bytes())


@pytest.mark.parametrize("sign", ["\x1b]0;title\x07", "\u202e", "\x9b31m", "\r"])
def test_the_name_of_a_file_does_not_steer_the_terminal(tmp_path: Path, sign: str) -> None:
    path = tmp_path / f"a{sign.replace('/', '')}.csv"
    path.write_text("epoch,loss,val_loss\n" + "".join(f"{i},{1 / i},{2 / i}\n" for i in range(1, 9)))
    (reading,) = read_history(path)
    assert_printable(understood(reading))


def test_losses_up_to_the_largest_number_are_judged_without_a_warning(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    for values in ("1e308,1e308", "5e-324,5e-324", "-1e308,1e308", "0,0"):
        survives(tmp_path / "f", ("epoch,loss,val_loss\n" + "".join(f"{i},{values}\n" for i in range(20))).encode())
    survives(tmp_path / "f", b"epoch,loss,val_loss\n" + b"".join(b"inf,%d,1e-308\n" % i for i in range(20)))
    for huge in (1e142, 1e155, 1.7e308):  # squares and sums of which are no numbers
        curve = [0.0, 0.0, 0.0, -huge, huge]
        survives(tmp_path / "f", json.dumps({"train_loss": curve, "validation_loss": curve[::-1]}).encode())
    assert not recwarn.list


def test_no_pickle_is_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "sprung",)  # type: ignore[return-value]

    for protocol in range(6):
        survives(tmp_path / "f", pickle.dumps(Trap(), protocol=protocol))
    assert not (tmp_path / "sprung").exists()


def test_depth_length_and_size_are_bounded(tmp_path: Path) -> None:
    survives(tmp_path / "f", b"[" * 200_000)
    survives(tmp_path / "f", b'{"loss":' * 100_000)
    survives(tmp_path / "f", b"loss,val_loss\n" + b"9" * 3_000_000)
    survives(tmp_path / "f", b'loss,val_loss\n1,2\n"' + b"x," * 500_000)
    survives(tmp_path / "f", ",".join(f"c{i}" for i in range(50_000)).encode() + b"\n1" + b",1" * 49_999)
    survives(tmp_path / "f", b'{"loss": ' + b"9" * 100_000 + b"}")
    survives(tmp_path / "f", ("a" * 1000 + "loss 1 val 2\n").encode() * 10)
    survives(tmp_path / "f", b"," * 1_000_000 + b"\n1,2")
    survives(
        tmp_path / "f", json.dumps({f"a{i}": {f"b{j}": {"c": [1]} for j in range(99)} for i in range(99)}).encode()
    )


def test_a_sparse_file_of_many_gigabytes_is_refused_or_cut(tmp_path: Path) -> None:
    for head in (b"{", b"epoch,loss,val_loss\n1,1,1\n"):
        path = tmp_path / "f"
        path.write_bytes(head)
        with path.open("r+b") as file:
            file.truncate(10 * 2**30)
        try:
            assert read_history(path)[0].notes
        except SukimaError as error:
            assert_printable(str(error))


@pytest.mark.parametrize("path", ["/dev/zero", "nowhere", "a\0b"])
def test_what_is_no_file_is_an_error(path: str) -> None:
    with pytest.raises(SukimaError):
        read_history(path)


def test_names_from_files_are_escaped(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("\x1b[2Jloss,val \x07loss<b>\n" + "\n".join(f"{random.random()},1" for _ in range(5)))
    (reading,) = read_history(path, {"train": r"\x1b[2Jloss", "val": r"val \x07loss<b>"})
    assert reading.history.epochs == 5
    assert all(name.isprintable() for name in reading.understood.values())


def test_archives_are_not_unpacked(tmp_path: Path) -> None:
    """A small file may hold terabytes of zeros: whoever sent it is asked to unpack it."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metrics/loss", b"0" * 10_000_000)
    for content in (bomb.getvalue(), gzip.compress(b"0" * 10_000_000), bz2.compress(b"0" * 10_000_000)):
        path = tmp_path / "history.csv"
        path.write_bytes(content)
        with pytest.raises(SukimaError, match="archive"):
            read_history(path)


def test_a_record_that_claims_gigabytes_is_not_believed(tmp_path: Path) -> None:
    events = sound_files()[0]
    claim = struct.pack("<QI", 10 * 2**30, 0) + b"x" * 100
    path = tmp_path / "events"
    path.write_bytes(events + claim)
    (reading,) = read_history(path)
    assert reading.notes
    assert reading.history.epochs == 1


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200f", "\ufeff", "\x1b]0;title\x07"])
def test_signs_that_turn_or_steer_text_are_shown_not_obeyed(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "f"
    path.write_text(
        f"epoch,train loss {sign},val loss {sign}\n" + "\n".join(f"{i},{1 / i},{2 / i}" for i in range(1, 9))
    )
    (reading,) = read_history(path)
    for text in (*reading.understood.values(), *map(str, reading.notes)):
        assert_printable(text)


def test_names_are_escaped_in_pages_and_pictures(tmp_path: Path) -> None:
    from sukima.diagnosis.pictures import draw
    from sukima.reporting import write_report

    history = History(train_loss=[1 / i for i in range(1, 12)], validation_loss=[1.2 / i for i in range(1, 12)])
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    history.metric = evil
    history.train_metric = history.validation_metric = [0.5] * 11
    verdict = judge([history], source=evil)
    page = write_report([(verdict, history)], tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    assert "<img src=x" not in draw([(verdict, history)], tmp_path / "p.svg").read_text(encoding="utf-8")
