"""What is measured by hand and not in the tests; each runs as `python -m benchmarks.NAME --help`.

sample_quality   faces of a restored video against the truth: PSNR, SSIM, edges, flicker, warping error
memory           peak memory of a restoration for a clip and for the same clip ten times over
validation       the embedded network on held-out people: PSNR, SSIM, contact sheet
"""
