"""Loads the networks in a thread, while the input is examined."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from vidrestore.runtime.openmp import import_torch
from vidrestore.settings import Settings

if TYPE_CHECKING:
    from vidrestore.detection import FaceDetector
    from vidrestore.restoration import NetworkRestorer


class NetworkLoader:
    """Loads the networks in a background thread; importing torch alone takes one or two seconds.

    Use it in a `with` block: leaving the block waits for the thread.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self._result: Callable[[], tuple[NetworkRestorer, FaceDetector]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def start(self) -> None:
        """Starts to load the networks, at the first call."""
        from vidrestore.runtime.worker_threads import start_in_background

        if self._result is None:
            loading = start_in_background(lambda: _networks(self._settings))
            self._result = self._stack.enter_context(loading)

    def wait(self) -> tuple[NetworkRestorer, FaceDetector]:
        """Waits for the networks.

        Returns:
            The restorer and the detector.

        Raises:
            WeightsError, DeviceError: They cannot be loaded.
        """
        self.start()
        assert self._result is not None
        return self._result()


def _networks(settings: Settings) -> tuple[NetworkRestorer, FaceDetector]:
    import_torch()
    from vidrestore.detection import make_detector
    from vidrestore.restoration import make_restorer
    from vidrestore.weights import model_path

    weights = model_path(settings.model)
    restorer = make_restorer(
        weights,
        device=settings.device,
        fidelity=settings.network_fidelity,
        precision=settings.precision,
        compile_networks=settings.compile,
    )
    return restorer, make_detector(settings.detector, settings.device, min_face=settings.min_face)
