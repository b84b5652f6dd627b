"""The recipes of degradation, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, get_args

import numpy as np

from vidrestore.degradation.digital import degrade_broadcast, degrade_phone
from vidrestore.degradation.film import degrade_film
from vidrestore.degradation.paper import degrade_as_published
from vidrestore.degradation.tape import degrade_tape
from vidrestore.types import FloatArray

RecipeName = Literal["film", "tape", "broadcast", "phone", "paper"]
RECIPE_NAMES: tuple[RecipeName, ...] = get_args(RecipeName)

Recipe = Callable[[Iterable[FloatArray], np.random.Generator], Iterator[FloatArray]]
"""From pictures (H, W, 3) RGB in 0..1 of one size to as many degraded ones, in order, one at a time."""

RECIPES: dict[RecipeName, Recipe] = {
    "film": degrade_film,
    "tape": degrade_tape,
    "broadcast": degrade_broadcast,
    "phone": degrade_phone,
    "paper": degrade_as_published,
}
