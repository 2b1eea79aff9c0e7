"""Which Fenghuo this is."""

from __future__ import annotations

import importlib.metadata


def version() -> str:
    """The installed version."""
    return importlib.metadata.version("fenghuo")


def core() -> str:
    """``compiled`` or ``uncompiled``: how the pure core runs here. The same results, at another speed."""
    from streams import lane  # only here: whoever asks for the version waits for no core

    return "uncompiled" if str(lane.__file__).endswith(".py") else "compiled"
