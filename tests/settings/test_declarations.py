"""What two places must state about a setting is the same in both."""

from __future__ import annotations

from vidrestore.settings import Settings
from vidrestore.settings.sidecar import TrackingPart


def test_a_sidecar_without_tracking_settings_has_those_of_a_usual_run() -> None:
    """The sidecar is read before the settings exist, so it states these defaults itself."""
    defaults = Settings().model_dump(include=set(TrackingPart.model_fields))
    assert TrackingPart().model_dump() == defaults
