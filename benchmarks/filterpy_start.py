"""How much filterpy's Kalman filter adds to the start, and to each frame.

    python -m benchmarks.filterpy_start [--rounds N]

Prints, as the least of several fresh processes (seconds of CPU, so that other programs count little):

    package    `import filterpy.kalman`, beside what a start imports anyway
    one file   what tracking does instead: `vidrestore.tracking.filterpy_loader`
    a frame    following one face by a frame, and smoothing it over the 12 frames of the lag

The first frame waits for the second at most as long as it takes; the limit is 0.3 s.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

LIMIT_SECONDS = 0.3
_IMPORTS = "import time, numpy, cv2, vidrestore.tracking.kalman as kalman; began = time.process_time(); "
_PROGRAMS = {
    "package": "import filterpy.kalman",
    "one file": "kalman.kalman_filter_class()",
}
_FRAME = """
import time, numpy
from vidrestore.tracking import kalman
from vidrestore.types import Detection

box, points = numpy.array([10, 10, 80, 80], numpy.float32), numpy.full((5, 2), 40, numpy.float32)
face = Detection(box=box, landmarks=points, score=0.9)
one = kalman.FaceFilter(face)
steps = [one.step()]
began = time.process_time()
for _ in range(1000):
    one.predict(0.04)
    steps = [*steps[-12:], one.update(face)]
    kalman.smooth(steps)
print((time.process_time() - began) / 1000)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    seconds = {
        name: _least(f"{_IMPORTS}{program}; print(time.process_time() - began)", rounds)
        for name, program in _PROGRAMS.items()
    }
    seconds["a frame"] = _least(_FRAME, rounds)
    print(json.dumps({name: round(value, 5) for name, value in seconds.items()}))
    return int(seconds["one file"] > LIMIT_SECONDS)


def _least(program: str, rounds: int) -> float:
    """The least number that the program prints."""
    command = [sys.executable, "-c", program]
    return min(
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(rounds)
    )


if __name__ == "__main__":
    sys.exit(main())
