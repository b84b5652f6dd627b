"""The output of a dry run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidrestore.jobs.dry_run import RunPlan


def plan_lines(plan: RunPlan) -> list[str]:
    """The lines of a plan: input, output, work and estimate."""
    frames = "an unknown number of frames" if plan.frames is None else f"{plan.frames} frames"
    how = "in one go" if plan.segment_seconds is None else f"in segments of {plan.segment_seconds:g} s"
    return [
        f"input:    {plan.input}, {frames}, {plan.frame_rate:.5g} frames/s",
        f"output:   {plan.output}, {plan.width}x{plan.height}, {plan.container}, {plan.encoder}",
        f"work:     {how}, on {plan.device}",
        f"estimate: {_estimate(plan)}",
    ]


def _estimate(plan: RunPlan) -> str:
    if plan.rate is None:
        return "none, the video is too short for a sample"
    measured = f"{plan.rate:.2g} frames/s, measured on {plan.sampled_frames} frames"
    if plan.seconds is None or plan.bytes is None:
        return measured
    free = "" if plan.free_bytes is None else f" ({_size(plan.free_bytes)} free)"
    return f"about {timedelta(seconds=round(plan.seconds))} and {_size(plan.bytes)}{free}; {measured}"


def _size(size: int) -> str:
    from vidrestore.jobs.disk_space import readable_size

    return readable_size(size)
