"""Nuke: a menu entry. It writes a node's picture as EXR, restores it in a separate process, and reads it
back.

`vidrestore integrations install` copies this folder as the package `vidrestore_host.nuke`, so its modules use
relative imports. They need Python 3.7 or later, and import only the standard library and `nuke`.
"""
