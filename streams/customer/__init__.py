"""The customer processor: state, facts, snapshots and rules of one customer at a time."""
