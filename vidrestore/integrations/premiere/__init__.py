"""Adobe Premiere: a UXP plugin in JavaScript; `vidrestore integrations install` copies it."""
