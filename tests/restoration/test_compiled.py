"""The networks can be compiled as a whole, and in batches of few sizes. Checked on a CPU, without code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch._dynamo
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.support.evidence import tiny_network
from tests.support.memory_errors import DEVICE_ERRORS
from tests.support.networks import SMALL
from vidrestore.daefr import Daefr, inference
from vidrestore.errors import DeviceError
from vidrestore.evidence import TwoSizeEvidence
from vidrestore.restoration import DaefrGenerator
from vidrestore.restoration.compiled import FIXED_BATCHES, compile_backend, compiled, fixed_batch
from vidrestore.restoration.estimator import Estimator
from vidrestore.runtime.system_errors import is_out_of_memory

CPU = torch.device("cpu")


def counting(graphs: list[list[torch.Size]]) -> Callable[..., Callable[..., object]]:
    """A backend that runs each graph as it is, and notes the shapes of its inputs."""

    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Callable[..., object]:
        graphs.append([x.shape for x in inputs if isinstance(x, Tensor)])
        return graph.forward

    return backend


@torch.inference_mode()
def pictures(count: int, side: int) -> Tensor:
    """As a run gives them: another kind of tensor would be compiled separately."""
    return torch.rand(count, 3, side, side)


@pytest.fixture(autouse=True)
def no_other_graphs() -> None:
    torch._dynamo.reset()


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The layers of a GPU."""
    monkeypatch.setattr(
        "vidrestore.restoration.generator.optimize_for_inference",
        lambda part, _, *how: inference.optimize_for_inference(part, torch.device("cuda"), *how),
    )


def generator(look_up: str, backend: object) -> DaefrGenerator:
    torch.manual_seed(0)
    network = Daefr(SMALL).eval().requires_grad_(False)
    make = partial(DaefrGenerator, network, device=CPU, with_detail=True)
    return make(look_up=look_up, backend=backend)


@pytest.mark.usefixtures("as_on_a_gpu")
@pytest.mark.parametrize("look_up", [pytest.param("hard", marks=pytest.mark.slow), "soft"])
def test_each_step_of_the_generator_is_one_graph_with_the_same_result(look_up: str) -> None:
    graphs: list[list[torch.Size]] = []
    plain, fast = generator(look_up, None), generator(look_up, counting(graphs))
    for count in (3, 4, 2):  # all padded to four
        faces = pictures(count, SMALL.image_size)
        drawn = [g.decode_tensors(g.predict(g.encode_tensors(faces))) for g in (plain, fast)]
        assert drawn[1].shape == faces.shape
        assert torch.allclose(drawn[0], drawn[1], atol=1e-4)
    assert len(graphs) == 3  # encoder, predictor and decoder


def test_the_evidence_network_is_one_graph_with_the_same_result() -> None:
    graphs: list[list[torch.Size]] = []
    network = tiny_network()
    plain = Estimator(TwoSizeEvidence(network), device=CPU, precision=torch.float32)
    fast = Estimator(TwoSizeEvidence(network), device=CPU, precision=torch.float32, backend=counting(graphs))  # type: ignore[arg-type]
    for count in (3, 4, 5):
        faces = pictures(count, 64)
        one, other = (estimator.evidence(faces) for estimator in (plain, fast))
        assert torch.allclose(one.evidence.mean, other.evidence.mean, atol=1e-5)
        assert torch.allclose(one.evidence.scale, other.evidence.scale, atol=1e-5)
        assert torch.allclose(one.change, other.change, atol=1e-5)
        assert torch.equal(one.certain, other.certain)
    assert len(graphs) == 2  # batches of four and of eight


@given(st.integers(1, 100))
def test_compiled_batches_have_few_sizes(count: int) -> None:
    size = fixed_batch(count)
    assert size >= count
    assert size in FIXED_BATCHES or size % FIXED_BATCHES[-1] == 0
    assert size < 2 * count or size == FIXED_BATCHES[0]


def test_a_function_that_cannot_be_compiled_runs_without_compilation(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def failing(*_: object) -> Callable[..., object]:
        raise RuntimeError("there is no C compiler")

    double = compiled(lambda x: (2 * x,), failing)  # type: ignore[arg-type]
    for _ in range(2):
        assert torch.equal(double(torch.ones(3))[0], torch.full((3,), 2.0))
    own = [record.message for record in caplog.records if record.name.startswith("vidrestore")]
    assert own == ["the networks are not compiled: backend='failing' raised:"]


@pytest.mark.parametrize("error", DEVICE_ERRORS)
def test_a_lack_of_memory_in_a_compiled_batch_is_reported_and_the_next_batch_is_compiled(
    error: Callable[[], Exception],
) -> None:
    graphs: list[list[torch.Size]] = []

    def full(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Callable[..., object]:
        def run(*tensors: Tensor) -> object:
            if len(tensors[0]) > 4:
                raise error()
            return graph.forward(*tensors)

        graphs.append([x.shape for x in inputs])
        return run

    double = compiled(lambda x: (2 * x,), full)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError) as caught:
        double(torch.ones(8, 3))
    assert is_out_of_memory(caught.value)
    assert torch.equal(double(torch.ones(4, 3))[0], torch.full((4, 3), 2.0))
    assert graphs == [[torch.Size([8, 3])], [torch.Size([4, 3])]]


def test_without_a_gpu_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compile_backend(CPU, False) is None
    with pytest.raises(DeviceError, match="leave out --compile"):
        compile_backend(CPU, True)
    monkeypatch.setattr("vidrestore.restoration.compiled.find_spec", lambda _: object())
    assert compile_backend(torch.device("cuda"), True) == "inductor"
    monkeypatch.setattr("vidrestore.restoration.compiled.find_spec", lambda _: None)
    with pytest.raises(DeviceError, match="triton"):
        compile_backend(torch.device("cuda"), True)
