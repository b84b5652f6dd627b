"""What the process runs on: the device, threads, memory and signals."""
