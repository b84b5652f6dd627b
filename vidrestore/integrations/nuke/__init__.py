"""Nuke: a menu entry. The picture of a node is written as EXR, restored beside Nuke, and read back.

`vidrestore integrations install` copies this folder; there it is the package `vidrestore_host.nuke`, so its
modules import each other relatively. Python 3.7 or later; the standard library and `nuke` alone.
"""
