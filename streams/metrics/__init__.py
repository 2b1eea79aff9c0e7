"""How each metric of the dictionary is computed: one module a family, no I/O."""
