"""``fenghuo audit``: every number against every other place that holds it."""
