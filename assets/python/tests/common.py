"""What the tests share: where the package is, and functions that read a run."""

import json
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import numpy as np  # noqa: E402
import torch  # noqa: E402

TYPES = {"F32": "<f4", "U16": "<u2"}


def events(run):
    return [json.loads(line) for line in (pathlib.Path(run) / "events.jsonl").read_text().splitlines()]


def tensors(path):
    """The tensors of a safetensors file, read by its definition."""
    data = pathlib.Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    body = data[8 + size :]
    read = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        read[name] = np.frombuffer(body[start:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return read


def probes(run):
    return [(e["step"], tensors(pathlib.Path(run) / e["file"])) for e in events(run) if e["event"] == "probe"]


class Case(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        torch.set_num_threads(1)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def near(self, found, wanted, tolerance):
        """Equal within a share of the norm of what is wanted."""
        found, wanted = np.asarray(found, float), np.asarray(wanted, float)
        self.assertEqual(found.shape, wanted.shape)
        error = np.abs(found - wanted).max() / max(1e-30, np.linalg.norm(wanted))
        self.assertLessEqual(error, tolerance)
