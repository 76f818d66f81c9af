"""Replace torch's own modules with dropout by ours: the same rates and modes, faster masks."""

from __future__ import annotations

from torch import nn

from sukima.torch.alpha import AlphaDropout, FeatureAlphaDropout
from sukima.torch.channel import Dropout1d, Dropout2d, Dropout3d
from sukima.torch.dropout import Dropout
from sukima.torch.multihead import MultiheadAttention
from sukima.torch.recurrent import by_law

__all__ = ["replace"]

# Exact types only: a subclass may do something else.
_OURS: dict[type[nn.Module], type[nn.Module]] = {
    nn.Dropout: Dropout,
    nn.Dropout1d: Dropout1d,
    nn.Dropout2d: Dropout2d,
    nn.Dropout3d: Dropout3d,
    nn.AlphaDropout: AlphaDropout,
    nn.FeatureAlphaDropout: FeatureAlphaDropout,
}


def replace(model: nn.Module) -> nn.Module:
    """Put ours in the place of each ``nn.Dropout``, ``1d``, ``2d``, ``3d``, alpha dropout, attention, LSTM and GRU.

    Rates, modes (training or inference) and ``inplace`` stay; parameters and the names in the state dict are
    untouched. A module that stands at several places is replaced by one module at all of them. Attention, and LSTM and
    GRU of several layers, stay the same objects, with their parameters and hooks, and only become `MultiheadAttention`,
    `LSTM` and `GRU`.

    Returns:
        ``model`` itself, changed in place (a new module if ``model`` is itself a dropout module).
    """
    made: dict[int, nn.Module] = {}

    def ours(module: nn.Module) -> nn.Module:
        if type(module) is nn.MultiheadAttention:
            module.__class__ = MultiheadAttention
        if isinstance(module, nn.RNNBase) and module.num_layers > 1:  # it drops between layers
            return by_law(module)
        cls = _OURS.get(type(module))
        if cls is None:
            return module
        if id(module) not in made:
            made[id(module)] = cls(module.p, module.inplace).train(module.training)
        return made[id(module)]

    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if child is not None:
                parent._modules[name] = ours(child)
    return ours(model)
