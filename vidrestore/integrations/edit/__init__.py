"""Restores what an edit uses: OpenTimelineIO in, OpenTimelineIO out."""

from vidrestore.integrations.edit.restore_edit import EditProgress, MediumOutcome, restore_edit

__all__ = ["EditProgress", "MediumOutcome", "restore_edit"]
