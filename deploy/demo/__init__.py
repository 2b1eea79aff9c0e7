"""``fenghuo demo``: a simulated bank lives, and its warnings are told as they come."""
