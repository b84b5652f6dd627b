"""What the embedded detector asks of its first step."""

from __future__ import annotations

from typing import Protocol

from vidrestore.types import FloatArray, Frame


class Proposals(Protocol):
    """Says where in a frame faces may be; better one place too many than one too few."""

    def propose(self, frame: Frame, *, quick: bool) -> list[FloatArray]:
        """Squares (3,) centre x, centre y, side [frame px], as `square_around` gives of a face's points.

        `quick`: large faces, in a fraction of the time.
        """
        ...
