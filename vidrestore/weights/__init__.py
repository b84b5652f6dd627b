"""Weights of networks: those in the package, and downloaded ones in the user's cache."""

from vidrestore.weights.cache import (
    PullResult,
    cache_folder,
    detector_path,
    local_path,
    model_path,
    pull,
    weights_path,
)
from vidrestore.weights.catalogue import CATALOGUE, Embedded, Entry, HubFile, Url, find_entry
from vidrestore.weights.download import DownloadCallback
from vidrestore.weights.embedded import embedded_path

__all__ = [
    "CATALOGUE",
    "DownloadCallback",
    "Embedded",
    "Entry",
    "HubFile",
    "PullResult",
    "Url",
    "cache_folder",
    "detector_path",
    "embedded_path",
    "find_entry",
    "local_path",
    "model_path",
    "pull",
    "weights_path",
]
