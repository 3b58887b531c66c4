"""The window while it trains at full speed: frame times, answers to input, and what training loses to the window.

    cargo build --release && python3 tests/bench/window_load.py [--rounds 3] [--secs 40]

Needs Xvfb, openbox, xdotool, libX11 and libXtst, and Python alone. The built-in images and the default settings are
trained in turn without a window ("headless"), in a window that is minimised ("idle"), in one that shows the run
("live"), and in one that is also used all the time ("used"). Printed are images per second by way, as ratios to the
headless run of the same round (a run that other programs disturbed is done again), what the window says of its frames, and the time from a movement of the pointer to the
pixels that answer it, seen by another program ("screen").

Training beside a window has a nice value of 10; so has the headless run here, or other programs on the machine would
weigh on one more than on the other.
"""

import argparse
import ctypes
import json
import math
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAYS = ["headless", "idle", "live", "used"]
# Places in a window of 1280 × 800 points, from its upper left corner.
START = (53, 774)
LIGHT = (1249, 15)
BESIDE_LIGHT = (900, 15)
SLIDER = (420, 774), (980, 774)


class Screen:
    """A display of our own, with a window manager."""

    def __init__(self):
        read, write = os.pipe()
        arguments = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
        self.server = subprocess.Popen(arguments, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        self.name = ":" + os.read(read, 32).decode().strip()
        self.env = {**os.environ, "DISPLAY": self.name}
        self.env.pop("WAYLAND_DISPLAY", None)
        self.manager = subprocess.Popen(["openbox"], env=self.env, stderr=subprocess.DEVNULL)
        self.x11, self.test = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        for function in ["XOpenDisplay", "XDefaultRootWindow", "XGetImage"]:
            getattr(self.x11, function).restype = ctypes.c_void_p
        self.display = ctypes.c_void_p(self.x11.XOpenDisplay(self.name.encode()))
        self.root = ctypes.c_void_p(self.x11.XDefaultRootWindow(self.display))

    def close(self):
        self.manager.terminate()
        self.server.terminate()

    def xdotool(self, *words):
        words = [str(word) for word in words]
        return subprocess.run(["xdotool", *words], env=self.env, capture_output=True, text=True, check=False).stdout

    def move(self, at):
        self.test.XTestFakeMotionEvent(self.display, -1, at[0], at[1], 0)
        self.x11.XFlush(self.display)

    def button(self, pressed):
        self.test.XTestFakeButtonEvent(self.display, 1, int(pressed), 0)
        self.x11.XFlush(self.display)

    def click(self, at):
        self.move(at)
        time.sleep(0.05)
        self.button(True)
        time.sleep(0.05)
        self.button(False)

    def pixels(self, at):
        """32 × 16 pixels around a place."""
        size = (ctypes.c_uint(32), ctypes.c_uint(16))
        plane, form = ctypes.c_ulong(2**32 - 1), 2
        image = self.x11.XGetImage(self.display, self.root, at[0] - 16, at[1] - 8, *size, plane, form)
        # struct _XImage: width, height, xoffset, format: 4 ints; then `char *data`.
        data = ctypes.cast(image + 16, ctypes.POINTER(ctypes.c_void_p))[0]
        copy = ctypes.string_at(data, 32 * 16 * 4)
        self.x11.XDestroyImage(ctypes.c_void_p(image))
        return copy


class Window:
    """The program with a window, training."""

    def __init__(self, screen, binary, folder):
        self.screen = screen
        arguments = [binary, "--frame-times", str(ROOT / "sample_runs/solar-none")]
        self.process = subprocess.Popen(arguments, env=screen.env, cwd=folder, stdout=subprocess.PIPE, text=True)
        found = screen.xdotool("search", "--sync", "--onlyvisible", "--name", "^Crosscurrent$")
        self.id = found.split()[-1]
        time.sleep(2)
        geometry = screen.xdotool("getwindowgeometry", "--shell", self.id)
        x, y = (int(re.search(rf"{axis}=(\d+)", geometry)[1]) for axis in "XY")
        # The frame that the window manager adds is counted twice.
        extents = subprocess.run(
            ["xprop", "-id", self.id, "_NET_FRAME_EXTENTS"], env=screen.env, capture_output=True, text=True, check=False
        ).stdout
        left, _, top, _ = (int(word) for word in re.findall(r"\d+", extents)[:4])
        self.origin = (x - left, y - top)
        screen.click(self.at(START))
        # A minimised window would take in the click no sooner than it is shown again.
        while not (folder / "runs/solar-none/events.jsonl").exists():
            time.sleep(0.1)

    def at(self, place):
        return self.origin[0] + place[0], self.origin[1] + place[1]

    def use(self, secs):
        """Moves about, clicks and drags for so long; the answers to movements over a button, in ms."""
        screen, answers, end = self.screen, [], time.monotonic() + secs
        dice = random.Random(0)
        while time.monotonic() < end:
            answers += self.hover(dice)
            # Over the figures, where values under the pointer are shown.
            for step in range(40):
                screen.move(self.at((340 + 22 * step, dice.randrange(120, 740))))
                time.sleep(0.016)
            screen.click(self.at((380 + dice.randrange(400), 190)))
            answers += self.hover(dice)
            (left, y), (right, _) = SLIDER
            screen.move(self.at((right, y)))
            screen.button(True)
            for step in range(60):
                screen.move(self.at((right - (right - left) * abs(30 - step) // 30, y)))
                time.sleep(0.016)
            screen.button(False)
            # Back to following the newest.
            screen.click(self.at((1252, y)))
        return answers

    def hover(self, dice):
        answers = []
        for place in [LIGHT, BESIDE_LIGHT] * 3:
            time.sleep(dice.uniform(0.05, 0.2))
            before = self.screen.pixels(self.at(LIGHT))
            start = time.monotonic()
            self.screen.move(self.at(place))
            while self.screen.pixels(self.at(LIGHT)) == before and time.monotonic() - start < 2:
                time.sleep(0.0005)
            answers.append(1e3 * (time.monotonic() - start))
        return answers

    def close(self):
        """What it says of its frames."""
        self.screen.xdotool("windowactivate", "--sync", self.id)
        time.sleep(0.5)
        self.screen.xdotool("key", "alt+F4")
        try:
            return self.process.communicate(timeout=30)[0].strip()
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "did not close"


class Cores:
    """What other programs take of the cores from now on."""

    def __init__(self, ours):
        self.ours = ours
        self.start = self.now()

    def now(self):
        words = pathlib.Path("/proc/stat").read_text().split()
        user, nice, system, idle, wait, interrupts, soft, stolen = (int(word) for word in words[1:9])
        own = 0
        for process in self.ours:
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            own += int(fields[11]) + int(fields[12])
        busy = user + nice + system + interrupts + soft + stolen
        return busy - own, busy + idle + wait

    def taken_by_others(self):
        others, total = (after - before for after, before in zip(self.now(), self.start))
        return others / max(1, total)


def wait_for_quiet():
    """Until other programs leave the cores alone, or for ten minutes."""
    for _ in range(200):
        cores = Cores([])
        time.sleep(3)
        if cores.taken_by_others() < 0.05:
            return


def speed(run):
    """Images per second over whole epochs, without the first."""
    steps, per_epoch = [], 1
    for line in (run / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["event"] == "started":
            per_epoch = event["steps_per_epoch"]
        if event["event"] == "step" and event["step"] % per_epoch == 0:
            steps.append(event)
    if len(steps) < 2:
        return math.nan
    images = steps[-1]["images"] - steps[0]["images"]
    return images / (steps[-1]["wall_secs"] - steps[0]["wall_secs"])


def headless(binary, folder, secs):
    run = folder / "runs" / "solar-none"
    arguments = ["nice", "-n", "10", binary, "train", "--out", run]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cores = Cores([process.pid])
    time.sleep(secs)
    others = cores.taken_by_others()
    process.send_signal(signal.SIGINT)
    process.wait()
    return speed(run), others


def windowed(screen, binary, folder, secs, way):
    window = Window(screen, binary, folder)
    cores = Cores([window.process.pid, screen.server.pid, screen.manager.pid, os.getpid()])
    answers = []
    if way == "used":
        answers = window.use(secs)
    else:
        screen.move((1399, 899))
        if way == "idle":
            screen.xdotool("windowminimize", window.id)
        time.sleep(secs)
    others = cores.taken_by_others()
    said = window.close()
    if answers:
        said += f"\nscreen: {len(answers)} answers, {spread(answers)} ms"
    return speed(folder / "runs" / "solar-none"), others, said


def measure(screen, way, arguments):
    """Images per second. Where other programs took more of the cores than allowed, once more."""
    for _ in range(8):
        wait_for_quiet()
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            if way == "headless":
                value, others = headless(arguments.binary, folder, arguments.secs)
                said = ""
            else:
                value, others, said = windowed(screen, arguments.binary, folder, arguments.secs, way)
        print(f"{way}: {value:.0f} images/s; other programs took {100 * others:.0f} % of the cores", flush=True)
        if said:
            print("    " + said.replace("\n", "\n    "), flush=True)
        if others <= arguments.others:
            break
    return value


def spread(values):
    values = sorted(values)
    at = lambda percent: values[max(0, -(-percent * len(values) // 100) - 1)]
    return f"median {at(50):.1f}, 99 % {at(99):.1f}, worst {at(100):.1f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "target/release/crosscurrent"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--secs", type=float, default=40)
    parser.add_argument("--others", type=float, default=0.05, help="share of the cores that other programs may take")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    arguments = parser.parse_args()
    screen = Screen()
    speeds = {way: [] for way in arguments.ways}
    try:
        for turn in range(arguments.rounds):
            # In another order each time.
            shift = turn % len(arguments.ways)
            for way in arguments.ways[shift:] + arguments.ways[:shift]:
                speeds[way].append(measure(screen, way, arguments))
    finally:
        screen.close()
    for way in arguments.ways:
        ratios = [value / base for value, base in zip(speeds[way], speeds.get("headless", []))]
        if ratios:
            low, high = min(ratios), max(ratios)
            print(f"{way}: {statistics.median(ratios):.3f} of headless ({low:.3f} to {high:.3f})")


main()
