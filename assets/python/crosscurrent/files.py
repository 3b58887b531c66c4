"""The files of a run: tensors that are written whole, and the log, which one writer at a time appends to."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, BinaryIO, Dict, List, Mapping, Optional

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


def read_tensor(path: Path, name: str) -> Optional[np.ndarray]:
    """One array of a file that `write_tensors` has written; None where there is no such file or array."""
    try:
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            entry = json.loads(file.read(size))[name]
            start, end = entry["data_offsets"]
            file.seek(8 + size + start)
            kind = next(numpy for numpy, named in _TYPES.items() if named == entry["dtype"])
            return np.frombuffer(file.read(end - start), np.dtype(kind).newbyteorder("<")).reshape(entry["shape"])
    except (OSError, ValueError, KeyError, StopIteration):
        return None


class Log:
    """The log `events.jsonl` of a run. The lock on the file tells readers that the run is being written."""

    def __init__(self, directory: Path, goes_on: bool = False) -> None:
        """Makes the directory and its log, or, where `goes_on`, opens the log that is there.

        Raises RecorderError where the directory holds a run already, or another process is writing one there.
        """
        if (directory / "mirror.json").exists():
            raise RecorderError(f"this is a copy of a run on another machine, which is recorded there: {directory}")
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "events.jsonl"
        self._file: Optional[BinaryIO] = open(self.path, "ab")
        if not _lock(self._file):
            self._file.close()
            raise RecorderError(
                f"another recorder or process is writing this run; stop it first, or choose another directory: {directory}"
            )
        if os.path.getsize(self.path) > 0 and not goes_on:
            self._file.close()
            raise RecorderError(
                f"there is a run here already; choose another directory, or go on with it by `resume=STEP`: {directory}"
            )

    def lines(self) -> List[bytes]:
        """The lines that are whole, without blank ones. A log in which not even the header is whole has none."""
        *whole, last = self.path.read_bytes().split(b"\n")
        lines = whole + ([last] if _is_whole(last) else [])
        return [line for line in lines if line.strip()]

    def repair(self) -> None:
        """Cuts off a last line that is not whole; a last line that lacks its end alone gets it."""
        if self._file is None:
            return
        last = self.path.read_bytes().rpartition(b"\n")[2]
        if last and _is_whole(last):
            self._file.write(b"\n")
            self._file.flush()
        elif last:
            self._file.truncate(self.path.stat().st_size - len(last))

    def sync(self) -> None:
        """Flushes the log to the disk."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def write(self, event: str, **fields: Any) -> None:
        """Appends one event as one line, in a single write."""
        if self._file is None:
            return
        line = json.dumps({"event": event, **fields}, allow_nan=False, separators=(",", ":"))
        self._file.write(line.encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Flushes the log to the disk and releases its lock."""
        file, self._file = self._file, None
        if file is not None:
            try:
                os.fsync(file.fileno())
            finally:
                _unlock(file)
                file.close()


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _unlock(file: BinaryIO) -> None:
    """Releases the lock, which closing the file does not do where a process that was forked since, such as a loader's
    worker, has the file open, too."""
    try:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
    except (ImportError, OSError):
        pass


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
