"""Blender: an extension for the video sequencer. Selected movie strips in, restored strips above them out.

`vidrestore integrations install` copies this folder; there it is a package within the extension, so its
modules import each other relatively. Python 3.11 or later, the standard library and Blender's own modules.
"""
