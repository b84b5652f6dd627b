"""Plain filters to beat: non-local means of three strengths, and a bilateral filter with an unsharp mask."""

from __future__ import annotations

import cv2
import numpy as np

from vidrestore.types import FloatArray

NLM_STRENGTHS = (3, 6, 10)


def nlm(face: FloatArray, strength: float) -> FloatArray:
    """OpenCV's fastNlMeansDenoisingColored."""
    codes = np.round(face * 255).astype(np.uint8)
    return cv2.fastNlMeansDenoisingColored(codes, None, strength, strength).astype(np.float32) / 255


def bilateral_and_unsharp(face: FloatArray) -> FloatArray:
    """Smoothed between edges, then sharpened."""
    smooth = np.asarray(cv2.bilateralFilter(face, 7, 0.1, 3), np.float32)
    return np.clip(smooth + 0.5 * (smooth - np.asarray(cv2.GaussianBlur(smooth, (0, 0), 1.5))), 0, 1)
