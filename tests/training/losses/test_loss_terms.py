"""The losses are those of the specification, compared with known results."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from tests.support.fake_device import replace_parameters
from vidrestore.daefr.vector_quantizer import Codebook
from vidrestore.errors import UsageError
from vidrestore.faces.alignment import template
from vidrestore.training.losses.detector_loss import DetectorLoss
from vidrestore.training.losses.discriminator import (
    activations,
    balance,
    feature_matching,
    hinge,
    make_discriminator,
)
from vidrestore.training.losses.loss_terms import (
    AssociationLoss,
    edge_loss,
    feature_weights,
    make_perceptual,
    pixel_loss,
    texture_loss,
)


def test_the_quantiser_takes_the_nearest_code_and_passes_gradients_straight_through() -> None:
    torch.manual_seed(0)
    codebook = Codebook(7, 3)
    torch.nn.init.normal_(codebook.embedding.weight)
    z = torch.randn(2, 3, 4, 4, requires_grad=True)
    quantised, loss, codes = codebook(z)
    flat = z.detach().permute(0, 2, 3, 1).reshape(-1, 3)
    nearest = torch.cdist(flat, codebook.embedding.weight).argmin(1)
    assert torch.equal(codes.flatten(), nearest)
    picked = codebook.embedding.weight[nearest]
    assert loss.item() == pytest.approx(1.25 * (picked - flat).square().mean().item(), rel=1e-5)
    (gradient,) = torch.autograd.grad(quantised.sum(), z)
    assert torch.allclose(gradient, torch.ones_like(z))


def test_the_encoder_learns_from_the_codebook_loss_and_the_codebook_from_a_quarter_of_it() -> None:
    codebook = Codebook(1, 2)
    z = torch.ones(1, 2, 1, 1, requires_grad=True)
    with torch.no_grad():
        codebook.embedding.weight.zero_()
    codebook(z)[1].backward()
    assert codebook.embedding.weight.grad is not None
    assert z.grad is not None
    assert codebook.embedding.weight.grad.flatten().tolist() == pytest.approx([-0.25, -0.25])
    assert z.grad.flatten().tolist() == pytest.approx([1.0, 1.0])


def test_the_nearest_code_is_the_same_under_autocast() -> None:
    torch.manual_seed(0)
    codebook = Codebook(1024, 64)
    z = torch.randn(4, 64, 16, 16)
    exact = codebook.nearest(z)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(codebook.nearest(z), exact)


def test_unused_codes_move_onto_features_and_used_ones_stay() -> None:
    codebook = Codebook(4, 2)
    before = codebook.embedding.weight.detach().clone()
    codebook.reset_codes(torch.tensor([True, False, True, False]), torch.full((5, 2), 9.0))
    assert torch.equal(codebook.embedding.weight[[1, 3]], before[[1, 3]])
    assert (codebook.embedding.weight[[0, 2]] == 9).all()


def test_association_of_one_pair_of_random_features_starts_near_chance() -> None:
    torch.manual_seed(0)
    loss = AssociationLoss()
    assert float(loss.logit_scale.exp()) == pytest.approx(1 / 0.07)
    features = torch.randn(2, 32, 4, 4)
    assert float(loss(features, features)) < 0.1
    assert float(loss(features, torch.randn(2, 32, 4, 4))) > math.log(32)


def test_association_equals_the_symmetric_cross_entropy() -> None:
    torch.manual_seed(1)
    h, low = torch.randn(1, 5, 2, 2), torch.randn(1, 5, 2, 2)
    a, b = (F.normalize(x.flatten(2)[0].t(), dim=1) for x in (h, low))
    logits = a @ b.t() / 0.07
    expected = -0.5 * (logits.log_softmax(1).diag().mean() + logits.log_softmax(0).diag().mean())
    assert float(AssociationLoss()(h, low)) == pytest.approx(float(expected), rel=1e-5)


def test_hinge_is_zero_once_the_discriminator_is_sure() -> None:
    assert float(hinge(torch.tensor([1.5]), torch.tensor([-2.0]))) == 0
    assert float(hinge(torch.tensor([0.0]), torch.tensor([0.0]))) == 1


def test_the_balance_is_the_ratio_of_gradients() -> None:
    weight = torch.ones(3, requires_grad=True)
    assert float(balance(6 * weight.sum(), 2 * weight.sum(), weight)) == pytest.approx(3.0, rel=1e-3)


def test_the_discriminator_answers_for_patches() -> None:
    network = make_discriminator(filters=8)
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 1, 6, 6)


def test_the_edge_loss_ignores_brightness_and_sees_blur() -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 3, 32, 32)
    assert float(edge_loss(x, x + 0.3)) == pytest.approx(0, abs=1e-5)
    assert float(edge_loss(x, F.avg_pool2d(x, 3, 1, 1))) > 0.1


def test_lpips_is_never_replaced_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lpips", None)
    with pytest.raises(UsageError, match="pip install lpips"):
        make_perceptual("lpips")


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_lpips_follows_the_faces_to_their_device(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lpips(nn.Module):
        def __init__(self, net: str) -> None:
            super().__init__()
            self.backbone = nn.Conv2d(3, 4, 3)

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return (self.backbone(x) - self.backbone(y)).square().mean((1, 2, 3))

    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=Lpips))
    monkeypatch.setattr(nn.Module, "_apply", replace_parameters)
    loss = make_perceptual("lpips")
    with FakeTensorMode(allow_non_fake_inputs=True):
        faces = torch.zeros(2, 3, 8, 8, device="cuda")
        assert loss(faces, faces, None).device.type == "cuda"


def test_feature_weights_favour_eyes_and_mouth_and_leave_the_mean_alone() -> None:
    weights = feature_weights(64, strength=3.0)
    assert weights.mean().item() == pytest.approx(1.0, abs=1e-5)
    for x, y in template(64).round().astype(int):
        assert weights[y, x] > 3.5 * weights[0, 0]
    flat = feature_weights(64, strength=0.0)
    assert torch.equal(flat, torch.ones_like(flat))


def test_weights_of_one_change_no_loss_and_others_scale_errors_where_they_lie() -> None:
    torch.manual_seed(0)
    x, y = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    ones = torch.ones(16, 16)
    assert torch.allclose(pixel_loss(x, y), pixel_loss(x, y, ones))
    assert torch.allclose(edge_loss(x, y), edge_loss(x, y, ones))
    left = torch.cat([torch.full((16, 8), 2.0), torch.zeros(16, 8)], dim=1)
    assert torch.allclose(pixel_loss(x, y, left), pixel_loss(x[..., :8], y[..., :8]))


def test_feature_matching_is_nought_for_equal_faces_and_grows_with_the_difference() -> None:
    torch.manual_seed(0)
    discriminator = make_discriminator(4).eval()
    faces = torch.rand(2, 3, 32, 32)
    answer, seen = activations(discriminator, faces)
    assert torch.equal(answer, discriminator(faces))
    assert len(seen) == 4
    assert feature_matching(seen, seen).tolist() == [0, 0]
    errors = [feature_matching(activations(discriminator, faces + d)[1], seen).min() for d in (0.1, 0.5)]
    assert 0 < errors[0] < errors[1]


def test_texture_loss_compares_the_local_amount_of_texture_not_its_pixels() -> None:
    torch.manual_seed(0)
    grain, elsewhere = torch.randn(2, 1, 3, 64, 64) * 0.4
    assert texture_loss(grain, grain).item() == 0
    none = texture_loss(0 * grain, grain).item()
    assert texture_loss(elsewhere, grain) < 0.15 * none
    assert texture_loss(0.5 * grain, grain).item() == pytest.approx(0.5 * none, rel=0.02)
    # A picture whose left half is twice as rough and whose right half is smooth has as much texture in all.
    half = torch.cat([2 * grain[..., :32], 0 * grain[..., 32:]], dim=-1)
    assert texture_loss(half, grain) > 0.8 * none


def test_a_chequerboard_is_no_texture() -> None:
    board = torch.ones(1, 3, 64, 64)
    board[..., ::2, ::2] = board[..., 1::2, 1::2] = -1
    smooth = torch.zeros(1, 3, 64, 64)
    assert texture_loss(board, smooth).item() == pytest.approx(0, abs=1e-6)


def test_texture_of_a_flat_face_has_a_finite_gradient() -> None:
    flat = torch.zeros(1, 3, 32, 32, requires_grad=True)
    texture_loss(flat, torch.randn(1, 3, 32, 32)).backward()
    assert flat.grad is not None
    assert torch.isfinite(flat.grad).all()


def test_the_detector_loss_is_zero_for_equal_faces_and_its_gradient_reduces_it(tmp_path: Path) -> None:
    from facexlib.detection.retinaface import RetinaFace

    torch.manual_seed(0)
    torch.save(RetinaFace(network_name="mobile0.25").state_dict(), tmp_path / "retinaface.pth")
    loss = DetectorLoss(tmp_path / "retinaface.pth")
    truth = F.interpolate(torch.rand(2, 3, 8, 8) * 2 - 1, (64, 64), mode="bilinear")
    changed = truth.clone()
    changed[1] = F.avg_pool2d(truth[1], 9, 1, 4)
    changed.requires_grad_(True)
    values = loss(changed, truth)
    assert values[0].item() == pytest.approx(0, abs=1e-6)
    assert values[1].item() > 0.01
    (gradient,) = torch.autograd.grad(values[1], changed)
    nearer = changed.detach() - 0.05 * gradient / gradient.abs().max()
    assert loss(nearer, truth)[1] < values[1]
    assert not any(p.requires_grad for p in loss.parameters())


def test_a_detector_loss_without_weights_is_refused() -> None:
    with pytest.raises(UsageError, match="detector_weights"):
        DetectorLoss(None)
