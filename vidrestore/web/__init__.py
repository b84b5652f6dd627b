"""`vidrestore web`: the page and its job service, for this computer only."""
