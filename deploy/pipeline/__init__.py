"""The whole pipeline on one machine, for ``demo`` and ``run``: servers, processes, what they say and what came out."""
