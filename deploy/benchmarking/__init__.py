"""Measures the core, the whole worker, its state, and other engines beside it: what stands behind ``fenghuo bench``."""
