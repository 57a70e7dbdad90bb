"""What the README promises, measured: ratios of two things run side by side in one run, and latencies."""
