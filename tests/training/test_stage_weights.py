"""Training continues from our own weights and from the authors' checkpoints of the first two stages."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.support.networks import SMALL
from vidrestore.daefr.vqgan import Vqgan
from vidrestore.errors import WeightsError
from vidrestore.training.stage_weights import load_vqgan


def theirs(network: Vqgan, prefix: str) -> dict[str, torch.Tensor]:
    """The authors' names of an autoencoder's tensors, with what their blocks own and never use."""
    state = {f"{prefix}{n.replace('codebook.', 'quantize.')}": t for n, t in network.state_dict().items()}
    return state | {f"{prefix}encoder.mid.attn_1.norm2.weight": torch.ones(64)}


@pytest.mark.parametrize("prefix", ["vqvae.", ""])
def test_the_authors_first_stage_loads_with_or_without_its_prefix(tmp_path: Path, prefix: str) -> None:
    network = Vqgan(SMALL)
    discriminator = {"loss.discriminator.main.0.weight": torch.zeros(1)}
    torch.save({"state_dict": theirs(network, prefix) | discriminator}, tmp_path / "HQ_codebook.ckpt")
    loaded = load_vqgan(tmp_path / "HQ_codebook.ckpt", config=SMALL)
    faces = torch.rand(1, 3, 32, 32)
    assert torch.equal(loaded.encode(faces), network.encode(faces))
    assert torch.equal(loaded.codebook.embedding.weight, network.codebook.embedding.weight)


def test_the_authors_second_stage_holds_an_autoencoder_for_each_role(tmp_path: Path) -> None:
    hq, lq = Vqgan(SMALL), Vqgan(SMALL)
    state = theirs(hq, "vqvae.") | theirs(lq, "vqvae_LQ.")
    more = {"logit_scale": torch.ones(()), "loss.x": torch.zeros(1), "loss_LQ.x": torch.zeros(1)}
    path = tmp_path / "Association_stage.ckpt"
    torch.save({"state_dict": state | more}, path)
    for role, network in (("hq.", hq), ("lq.", lq)):
        loaded = load_vqgan(path, role, SMALL)
        assert torch.equal(loaded.decoder.conv_in.weight, network.decoder.conv_in.weight), role


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": theirs(Vqgan(SMALL), "vqvae.")}, tmp_path / "small.ckpt")
    with pytest.raises(WeightsError, match="autoencoder of another network, not of published"):
        load_vqgan(tmp_path / "small.ckpt")
    torch.save({"state_dict": {"body.weight": torch.zeros(1)}}, tmp_path / "other.ckpt")
    with pytest.raises(WeightsError, match="no autoencoder"):
        load_vqgan(tmp_path / "other.ckpt", config=SMALL)
