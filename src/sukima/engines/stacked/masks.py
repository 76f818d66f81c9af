"""The masks of a stack: each member's own rates and keys, in the order in which it would draw them alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sukima.engines.seeds import derive_seed
from sukima.engines.torch.run import Run
from sukima.masks import cpu, law
from sukima.masks.jobs import table
from sukima.masks.key import MaskKey
from sukima.torch import kernels

__all__ = ["Masks", "SiteMasks"]


class SiteMasks:
    """Those of one site; `Masks` keeps its rates and keys up to date.

    Attributes:
        rates: of the members, in this epoch.
        off: whether nothing is dropped for any member.
        seeds: the keys of this step.
    """

    def __init__(self, name: str, inserted: bool) -> None:
        self._name, self._inserted = name, inserted
        self.rates: list[float] = []
        self.off = True
        self.seeds: npt.NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._jobs: dict[tuple[int, ...], cpu.Job] = {}

    def rate_of(self, run: Run) -> float:
        """In force there now; 0 where dropout was inserted for other members only."""
        absent = self._inserted and self._name not in run.applied.inserted()
        return 0.0 if absent else run.applied.rate_now(self._name)

    def set_rates(self, rates: Sequence[float]) -> None:
        """The rates of an epoch."""
        self.rates, self._jobs = list(rates), {}
        self.off = not any(rates)
        self._scales = torch.tensor([law.scale(rate) for rate in rates], dtype=torch.float64)
        self._factors: Tensor | None = None

    def factors(self, like: Tensor) -> Tensor:
        """What each member's kept elements are multiplied with, to be broadcast over ``like``."""
        if self._factors is None:
            self._factors = self._scales.to(like).view(-1, *[1] * (like.dim() - 1))
        return self._factors

    def keys(self) -> list[MaskKey]:
        """Of every member."""
        return [MaskKey(int(seed)) for seed in self.seeds]

    def put(self, x: Tensor, out: Tensor) -> Tensor:
        """``x`` under the masks, into ``out``, which may be ``x``."""
        if x.device.type != "cpu" or not x[0].is_contiguous() or x.stride() != out.stride():
            return kernels.masked_rows(x, out, 0, self.keys(), self.rates)
        place = x.data_ptr(), out.data_ptr(), x[0].numel(), x.stride(0)
        if (job := self._jobs.get(place)) is None:
            rows = table([MaskKey(0)] * len(self.rates), self.rates, kernels.NUMBERS[x.dtype])
            job = cpu.Job(kernels.NUMBERS[x.dtype], *place, rows, torch.get_num_threads())
            self._jobs = {**dict(list(self._jobs.items())[-3:]), place: job}  # buffers are the same in each step
        job.run(self.seeds)
        return out


class Masks:
    """The masks of all sites of a network, in the order of execution."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = list(runs)
        self._generators = [torch.Generator().manual_seed(derive_seed(run.seed, "masks")) for run in runs]
        self.sites: list[SiteMasks] = []
        self._seeds: npt.NDArray[np.uint64] = np.zeros((0, 0, 0), np.uint64)

    def site(self, name: str, *, inserted: bool) -> SiteMasks:
        """A new site, after those before: a layer of the model's own or ``inserted``."""
        self.sites.append(SiteMasks(name, inserted))
        return self.sites[-1]

    def begin(self, progress: float, steps: int) -> None:
        """An epoch begins: rates as the schedules have them, and all its keys, a draw for each mask."""
        for run in self._runs:
            run.applied.progress(progress)
        for site in self.sites:
            site.set_rates([site.rate_of(run) for run in self._runs])
        for site in self.sites:
            site.seeds = np.zeros(len(self._runs), np.uint64)
        self._seeds = np.zeros((steps, len(self.sites), len(self._runs)), np.uint64)
        for member, generator in enumerate(self._generators):
            # Where nothing is dropped nothing is drawn.
            on = [index for index, site in enumerate(self.sites) if site.rates[member]]
            drawn = torch.empty(steps, len(on), dtype=torch.int64).random_(-(2**63), None, generator=generator)
            self._seeds[:, on, member] = drawn.numpy().view(np.uint64)

    def step(self, number: int) -> None:
        """A step of the epoch begins."""
        for site, seeds in zip(self.sites, self._seeds[number], strict=True):
            site.seeds = seeds

    def seeds_of(self, member: int) -> npt.NDArray[np.int64]:
        """One member's keys of the epoch (steps, sites), as signed numbers."""
        return np.ascontiguousarray(self._seeds[:, :, member]).view(np.int64)

    def tensors(self) -> tuple[Tensor, Tensor]:
        """The keys (members, sites, 2) and rates (members, sites) of this step."""
        members = len(self._runs)
        seeds = np.stack([site.seeds for site in self.sites], 1) if self.sites else np.zeros((members, 0), np.uint64)
        keys = np.stack([seeds.view(np.int64), np.zeros_like(seeds, np.int64)], 2)
        rates = torch.tensor([site.rates for site in self.sites], dtype=torch.float64).reshape(-1, members)
        return torch.from_numpy(keys), rates.T

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these members only."""
        self._runs = [self._runs[index] for index in kept]
        self._generators = [self._generators[index] for index in kept]
