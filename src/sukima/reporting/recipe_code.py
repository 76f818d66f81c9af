"""The recipe as code to paste."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

import sukima
from sukima.base.checks import check_choice
from sukima.records.penalty import ElasticNet
from sukima.records.recipe import Recipe
from sukima.records.schedule import Constant

__all__ = ["Framework", "recipe_code"]

Framework = Literal["torch", "keras", "toml"]


def recipe_code(recipe: Recipe, framework: Framework = "torch") -> str:
    """Code that sets up ``recipe``: for a ``model`` that is there (``torch``, ``keras``), or its file (``toml``).

    What belongs to a model is applied to it; what belongs to the loss, the optimizer or the training loop is made
    under its usual name. Raises ``InputError`` for another framework.
    """
    check_choice("framework", framework, ("torch", "keras", "toml"))
    if framework == "toml":
        return recipe.to_toml() or "# no regularization\n"
    lines = ["import sukima", *_imports(recipe, framework), "", *_recipe(recipe), *_model(recipe)]
    lines += _torch_training(recipe) if framework == "torch" else _keras_training(recipe)
    return "\n".join(lines) + "\n"


def _imports(recipe: Recipe, framework: Framework) -> list[str]:
    lines = []
    if framework == "torch" and (recipe.weight_decay is not None or recipe.label_smoothing):
        lines.append("import torch")
    if framework == "keras" and (recipe.weight_decay is not None or recipe.label_smoothing or recipe.early_stopping):
        lines.append("import keras")
    return lines + sorted(
        {f"from {kind.__module__} import {kind.__name__}" for kind in _kinds(recipe) if not _public(kind)}
    )


def _kinds(recipe: Recipe) -> set[type]:
    """The classes of the recipe's entries: penalties, schedules."""
    tables = (value for value in msgspec.structs.asdict(recipe).values() if isinstance(value, dict))
    return {type(entry) for table in tables for entry in table.values() if isinstance(entry, msgspec.Struct)}


def _public(kind: type) -> bool:
    return kind.__name__ in sukima.__all__


def _recipe(recipe: Recipe) -> list[str]:
    set_fields = [name for name in recipe.__struct_fields__ if getattr(recipe, name) != getattr(Recipe(), name)]
    if not set_fields:
        return ["recipe = sukima.Recipe()  # no regularization"]
    return ["recipe = sukima.Recipe(", *(line for name in set_fields for line in _field(name, recipe)), ")"]


def _field(name: str, recipe: Recipe) -> list[str]:
    value = getattr(recipe, name)
    if not isinstance(value, dict):
        return [f"    {name}={_literal(value)},"]
    entries = [f"{_literal(key)}: {_literal(entry)}" for key, entry in value.items()]
    line = f"    {name}={{{', '.join(entries)}}},"
    if len(line) <= 88:
        return [line]
    return [f"    {name}={{", *(f"        {entry}," for entry in entries), "    },"]


def _literal(value: Any) -> str:
    if isinstance(value, str):
        text = repr(value)
        return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text and "\\'" not in text else text
    if isinstance(value, msgspec.Struct):
        kind = type(value)
        settings = {field.name: getattr(value, field.name) for field in msgspec.structs.fields(kind)}
        if kind.__module__ != "sukima.records.schedule":  # a schedule is short: all that it has is shown
            defaults = {field.name: field.default for field in msgspec.structs.fields(kind)}
            settings = {name: setting for name, setting in settings.items() if setting != defaults[name]}
        named = isinstance(value, ElasticNet)  # of two numbers the reader must know which is which
        values = [
            f"{name}={_literal(setting)}"
            if named or (place and "schedule" not in kind.__module__)
            else _literal(setting)
            for place, (name, setting) in enumerate(settings.items())
        ]
        return f"{'sukima.' if _public(kind) else ''}{kind.__name__}({', '.join(values)})"
    return repr(value)


def _model(recipe: Recipe) -> list[str]:
    lines = []
    if recipe.options:
        lines.append("# model = build(**recipe.options), with build your model factory")
    if recipe.rates or recipe.penalties or recipe.constraints or recipe.schedules:
        lines.append("applied = sukima.apply(model, recipe)")
    return lines


def _torch_training(recipe: Recipe) -> list[str]:
    lines = []
    if recipe.weight_decay is not None:
        decay = _literal(recipe.weight_decay)
        lines.append(f"optimizer = torch.optim.AdamW(model.parameters(), weight_decay={decay})")
    if recipe.label_smoothing:
        lines.append(f"criterion = torch.nn.CrossEntropyLoss(label_smoothing={_literal(recipe.label_smoothing)})")
    if recipe.input_noise:
        lines.append(f"# in the training loop: x = x + {_literal(recipe.input_noise)} * torch.randn_like(x)")
    if recipe.mixup:
        share = _literal(recipe.mixup)
        lines.append(f"# in the training loop: mix pairs of rows and their losses, shares from Beta({share}, {share})")
    if recipe.schedules or any(penalty.schedule != Constant() for penalty in recipe.penalties.values()):
        lines.append("# at the start of each epoch: applied.progress(epoch / epochs)")
    if any(penalty.form == "loss" for penalty in recipe.penalties.values()):
        lines.append("# in the training loop: loss = criterion(model(x), y) + applied.penalty()")
    if recipe.constraints or any(penalty.form != "loss" for penalty in recipe.penalties.values()):
        lines.append("# in the training loop, after optimizer.step(): applied.step(optimizer)")
    if recipe.early_stopping is not None:
        lines.append(f"# stop after {recipe.early_stopping} epochs without a better validation loss, keep the best")
    return lines


def _keras_training(recipe: Recipe) -> list[str]:
    lines = []
    if recipe.weight_decay is not None:
        lines.append(f"optimizer = keras.optimizers.AdamW(weight_decay={_literal(recipe.weight_decay)})")
    if recipe.label_smoothing:
        smoothing = _literal(recipe.label_smoothing)
        lines.append(f"loss = keras.losses.CategoricalCrossentropy(label_smoothing={smoothing})")
    if recipe.early_stopping is not None:
        lines.append(
            f"stopping = keras.callbacks.EarlyStopping(patience={recipe.early_stopping}, restore_best_weights=True)"
        )
    return lines
