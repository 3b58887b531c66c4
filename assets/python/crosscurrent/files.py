"""The files of a run: tensors that are written whole, and the log, which one writer at a time appends to."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, BinaryIO, Dict, Mapping, Optional

import numpy as np

from .errors import RecorderError

_TYPES = {"float32": "F32", "uint16": "U16", "uint32": "U32"}


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Writes arrays of float32, uint16 or uint32 as one safetensors file: eight bytes with the length of the header, the
    header in JSON, and the values in little-endian order. The file is written under a temporary name and renamed, so
    that it is there whole or not at all."""
    header: Dict[str, Any] = {}
    parts = []
    start = 0
    for name, array in tensors.items():
        values = np.ascontiguousarray(array)
        values = values.astype(values.dtype.newbyteorder("<"), copy=False)
        end = start + values.nbytes
        header[name] = {"dtype": _TYPES[values.dtype.name], "shape": list(array.shape), "data_offsets": [start, end]}
        parts.append(values)
        start = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for values in parts:
            file.write(values.tobytes())
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


class Log:
    """The log `events.jsonl` of a new run. The lock on the file tells readers that the run is being written."""

    def __init__(self, directory: Path) -> None:
        """Makes the directory and its log.

        Raises RecorderError where the directory holds a run already, or another process is writing one there.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "events.jsonl"
        self._file: Optional[BinaryIO] = open(self.path, "ab")
        if not _lock(self._file):
            self._file.close()
            raise RecorderError(
                f"another recorder or process is writing this run; stop it first, or choose another directory: {directory}"
            )
        if os.path.getsize(self.path) > 0:
            self._file.close()
            raise RecorderError(f"there is a run here already; choose another directory: {directory}")

    def write(self, event: str, **fields: Any) -> None:
        """Appends one event as one line, in a single write."""
        if self._file is None:
            return
        line = json.dumps({"event": event, **fields}, allow_nan=False, separators=(",", ":"))
        self._file.write(line.encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Flushes the log to the disk and releases its lock."""
        if self._file is not None:
            try:
                os.fsync(self._file.fileno())
            finally:
                self._file.close()
                self._file = None


def _lock(file: BinaryIO) -> bool:
    """Takes the lock that the program takes, too; False where another process has it. Where there are no such locks, as
    on Windows and some network file systems, the run is written without one."""
    try:
        import fcntl
    except ImportError:
        return True
    # A reader that asks whether the run is being written holds the lock for an instant.
    for _ in range(20):
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.005)
        except OSError:
            return True
    return False
