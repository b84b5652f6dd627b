"""Kdenlive: a clip job, which runs `python -m vidrestore.integrations.kdenlive`."""
