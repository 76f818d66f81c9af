"""Masks at inference: modes, predictions, streams, ensembles."""

import pytest
import torch
from torch import nn

import sukima
import sukima.torch as st
from sukima.base.errors import InputError
from sukima.masks.key import MaskKey


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.4), nn.Linear(32, 3)
    )  # fmt: skip


def test_only_dropout_is_in_training_mode_and_modes_come_back() -> None:
    net = model().train()
    net[1].eval()
    statistics = {k: v.clone() for k, v in net[1].state_dict().items()}

    def fail() -> None:
        with st.sampling(net):
            assert [m.training for m in net] == [False, False, False, True, False]
            net(torch.randn(8, 6))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [m.training for m in net] == [True, False, True, True, True]
    assert all(torch.equal(v, statistics[k]) for k, v in net[1].state_dict().items())


@pytest.mark.parametrize(
    "net",
    [
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.3, batch_first=True), 1),
        nn.LSTM(8, 8, num_layers=2, dropout=0.5),
        st.LSTM(8, 8, input_dropout=0.5),
        st.DropConnect(8, 8),
        st.LayerDrop([nn.Linear(8, 8)] * 4, p=0.5),
        st.ConcreteDropout(nn.Linear(8, 8), 0.5),
    ],
    ids=lambda m: type(m).__name__,
)
def test_masks_act_in_every_kind_of_module(net: nn.Module) -> None:
    net.eval()
    x = torch.randn(2, 3, 8)

    def run() -> torch.Tensor:
        result = net(x)
        return result[0] if isinstance(result, tuple) else result

    with torch.no_grad():
        assert torch.equal(run(), run())
        with st.sampling(net):
            assert len({tuple(run().flatten().tolist()) for _ in range(8)}) > 1
        assert torch.equal(run(), run())


def test_inserted_dropout_acts() -> None:
    net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))
    sukima.apply(net, sukima.Recipe(rates={"1": 0.5}))
    net.eval()
    x = torch.randn(1, 4)
    with st.sampling(net):
        assert not torch.equal(net(x), net(x))
    assert torch.equal(net(x), net(x))


def test_predict_agrees_with_its_samples_however_it_is_cut() -> None:
    net = model().eval()
    x = torch.randn(11, 6)
    for rows in (1, 7, 64, 10_000):
        found = st.predict(net, x, samples=13, output="logits", rows=rows, seed=3, keep_samples=True)
        samples = found.samples
        assert samples is not None
        assert samples.shape == (13, 11, 3)
        torch.testing.assert_close(found.mean, samples.mean(0))
        torch.testing.assert_close(found.variance, samples.var(0, correction=0))
        whole = torch.distributions.Categorical(probs=samples.mean(0)).entropy()
        torch.testing.assert_close(found.entropy, whole)
        inner = torch.distributions.Categorical(probs=samples).entropy().mean(0)
        torch.testing.assert_close(found.mutual_information, whole - inner, atol=1e-5, rtol=1e-4)


def test_predict_is_reproducible_and_leaves_the_generator() -> None:
    net, x = model().eval(), torch.randn(4, 6)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = st.predict(net, x, 9, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.mean, st.predict(net, x, 9, seed=1).mean)
    assert not torch.equal(first.mean, st.predict(net, x, 9, seed=2).mean)
    assert first.entropy is None
    assert first.mutual_information is None
    assert first.samples is None


def test_predict_takes_a_stream_and_no_rows() -> None:
    net, x = model().eval(), torch.randn(9, 6)
    assert st.predict(net, (part for part in x.split(4)), 5).mean.shape == (9, 3)
    assert st.predict(net, x[:0], 5).mean.shape == (0, 3)
    with pytest.raises(InputError, match="x must be a batch"):
        st.predict(net, [], 5)
    with pytest.raises(InputError, match="output must be one of"):
        st.predict(net, x, output="classes")  # type: ignore[arg-type]


def test_one_mask_for_a_stream() -> None:
    net = model().eval()
    x = torch.randn(1, 6).expand(8, 6)
    found = st.predict(net, x.split(3), 10, one_mask=True, seed=1, keep_samples=True)
    assert found.samples is not None
    torch.testing.assert_close(found.samples, found.samples[:, :1].expand_as(found.samples))
    assert found.variance.min() > 0


def test_consistent_drops_whole_channels_and_all_at_one() -> None:
    net = nn.Sequential(nn.Dropout2d(0.5), nn.Dropout(1.0))
    with st.consistent(net, MaskKey(4)):
        assert (net(torch.ones(2, 8, 3, 3)) == 0).all()
        y = net[0](torch.ones(2, 64, 3, 3))
    assert torch.equal(y[0], y[1])
    assert set(y.mean((2, 3)).unique().tolist()) == {0.0, 2.0}
    assert net.training
    assert net[0](torch.ones(1, 1, 1, 1)).numel() == 1


def test_many_samples_approach_weight_scaling() -> None:
    """For a linear network the mean over masks is the unmasked output; 50 passes come near (Srivastava 2014, 7.5)."""
    torch.manual_seed(1)
    net = nn.Sequential(st.Dropout(0.5), nn.Linear(200, 4)).eval()
    x = torch.randn(64, 200)
    exact = net(x)
    error = {n: (st.predict(net, x, n, seed=2).mean - exact).square().mean().sqrt() for n in (1, 50, 800)}
    assert error[50] < error[1] / 5
    assert error[800] < error[50] / 2.5


def test_ensemble_of_different_rates() -> None:
    members = [nn.Sequential(nn.Dropout(rate), nn.Linear(3, 2)) for rate in (0.1, 0.5)]
    both = st.Ensemble(members, output="logits")
    x = torch.randn(4, 3)
    found = both.predict(x, keep_samples=True)
    expected = torch.stack([m[1](x).softmax(-1) for m in members])
    torch.testing.assert_close(found.samples, expected)
    torch.testing.assert_close(both.eval()(x), expected.mean(0))
    assert members[0].training is False


def test_multi_sample_dropout() -> None:
    head = st.MultiSampleDropout(nn.Linear(4, 2), samples=5, p=0.5)
    x = torch.randn(3, 4)
    torch.manual_seed(0)
    every = head.outputs(x)
    assert every.shape == (5, 3, 2)
    torch.manual_seed(0)
    torch.testing.assert_close(head(x), every.mean(0))
    torch.testing.assert_close(head.eval()(x), head.head(x))


def test_r_drop_is_the_papers_loss_halved() -> None:
    a, b, y = torch.randn(6, 3), torch.randn(6, 3), torch.randint(3, (6,))
    ce = nn.functional.cross_entropy(a, y) + nn.functional.cross_entropy(b, y)
    kl = nn.functional.kl_div(a.log_softmax(-1), b.log_softmax(-1), log_target=True, reduction="batchmean")
    kl += nn.functional.kl_div(b.log_softmax(-1), a.log_softmax(-1), log_target=True, reduction="batchmean")
    torch.testing.assert_close(st.r_drop_loss(a, b, y, 3.0), (ce + 3.0 * kl / 2) / 2)
    net = model()
    x = torch.randn(6, 6)
    torch.manual_seed(0)
    loss = st.r_drop(net, x, y)
    torch.manual_seed(0)
    torch.testing.assert_close(loss, st.r_drop_loss(*net(torch.cat((x, x))).chunk(2), y))
    with pytest.raises(InputError, match="logits of one shape"):
        st.r_drop_loss(a, b[:3], y)
