"""What must hold in an environment with the wheel, run by .ci/wheel: the package is imported without a window's libraries
and without PyTorch, the command runs, and reads a run that the recorder wrote. Without PyTorch, the recorder says what it
needs instead."""

import importlib.metadata
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

COMMAND = pathlib.Path(sys.executable).parent / "crosscurrent"
# Libraries of the window, by the beginnings of their names.
OF_WINDOWS = ("libX", "libx", "libGL", "libEGL", "libwayland")


def command(*arguments):
    done = subprocess.run([COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout


def imports_alone():
    import crosscurrent

    assert pathlib.Path(sys.prefix) in pathlib.Path(crosscurrent.__file__).parents, crosscurrent.__file__
    assert not {"torch", "numpy"} & set(sys.modules), "the import alone brings torch or numpy"
    maps = pathlib.Path("/proc/self/maps")
    loaded = maps.read_text().split() if maps.exists() else []
    names = {pathlib.Path(path).name for path in loaded if ".so" in path}
    assert not [name for name in names if name.startswith(OF_WINDOWS)], names
    versions = {crosscurrent.__version__, importlib.metadata.version("crosscurrent"), command("--version").split()[1]}
    assert len(versions) == 1, versions
    licences = [path.name for path in importlib.metadata.files("crosscurrent") if path.parent.name == "licenses"]
    assert sorted(licences) == ["LICENSE-APACHE", "LICENSE-CRATES", "LICENSE-MIT"], licences
    return versions.pop()


def says_what_it_needs():
    import crosscurrent

    try:
        crosscurrent.Recorder
    except ImportError as error:
        assert "crosscurrent.Recorder needs NumPy and PyTorch 1.13 or newer" in str(error), error
    else:
        raise AssertionError("the recorder came without PyTorch")


def records(run):
    import crosscurrent
    import torch

    torch.manual_seed(0)
    labels = torch.arange(24) % 3
    images = torch.randn(24, 3, 8, 8) + labels[:, None, None, None]
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    names = ["ant", "bee", "cat"]
    with crosscurrent.Recorder(run, model, optimizer, probe=(images, labels), classes=names, every=2) as recorder:
        for _ in range(4):
            logits = model(images)
            loss = torch.nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            recorder.loss(loss.item())
            optimizer.step()
        recorder.evaluate(labels, model(images).detach(), split="val")


def main():
    version = imports_alone()
    if not importlib.util.find_spec("torch"):
        says_what_it_needs()
        print(f"installed without PyTorch: crosscurrent {version} is imported and runs")
        return
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        records(run)
        (summary,) = json.loads(command("summary", "--json", run))
        assert summary["network"] == "Sequential" and summary["best_val_macro_f1"] is not None, summary
        command("export", run, "--figure", "conflict-matrix", "--out", run / "matrix.png")
    print(f"installed beside PyTorch: crosscurrent {version} reads what the recorder wrote")


if __name__ == "__main__":
    main()
