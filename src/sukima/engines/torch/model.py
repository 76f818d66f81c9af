"""A new model from a task's factory."""

from __future__ import annotations

import inspect
from weakref import WeakValueDictionary

from torch import nn

from sukima.base.errors import InputError
from sukima.records.recipe import Recipe
from sukima.records.task import Task
from sukima.torch.replace import replace

__all__ = ["new_model"]


def new_model(task: Task, recipe: Recipe) -> nn.Module:
    """A new model from the task's factory, with the recipe's options; torch's dropout in it is replaced by ours."""
    _check_options(task, recipe)
    model = task.model(**recipe.options)
    if not isinstance(model, nn.Module):
        raise InputError("model() must give a torch.nn.Module, got {kind}", kind=type(model).__name__)
    model = replace(model).to(task.device)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and _trained.get(id(parameter)) is parameter:
            raise InputError(
                "model() must make new weights at each call, got {name} of an earlier model again", name=name
            )
        _trained[id(parameter)] = parameter
    return model


# A factory that hands out one model again and again would train it further in each trial.
_trained: WeakValueDictionary[int, nn.Parameter] = WeakValueDictionary()


def _check_options(task: Task, recipe: Recipe) -> None:
    try:
        inspect.signature(task.model).bind(**recipe.options)
    except TypeError as error:
        raise InputError(
            "options must be what the model factory takes, got {options}: {why}",
            options=", ".join(recipe.options) or "-",
            why=error,
        ) from None
    except ValueError:  # a callable that does not tell what it takes
        return
