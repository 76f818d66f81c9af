"""Keyed masks where dropout was inserted by a recipe, and what keyed() leaves behind: nothing."""

import warnings

import pytest
import torch
import torch._dynamo.testing
from torch import nn
from torch.nn.modules import module as every_module

import sukima
import sukima.torch as st
from sukima.base.errors import InputError
from sukima.masks import law
from sukima.masks.key import MaskKey

N = 512


def site_key(site: str, number: int = 0, step: int = 0) -> MaskKey:
    return MaskKey(4).fold_in(0).fold_in(site).fold_in(number).fold_in(0).fold_in(step).fold_in(0)


def kept(key: MaskKey, *shape: int) -> torch.Tensor:
    return torch.from_numpy(law.keep(key, 0.5, torch.Size(shape).numel())).view(shape)


class Ones(nn.Module):
    """A host whose output is its own business."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ones_like(x)


def model() -> nn.Sequential:
    return nn.Sequential(nn.Sequential(Ones(), Ones()), Ones())


@pytest.mark.parametrize("given", [True, False])
def test_inserted_dropout_is_keyed_by_its_site(given: bool) -> None:
    net = model()
    seen: list[torch.Tensor] = []
    net[1].register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    applied = sukima.apply(net, sukima.Recipe(rates={"0.1": 0.5, "1.input": 0.5, "1": 0.5}))
    with st.keyed(net if given else None, seed=4, step=7):
        out = net(torch.ones(3, N))
    assert torch.equal(seen[0] != 0, kept(site_key("0.1", step=7), 3, N))
    assert torch.equal(out != 0, kept(site_key("1", step=7), 3, N))
    applied.remove()
    net[1].forward = lambda x: x  # type: ignore[method-assign]
    sukima.apply(net, sukima.Recipe(rates={"1.input": 0.5}))
    with st.keyed(net if given else None, seed=4, step=7):
        assert torch.equal(net(torch.ones(3, N)) != 0, kept(site_key("1.input", step=7), 3, N))


def test_inserted_channels() -> None:
    net = nn.Sequential(nn.Conv1d(4, 16, 1), nn.ReLU(), nn.Conv1d(16, 16, 1))
    sukima.apply(net, sukima.Recipe(rates={"1": 0.5}))
    seen: list[torch.Tensor] = []
    net[2].register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    nn.init.constant_(net[0].bias, 100.0)
    with st.keyed(seed=4):
        net(torch.ones(32, 4, 3))
    assert torch.equal(seen[0][..., 0] != 0, kept(site_key("1").fold_in("channel"), 32, 16))


@pytest.mark.parametrize("given", [True, False])
def test_a_host_that_drops_itself_has_another_mask(given: bool) -> None:
    class Host(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return st.dropout(x, 0.5)

    net = nn.Sequential(Host())
    sukima.apply(net, sukima.Recipe(rates={"0": 0.5}))
    with st.keyed(net if given else None, seed=4):
        out = net(torch.ones(N))
    assert torch.equal(out != 0, kept(site_key("0"), N) & kept(site_key("0", 1), N))


def test_inserted_dropout_compiles_without_recompiling() -> None:
    net = model()
    sukima.apply(net, sukima.Recipe(rates={"0.0": 0.5, "1.input": 0.25, "1": 0.5}))
    torch._dynamo.reset()
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(net, fullgraph=True, backend=counter)
    graphs = []
    for step in range(20):
        with warnings.catch_warnings(), st.keyed(net, seed=4, step=torch.tensor(step)):
            warnings.simplefilter("error")
            ours = compiled(torch.ones(N))
        with st.keyed(net, seed=4, step=step):
            assert torch.equal(ours, net(torch.ones(N)))
        graphs.append(counter.frame_count)
    assert graphs == graphs[:1] * 20


def test_no_hooks_are_left() -> None:
    net = model()
    for given in (net, None):
        with st.keyed(given, seed=4), st.keyed(net, seed=5):
            net(torch.ones(3))
        with pytest.raises(InputError), st.keyed(given, seed=4):
            st.dropout(torch.ones(3))
    assert not every_module._has_any_global_hook()
    assert not any(m._forward_hooks or m._forward_pre_hooks or m._forward_hooks_always_called for m in net.modules())


def test_nested_contexts_on_one_model() -> None:
    net = nn.Sequential(st.Dropout(0.5))
    with st.keyed(net, seed=4):
        with st.keyed(net, seed=5):
            inner = net(torch.ones(N))
        outer = net(torch.ones(N))
    with st.keyed(net, seed=4):
        assert torch.equal(net(torch.ones(N)), outer)
    assert not torch.equal(inner, outer)


def test_a_site_used_twice_is_found_in_compiled_code_too() -> None:
    class Twice(nn.Module):
        def __init__(self, told: bool) -> None:
            super().__init__()
            self.told, self.drop = told, st.Dropout(0.5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.drop(x, call=0) + 2 * self.drop(x, call=1 if self.told else 0)

    told = Twice(told=True)
    torch._dynamo.reset()
    with st.keyed(told, seed=4):
        ours = torch.compile(told, fullgraph=True, backend="aot_eager")(torch.ones(N))
    with st.keyed(told, seed=4):
        assert torch.equal(ours, told(torch.ones(N)))
    untold = Twice(told=False)
    compiled = torch.compile(untold, fullgraph=True, backend="aot_eager")
    with pytest.raises(torch._dynamo.exc.Unsupported, match="used twice"), st.keyed(untold, seed=4):
        compiled(torch.ones(N))


def test_torchs_own_dropout_in_compiled_code_is_an_error_with_a_way_out() -> None:
    net = nn.Sequential(nn.Dropout(0.5), nn.AlphaDropout(0.5))
    torch._dynamo.reset()
    with st.accelerate(), st.keyed(net, seed=4):
        with pytest.raises(RuntimeError, match=r"sukima\.torch\.replace"):
            torch.compile(net, fullgraph=True, backend="aot_eager")(torch.ones(N))
        expected = net(torch.ones(N))
    st.replace(net)
    with st.keyed(net, seed=4):
        ours = torch.compile(net, fullgraph=True, backend="aot_eager")(torch.ones(N))
    torch.testing.assert_close(ours, expected)
