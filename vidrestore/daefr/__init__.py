"""The DAEFR network (Tsai et al., ICLR 2024, arXiv 2308.07314). It depends on torch only, not on video."""

from vidrestore.daefr.checkpoint import load, save
from vidrestore.daefr.config import COMPACT, PUBLISHED, DaefrConfig
from vidrestore.daefr.model import Daefr

__all__ = ["COMPACT", "PUBLISHED", "Daefr", "DaefrConfig", "load", "save"]
