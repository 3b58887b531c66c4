"""Kills the program at random moments, and takes the disk or the clock away from it, and checks that nothing is lost.

    cargo build --release && python3 tests/bench/kills.py [--kills 1000] [--seed 0] [--only train sweep recorder disk clock]

Needs Python alone; `recorder` also needs torch, numpy and safetensors, `disk` mounts file systems in memory and therefore
needs root, and `clock` needs the command faketime. A part that cannot run says so.

train     `train` and `resume` are killed with SIGKILL (three fifths of all kills). What was in the log just before is still
          there, `summary` opens the run, and when the run has been resumed to its end, its log, its probes, its
          predictions and its last weights are those of a run that nobody disturbed, to the bit.
sweep     Two processes work on one sweep and are killed in turns (a fifth). The runs are those of an undisturbed sweep.
recorder  A PyTorch training that is recorded is killed (a fifth). `summary` opens the run, and nothing of the log is lost.
disk      A run's disk is full at random moments, 40 times. Training ends with one sentence, and the run is resumed to the
          same bits once there is room.
clock     A run is killed and resumed with a clock that stands a day earlier, 10 times.

The last line of each part counts what was done. The exit code is 1 if anything was lost, and the folder with the run is
kept.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/release/crosscurrent"

RUN = """
data = "folder:{data}"
attention = "branch"
epochs = 12
batch = 12
eval_every = 4
probe_every = 6
probe_images = 6
crop_padding = 2
threads = 1
"""

SWEEP = """
name = "kills"
seeds = 3
[run]
data = "folder:{data}"
epochs = 8
batch = 12
eval_every = 4
probe_every = 8
probe_images = 6
threads = 1
[grid]
attention = ["none", "branch"]
"""


class Lost(Exception):
    """Something that was recorded is gone, or differs."""


def images(folder):
    """Writes three classes of images of 16×16 pixels: stripes across, stripes down, and rare spots."""
    kinds = {"across": (24, lambda x, y, i: (y + i) % 4 < 2), "down": (20, lambda x, y, i: (x + i) % 4 < 2),
             "spots": (7, lambda x, y, i: (x // 2 + y // 2 + i) % 4 == 0)}
    for name, (count, on) in kinds.items():
        (folder / name).mkdir(parents=True)
        for i in range(count):
            pixels = bytearray()
            for y in range(16):
                for x in range(16):
                    level = 200 if on(x, y, i) else 50
                    pixels += bytes((level, (level + x * i % 40) % 256, (90 + i * 5) % 256))
            (folder / name / f"{i:02}.ppm").write_bytes(b"P6 16 16 255\n" + pixels)


def start(*arguments, before=()):
    """Starts the program without a display. Its output is kept."""
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.Popen([*before, PROGRAM, *map(str, arguments)], env=env, text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def whole(*arguments, before=()):
    """Runs the program to its end, which must be a good one. Returns the seconds it took."""
    begun = time.monotonic()
    child = start(*arguments, before=before)
    _, err = child.communicate()
    if child.returncode != 0:
        raise Lost(f"{arguments} ended with {child.returncode}: {err.strip()}")
    return time.monotonic() - begun


def log_of(run):
    """The bytes of the log, empty where there is none."""
    path = run / "events.jsonl"
    return path.read_bytes() if path.exists() else b""


def lines_of(log):
    """The log's complete lines."""
    return log[: log.rfind(b"\n") + 1]


def events(run):
    """The events that count, without what differs between two runs of one configuration: times, ids, resumptions."""
    kept = []
    for line in log_of(run).splitlines():
        event = json.loads(line)
        if event["event"] == "resumed":
            endings = ("finished", "stopped", "failed")
            kept = [e for e in kept if e["event"] == "started"
                    or e["step"] <= event["step"] and e["event"] not in endings]
            continue
        for field in ("wall_secs", "id", "created_unix_secs"):
            event.pop(field, None)
        # What is measured again replaces what was measured before.
        if event["event"] in ("eval", "probe"):
            of = lambda e: (e["event"], e.get("step"), e.get("split"))
            kept = [e for e in kept if of(e) != of(event)]
        kept.append(event)
    return sorted(kept, key=lambda e: json.dumps(e, sort_keys=True))


def contents(path):
    """A file of tensors: its header without the time that training took, and the bytes of its tensors."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    if progress := header.get("__metadata__", {}).get("progress"):
        header["__metadata__"]["progress"] = {k: v for k, v in json.loads(progress).items() if k != "wall_secs"}
    return header, raw[8 + size :]


def same(run, reference):
    """Fails where a finished run differs from the undisturbed one in anything but times."""
    ours, theirs = events(run), events(reference)
    if ours != theirs:
        at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
        raise Lost(f"{run}: event {at} of {len(ours)} and {len(theirs)} differs: {str(ours[at : at + 1])[:300]} and "
                   f"{str(theirs[at : at + 1])[:300]}")
    for path in sorted(p for p in reference.rglob("*.safetensors")):
        name = path.relative_to(reference)
        if not (run / name).exists() or contents(run / name) != contents(path):
            raise Lost(f"{run}: {name} is missing or differs")
    strays = {p.relative_to(run) for p in run.rglob("*") if p.is_file()} - {
        p.relative_to(reference) for p in reference.rglob("*")}
    if strays:
        raise Lost(f"{run}: files that the undisturbed run does not have: {sorted(map(str, strays))}")


def opens(run):
    """A run whose header is in the log opens."""
    if lines_of(log_of(run)):
        whole("summary", run)


def killed(child, run, after):
    """Kills a process `after` so many seconds, unless it ends before. Returns whether it was killed."""
    try:
        child.wait(after)
    except subprocess.TimeoutExpired:
        before = log_of(run)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        if not log_of(run).startswith(before):
            raise Lost(f"{run}: the log lost what it held before the kill")
        return True
    _, err = child.communicate()
    if child.returncode != 0:
        raise Lost(f"{run}: ended with {child.returncode}: {err.strip()}")
    return False


def go_on(config, run, before=()):
    """Starts the training of a run, or goes on with it."""
    if lines_of(log_of(run)):
        return start("resume", run, before=before)
    return start("train", "--config", config, "--out", run, before=before)


def state(run):
    """The log of a run, and whether the run has a checkpoint."""
    return log_of(run), any((run / "checkpoints").glob("*.safetensors"))


def began_anew(before, run):
    """Whether a run began anew that was in the state `before`. A run with a checkpoint must go on with its log."""
    log, has_checkpoint = before
    if log_of(run).startswith(lines_of(log)):
        return False
    if has_checkpoint:
        raise Lost(f"{run}: the log was emptied")
    return True


def kill_training(folder, count, rng):
    """Kills training runs and their resumption. Returns a sentence."""
    config = folder / "run.toml"
    config.write_text(RUN.format(data=folder / "data"))
    reference = folder / "reference"
    duration = whole("train", "--config", config, "--out", reference)
    kills = runs = anew = torn = resumed = 0
    while kills < count:
        run = folder / "run"
        for _ in range(rng.randint(1, 4)):
            before = state(run)
            resumed += bool(lines_of(before[0]))
            was_killed = killed(go_on(config, run), run, rng.uniform(0, duration * 1.05))
            anew += began_anew(before, run)
            kills += was_killed
            torn += not log_of(run).endswith(b"\n") and bool(log_of(run))
            opens(run)
            if not was_killed:
                break
        if not b'"event":"finished"' in log_of(run):
            before = state(run)
            _, err = (child := go_on(config, run)).communicate()
            if child.returncode != 0:
                raise Lost(f"{run}: cannot go on: {err.strip()}")
            anew += began_anew(before, run)
        same(run, reference)
        shutil.rmtree(run)
        runs += 1
    return (f"{kills} kills of {runs} runs ({resumed} while resuming, {torn} left a line cut short, {anew} before the first "
            f"checkpoint, so that the run began anew): every run opened and ended on the same bits")


def kill_sweep(folder, count, rng):
    """Kills two processes of one sweep. Returns a sentence."""
    config = folder / "sweep.toml"
    config.write_text(SWEEP.format(data=folder / "data"))
    duration = whole("sweep", config, "--out", folder / "sweep-reference")
    kills = sweeps = 0
    while kills < count:
        out = folder / "sweep"
        children = [None, None]
        for _ in range(rng.randint(2, 12)):
            for i in range(2):
                if children[i] is None or children[i].poll() is not None:
                    children[i] = start("sweep", config, "--out", out)
            time.sleep(rng.uniform(0, duration / 4))
            victim = rng.randrange(2)
            if children[victim].poll() is None:
                before = {run: state(run) for run in out.glob("*")}
                children[victim].send_signal(signal.SIGKILL)
                children[victim].communicate()
                kills += 1
                for run, known in before.items():
                    # The other process may begin a run anew that had no checkpoint yet.
                    began_anew(known, run)
        for child in children:
            child.communicate()
        whole("sweep", config, "--out", out)
        names = sorted(p.name for p in (folder / "sweep-reference").iterdir() if p.is_dir())
        if names != sorted(p.name for p in out.iterdir() if p.is_dir()):
            raise Lost(f"{out}: not the runs of the undisturbed sweep")
        for name in names:
            same(out / name, folder / "sweep-reference" / name)
        shutil.rmtree(out)
        sweeps += 1
    return f"{kills} kills in {sweeps} sweeps by two processes: every run ended on the same bits"


def kill_recorder(folder, count, rng):
    """Kills a recorded PyTorch training. Returns a sentence."""
    sys.path[:0] = [str(ROOT / "assets/python"), str(ROOT / "assets/python/tests")]
    import torch
    import crosscurrent
    from networks import ResNet, images as tensors

    kills = headers = probes = 0
    while kills < count:
        run = folder / "recorded"
        pid = os.fork()
        if pid == 0:
            try:
                torch.set_num_threads(1)
                x, y = tensors()
                net = ResNet(4, 4, (1,))
                opt = torch.optim.SGD(net.parameters(), 0.01)
                recorder = crosscurrent.Recorder(run, net, opt, probe=(x, y), classes=list("abcd"), every=1)
                while True:
                    opt.zero_grad()
                    loss = torch.nn.functional.cross_entropy(net(x), y)
                    loss.backward()
                    opt.step()
                    recorder.loss(loss)
            finally:
                os._exit(1)
        time.sleep(rng.uniform(0, 1.5))
        before = log_of(run)
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            raise Lost(f"{run}: the recorded training ended by itself")
        kills += 1
        if not log_of(run).startswith(before):
            raise Lost(f"{run}: the log lost what it held before the kill")
        opens(run)
        headers += bool(lines_of(log_of(run)))
        for line in lines_of(log_of(run)).splitlines():
            event = json.loads(line)
            if event["event"] == "probe":
                probes += 1
                if not (run / event["file"]).exists():
                    raise Lost(f"{run}: {event['file']} is in the log and not on the disk")
        if run.exists():
            shutil.rmtree(run)
    return f"{kills} kills of a recorded training, {headers} with a header and {probes} probes by then: every run opened"


def fill_disk(folder, count, rng):
    """Lets the disk of a run become full. Returns a sentence."""
    if os.geteuid() != 0:
        return "skipped: mounting a file system needs root"
    config = folder / "run.toml"
    config.write_text(RUN.format(data=folder / "data"))
    reference = folder / "disk-reference"
    whole("train", "--config", config, "--out", reference)
    size = sum(-(-p.stat().st_size // 4096) * 4 for p in reference.rglob("*") if p.is_file())
    disk = folder / "disk"
    disk.mkdir()
    full = whole_lines = 0
    for _ in range(count):
        kib = rng.randint(4, size + 200)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", disk], check=True)
        try:
            run = disk / "run"
            child = go_on(config, run)
            _, err = child.communicate()
            if child.returncode != 0:
                full += 1
                said = [line for line in err.splitlines() if line.startswith("Error") or "No space" in line or "space" in line]
                if child.returncode != 1 or not said or "panicked" in err:
                    raise Lost(f"disk of {kib} KiB: ended with {child.returncode}: {err.strip()}")
            opens(run)
            whole_lines += bool(lines_of(log_of(run)))
            subprocess.run(["mount", "-o", "remount,size=256m", disk], check=True)
            if b'"event":"finished"' not in log_of(run):
                _, err = (child := go_on(config, run)).communicate()
                if child.returncode != 0:
                    raise Lost(f"disk of {kib} KiB: cannot go on: {err.strip()}")
            same(run, reference)
        finally:
            subprocess.run(["umount", disk], check=True)
    return (f"{count} disks of 4 to {size + 200} KiB, of which {full} were too small ({whole_lines} held the header): one "
            f"sentence each, and the same bits once there was room")


def set_clock_back(folder, count, rng):
    """Kills a run and resumes it a day earlier. Returns a sentence."""
    if shutil.which("faketime") is None:
        return "skipped: the command faketime is not installed"
    config = folder / "run.toml"
    config.write_text(RUN.format(data=folder / "data"))
    reference = folder / "clock-reference"
    duration = whole("train", "--config", config, "--out", reference)
    for _ in range(count):
        run = folder / "late"
        killed(go_on(config, run), run, rng.uniform(0, duration))
        if b'"event":"finished"' not in log_of(run):
            _, err = (child := go_on(config, run, before=["faketime", "1 day ago"])).communicate()
            if child.returncode != 0:
                raise Lost(f"{run}: cannot go on: {err.strip()}")
        opens(run)
        same(run, reference)
        times = [e["wall_secs"] for e in map(json.loads, log_of(run).splitlines()) if e["event"] == "step"]
        if min(times) < 0:
            raise Lost(f"{run}: a step has a negative time")
        shutil.rmtree(run)
    return f"{count} runs killed and resumed with a clock a day behind: the same bits, and no negative time"


def main():
    """Does the parts that were asked for."""
    global PROGRAM
    parts = {"train": (kill_training, 0.6), "sweep": (kill_sweep, 0.2), "recorder": (kill_recorder, 0.2),
             "disk": (fill_disk, 40), "clock": (set_clock_back, 10)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--binary", default=str(PROGRAM))
    arguments = parser.parse_args()
    PROGRAM = arguments.binary
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kills-"))
    images(folder / "data")
    for name in arguments.only:
        part, share = parts[name]
        count = round(arguments.kills * share) if share < 1 else share
        try:
            print(f"{name}: {part(folder, count, random.Random(arguments.seed))}", flush=True)
        except Lost as lost:
            sys.exit(f"{name}: {lost}\nkept in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
