"""Restores the media that an edit uses. Reads and writes OpenTimelineIO timelines."""

from vidrestore.integrations.edit.restore_edit import EditProgress, MediumOutcome, restore_edit

__all__ = ["EditProgress", "MediumOutcome", "restore_edit"]
