"""A Restorer's use from threads and other processes."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

import vidrestore


def test_aligned_faces_may_come_from_a_stream_of_the_same_restorer(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    """The restorer is not locked while it reads the caller's iterator, whose threads may use it."""
    small = [picture[::2, ::2] for picture in pictures[:2]]

    def faces() -> Iterator[NDArray[np.float32]]:
        for result in restorer.frames(restorer.image(picture).picture for picture in small):
            yield from (face.crop_before for face in result.faces)

    count: list[int] = []
    thread = threading.Thread(target=lambda: count.append(len(restorer.aligned(faces()))), daemon=True)
    thread.start()
    thread.join(300)
    assert count == [2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_using_a_restorer_in_a_forked_process_is_refused(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    """Threads do not survive a fork: the child waited for them forever."""
    small = pictures[0][::2, ::2]
    restorer.image(small)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(60)
            for use in (restorer.image, lambda picture: restorer.frames([picture]), restorer.aligned):
                try:
                    use(small)
                except vidrestore.UsageError as error:
                    os.write(writer, f"{error}\n".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as lines:
        sentences = lines.read().splitlines()
    os.waitpid(child, 0)
    assert sentences == ["this Restorer belongs to another process; create one in each process"] * 3


def test_a_restorer_is_not_sent_to_another_process(restorer: vidrestore.Restorer) -> None:
    with pytest.raises(vidrestore.UsageError, match="create one in each process"):
        pickle.dumps(restorer)


def test_results_are_compared_by_identity_and_can_be_sent(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    one, other = (restorer.image(pictures[0]) for _ in range(2))
    assert one == one
    assert one != other
    assert one.faces[0] != other.faces[0]
    assert one.before_and_after[0] != other.before_and_after[0]
    assert len({one, other, one.faces[0], one.before_and_after[0]}) == 4
    assert np.array_equal(pickle.loads(pickle.dumps(one)).picture, one.picture)


def test_using_a_closed_restorer_is_an_error(pictures: list[NDArray[np.uint8]]) -> None:
    restorer = vidrestore.Restorer(device="cpu", fidelity=1)
    restorer.close()
    with pytest.raises(vidrestore.UsageError, match="closed"):
        restorer.image(pictures[0])
