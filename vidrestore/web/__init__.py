"""`vidrestore web`: the page and the job service behind it, on this machine alone."""
