"""Who a face is: 128 numbers a face, and how far two faces are apart. Importing this loads no torch."""

from vidrestore.identity.distance import SAME_PERSON, identity_angle, identity_distance, identity_similarity
from vidrestore.identity.recogniser import FaceRecogniser, make_recogniser

__all__ = [
    "SAME_PERSON",
    "FaceRecogniser",
    "identity_angle",
    "identity_distance",
    "identity_similarity",
    "make_recogniser",
]
