"""Results as files: everything that a report is drawn from, so that it can be drawn again elsewhere."""

from __future__ import annotations

import json
import math
import numbers
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from sukima.base.errors import InputError
from sukima.base.messages import Message
from sukima.records.files import read_text
from sukima.records.result import Comparison, Trial, TuneResult
from sukima.records.verdict import Verdict

__all__ = ["from_record", "load_result", "to_record", "trial_from_record", "trial_record"]

_KINDS: dict[str, type[TuneResult] | type[Comparison]] = {"tune": TuneResult, "compare": Comparison}


def to_record(result: TuneResult | Comparison) -> Any:
    """``result`` as plain data for JSON; what is not finite becomes a string, since JSON has no such numbers."""
    return _writable(msgspec.to_builtins(result, enc_hook=_plain))


def from_record(kind: str, record: Any) -> TuneResult | Comparison:
    """What `to_record` was given. Raises ``InputError`` where ``record`` is no result of that kind."""
    try:
        result: TuneResult | Comparison = msgspec.convert(record, _KINDS[kind], strict=False)
    except (KeyError, ValueError) as error:  # msgspec's errors, and those of the records themselves, are ValueErrors
        raise InputError("not a result of tune or compare: {why}", why=error) from None
    return _tuned(result) if isinstance(result, TuneResult) else _compared(result)


def trial_record(trial: Trial) -> Any:
    """``trial`` as plain data for JSON."""
    return _writable(msgspec.to_builtins(trial, enc_hook=_plain))


def trial_from_record(record: Any) -> Trial:
    """What `trial_record` was given. Raises ``InputError`` where ``record`` is no trial."""
    try:
        return msgspec.convert(record, Trial, strict=False)
    except ValueError as error:
        raise InputError("not a trial: {why}", why=error) from None


def load_result(path: str | Path) -> TuneResult | Comparison:
    """The result in a ``.json`` report that tune or compare wrote.

    Raises ``InputError`` where the file cannot be read or holds something else.
    """
    try:
        content = json.loads(read_text(path))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError("{path}: not JSON ({why})", path=path, why=error) from None
    kind = content.get("kind") if isinstance(content, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS or "record" not in content:
        raise InputError("{path}: expected a .json report that tune or compare wrote", path=path)
    return from_record(kind, content["record"])


def _plain(value: Any) -> Any:
    """Numbers of other libraries as Python's; anything else as it would have been shown."""
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else str(value)


def _writable(value: Any) -> Any:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: _writable(entry) for key, entry in value.items()}
    return [_writable(entry) for entry in value] if isinstance(value, list | tuple) else value


def _tuned(result: TuneResult) -> TuneResult:
    """With the messages inside messages as messages again."""
    comparison = _compared(result.comparison) if result.comparison else None
    finalists = _compared(result.finalists) if result.finalists else None
    baseline = _verdict(result.baseline) if result.baseline else None
    remark = _message(result.remark) if result.remark else None
    return replace(result, baseline=baseline, comparison=comparison, finalists=finalists, remark=remark)


def _compared(result: Comparison) -> Comparison:
    return replace(
        result,
        verdicts={name: _verdict(one) for name, one in result.verdicts.items()},
        left_out={name: _message(why) for name, why in result.left_out.items()},
    )


def _verdict(verdict: Verdict) -> Verdict:
    evidence, advice = (tuple(map(_message, messages)) for messages in (verdict.evidence, verdict.advice))
    return replace(verdict, evidence=evidence, advice=advice)


def _message(message: Message) -> Message:
    return Message(message.template, {name: _value(value) for name, value in message.values.items()})


def _value(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"template", "values"}:
        return _message(Message(**value))
    return value
