"""DaVinci Resolve: a script of the menu Workspace, which adds restored takes to selected clips.

`vidrestore integrations install` copies this folder as the package `vidrestore_host.resolve`, so its modules
use relative imports. They need Python 3.7 or later, and import only the standard library.
"""
