"""What the recorder refuses, in one sentence that says what to do."""

from __future__ import annotations


class RecorderError(ValueError):
    """Something that the recorder cannot work with. The message names it and the remedy."""
