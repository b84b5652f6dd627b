"""Picture work as tensors, on the device of the networks: used on a CUDA GPU instead of OpenCV.

Every function computes the same as its counterpart for OpenCV, on any device;
`tests/restoration/tensor_pictures` compares the two on a CPU.
"""
