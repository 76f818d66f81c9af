"""Rates that modules hold as plain numbers, as models of Hugging Face and timm do."""

from collections.abc import Callable

import hugging_face
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import sukima
import sukima.torch as st
from sukima.torch.trace import functional_dropout


def every_rate_zero(model: nn.Module) -> sukima.torch.Applied:
    return sukima.apply(model, sukima.Recipe(rates={name: 0.0 for name, s in st.sites(model).items() if s.exists}))


def rates(model: nn.Module) -> dict[str, float]:
    return {name: site.rate for name, site in st.sites(model).items() if site.exists}


def run_at_inference(model: nn.Module, run: Callable[[int], Tensor]) -> Tensor:
    model.eval()
    result = run(3)
    model.train()
    return result


def check_that_the_sites_are_all(model: nn.Module, run: Callable[[int], Tensor]) -> None:
    """At rate 0 nothing is left to chance, each site alone brings some back, and the handle restores."""
    before = rates(model.train())
    applied = every_rate_zero(model)
    silent = run(1)
    assert torch.equal(run(2), silent)
    torch.testing.assert_close(silent, run_at_inference(model, run))
    for site in before:
        applied.rates[site] = 0.9
        assert any(not torch.equal(run(seed), silent) for seed in range(4)), site
        applied.rates[site] = 0.0
    applied.remove()
    assert rates(model) == before
    assert not torch.equal(run(1), run(2))


@pytest.mark.parametrize("name", hugging_face.NAMES)
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_every_dropout_of_hugging_faces_models_is_a_site(name: str, attention: str) -> None:
    model = hugging_face.model(name, attention)
    check_that_the_sites_are_all(model, hugging_face.runner(model, name))


@pytest.mark.parametrize(
    ("name", "site", "kind"),
    [
        ("llama", "model.layers.0.self_attn.attention_dropout", "attention"),
        ("vit", "vit.layers.0.attention.attention_dropout", "attention"),
        ("t5", "encoder.block.0.layer.0.SelfAttention.dropout", "attention"),
        ("bart", "model.encoder.layers.0.activation_dropout", "unit"),
        ("bart", "model.encoder.layerdrop", "layer"),
        ("wav2vec2", "wav2vec2.encoder.config.layerdrop", "layer"),
        ("swin", "swin.encoder.layers.1.blocks.0.drop_path", "path"),
    ],
)
def test_names_and_kinds(name: str, site: str, kind: str) -> None:
    found = st.sites(hugging_face.model(name))[site]
    assert (found.kind, found.rate) == (kind, 0.2 if kind == "path" else 0.1)


def test_a_weight_layer_of_others_making_counts() -> None:
    found = st.sites(hugging_face.model("gpt2"))
    assert found["transformer.drop"].place == "input"
    assert found["transformer.h.0.mlp.dropout"].place == "hidden"
    assert found["transformer.h.0.mlp.dropout"].after == "Conv1D"


class Attention(nn.Module):
    """As in timm: a module whose rate is read for the fused path."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)
        self.attn_drop = nn.Dropout(rate)
        self.proj_drop = nn.Dropout(rate)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).reshape(*x.shape[:2], 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v, dropout_p=self.attn_drop.p if self.training else 0.0)
        return self.proj_drop(self.proj(x.transpose(1, 2).flatten(2)))


class NumberAttention(Attention):
    """The same, holding numbers."""

    def __init__(self, rate: float) -> None:
        super().__init__(rate)
        del self.attn_drop, self.proj_drop
        self.attn_drop, self.proj_drop = rate, rate

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).reshape(*x.shape[:2], 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v, dropout_p=self.attn_drop if self.training else 0.0)
        return self._project(x.transpose(1, 2).flatten(2))

    def _project(self, x: Tensor) -> Tensor:
        return F.dropout(self.proj(x), p=self.proj_drop, training=self.training)


class DropPath(nn.Module):
    def __init__(self, drop_prob: float, scale_by_keep: bool = True) -> None:
        super().__init__()
        self.drop_prob, self.scale_by_keep = drop_prob, scale_by_keep

    def forward(self, x: Tensor) -> Tensor:
        if self.drop_prob == 0.0 or not self.training:
            return x
        return x * x.new_empty(x.shape[0], 1, 1).bernoulli_(1 - self.drop_prob) / (1 - self.drop_prob)


class StochasticDepth(nn.Module):
    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return x * (torch.rand(x.shape[0], 1, 1) >= self.p) if self.training else x


class Block(nn.Module):
    def __init__(self, attention: nn.Module, rate: float) -> None:
        super().__init__()
        self.attn, self.mlp = attention, nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Dropout(rate), nn.Linear(16, 8))
        self.drop_path1, self.drop_path2 = DropPath(rate), StochasticDepth(rate)
        self.drop_rate = rate  # kept to be looked at; nothing reads it
        self.dropout_seed, self.last_drop_step, self.drop_last = 0, 1, False

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path1(self.attn(x))
        return x + self.drop_path2(self.mlp(x))


@pytest.mark.parametrize("attention", [Attention, NumberAttention])
def test_modules_of_timms_shape(attention: type[nn.Module]) -> None:
    torch.manual_seed(0)
    model, x = Block(attention(0.1), 0.1), torch.randn(4, 5, 8)

    def run(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return model(x)

    assert set(st.sites(model)) == {
        "attn.attn_drop", "attn.proj_drop", "mlp.2", "drop_path1", "drop_path2",
    }  # fmt: skip
    check_that_the_sites_are_all(model, run)
    st.replace(model)
    check_that_the_sites_are_all(model, run)


class Functions(nn.Module):
    """One rate held, one written into the call; and one held that takes what comes out."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 8), nn.Linear(8, 2)
        self.dropout, self.output_dropout = 0.1, 0.2

    def forward(self, x: Tensor) -> Tensor:
        x = F.dropout(self.first(x).relu(), self.dropout, self.training)
        x = F.dropout(x, 0.3, self.training)
        return F.dropout(self.second(x), p=self.output_dropout, training=self.training)


def test_an_example_tells_where_held_rates_act() -> None:
    model, x = Functions(), torch.randn(3, 4)
    found = st.sites(model, x)
    assert (found["dropout"].place, found["output_dropout"].place) == ("hidden", "output")
    assert type(model.dropout) is float
    assert functional_dropout(model, x) == ["dropout"]
    applied = sukima.apply(model, sukima.Recipe(rates={"*": 0.5}), x)
    assert dict(applied.rates) == {"dropout": 0.5}
    assert (model.dropout, model.output_dropout) == (0.5, 0.2)
    applied.remove()
    assert model.dropout == 0.1


def test_schedules_move_held_rates() -> None:
    model = Functions()
    applied = sukima.apply(model, sukima.Recipe(rates={"dropout": 0.4}, schedules={"*": sukima.Linear(0.0, 1.0)}))
    applied.progress(0.5)
    assert model.dropout == pytest.approx(0.2)
    assert applied.rate_now("output_dropout") == pytest.approx(0.2)


def test_rates_of_zero_are_places_where_dropout_could_act() -> None:
    model = Functions()
    model.dropout = model.output_dropout = 0
    found = st.sites(model, torch.randn(3, 4))
    assert {name for name, site in found.items() if site.exists} == {"dropout", "output_dropout"}
    assert {name for name, site in found.items() if not site.exists} == {"second.input"}
    bart = hugging_face.model("bart")
    assert "model.decoder.layerdrop" not in st.sites(bart)  # "*" means to drop units, not layers where none were
    applied = sukima.apply(bart, sukima.Recipe(rates={"model.decoder.layerdrop": 0.2}))
    assert bart.model.decoder.layerdrop == 0.2
    applied.remove()
    assert bart.model.decoder.layerdrop == 0.0


def test_sampling_lets_held_rates_act() -> None:
    model, x = nn.Sequential(nn.BatchNorm1d(4), Functions()).eval(), torch.randn(3, 4)
    with st.sampling(model):
        assert not torch.equal(model(x), model(x))
        assert not model[0].training
    assert torch.equal(model(x), model(x))


def test_rates_of_our_recurrent_layers_are_sites() -> None:
    rates = {"input_dropout": 0.1, "weight_dropout": 0.2, "recurrent_dropout": 0.3, "zoneout_hidden": 0.05}
    model = nn.Sequential(st.LSTM(3, 4, 2, dropout=0.4, batch_first=True, **rates), Last(), nn.Linear(4, 2))
    for example in (None, torch.randn(2, 5, 3)):
        found = st.sites(model, example)
        assert {name: site.rate for name, site in found.items()} == {
            "0.input_dropout": 0.1, "0.weight_dropout": 0.2, "0.recurrent_dropout": 0.3, "0.zoneout_hidden": 0.05,
            "0": 0.4,
        }  # fmt: skip
        assert [site.kind for site in found.values()].count("recurrent") == 3
        assert found["0.weight_dropout"].kind == "weight"
        assert found["0.input_dropout"].place == "input"
    handle = st.apply(model, sukima.Recipe(rates={"0.input_dropout": 0.6, "0": 0.0}))
    assert (model[0].input_dropout, model[0].dropout, model[0].weight_dropout) == (0.6, 0.0, 0.2)
    handle.remove()
    assert (model[0].input_dropout, model[0].dropout) == (0.1, 0.4)
    x, stripped = torch.randn(2, 5, 3), st.strip(model)
    assert torch.equal(stripped(x), model.eval()(x))  # with zoneout's expectation
    plain = st.sites(nn.Sequential(st.GRU(3, 4), Last(), nn.Linear(4, 2)))
    assert plain
    assert not any(site.exists for site in plain.values())


class Last(nn.Module):
    def forward(self, given: tuple[torch.Tensor, object]) -> torch.Tensor:
        return given[0][:, -1]
