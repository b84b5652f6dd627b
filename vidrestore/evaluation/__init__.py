"""How good a restored face is: against its truth in one frame (`image`) and over time (`temporal`)."""
