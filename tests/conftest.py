"""The tests' process waits as the command's does: busy machines are slow enough without spinning threads."""

from vidrestore.runtime.openmp import limit_openmp_spin

limit_openmp_spin()  # before any test imports torch
