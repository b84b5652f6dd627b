"""What is measured by hand and not in the tests.

`python -m benchmarks` measures speed and memory, all of it or by groups, into benchmarks.json and .svg. The
others run as `python -m benchmarks.NAME --help`.

sample_quality   faces of a restored video against the truth: PSNR, SSIM, edges, flicker, warping error
memory           peak memory of a restoration for a clip and for the same clip ten times over
library_lock     filelock instead of our lock on temporary folders
library_training torch's classes instead of our averages of gradients and weights
validation       the embedded network on held-out people: PSNR, SSIM, contact sheet
"""
