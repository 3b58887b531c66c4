"""Measures the window while it trains at full speed: frame times, how fast input is answered, and how much slower
training becomes.

    cargo build --release && python3 tests/bench/window_load.py [--rounds 3] [--turns 3] [--secs 10]
    cargo bench --bench frames -- --write FOLDER && python3 tests/bench/window_load.py --recorded FOLDER/SCENE/*

Needs Xvfb, openbox, xdotool, xprop, libX11 and libXtst, and no Python package. In every round a network is trained on
the built-in images with the default settings: first without a window ("headless"), then in a window that is by turns
minimised ("idle") and showing the run ("live"). At the end the window is also used all the time ("used"): the pointer
hovers and clicks, and the slider is dragged.

The script prints images per second, and ratios of them: idle to headless in each round, live and used to idle in each
turn. A measurement that other programs disturbed is repeated. It also prints the frame times that the window reports,
and the time from a movement of the pointer to the pixels that answer it, as another program sees it ("screen").

With `--recorded` nothing is trained. The runs named are opened, the window is used for `--secs` seconds on every page,
and the script prints the frame times that the window reports.

Training in a window has a nice value of 10. The headless run here has the same, since otherwise other programs on the
machine would slow down one more than the other.
"""

import argparse
import ctypes
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Epochs to train: more than are finished while the speed is measured.
COUNT = 200
# Places of buttons and fields in a window of 1280 × 800 points, measured from its upper left corner.
START = (53, 743)
EPOCHS = (189, 531)
LIGHT = (1249, 15)
BESIDE_LIGHT = (900, 15)
SLIDER = (420, 749), (980, 749)
PAGES = 8


class Screen:
    """A display for this script alone, with a window manager."""

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
        """The 32 × 16 pixels around a place, as bytes."""
        size = (ctypes.c_uint(32), ctypes.c_uint(16))
        plane, form = ctypes.c_ulong(2**32 - 1), 2
        image = self.x11.XGetImage(self.display, self.root, at[0] - 16, at[1] - 8, *size, plane, form)
        # struct _XImage begins with 4 ints (width, height, xoffset, format), followed by `char *data`.
        data = ctypes.cast(image + 16, ctypes.POINTER(ctypes.c_void_p))[0]
        copy = ctypes.string_at(data, 32 * 16 * 4)
        self.x11.XDestroyImage(ctypes.c_void_p(image))
        return copy


class Window:
    """The program with a window."""

    def __init__(self, screen, binary, folder, runs):
        self.screen = screen
        arguments = [binary, "--frame-times", *map(str, runs)]
        # A home of its own, so that this window neither reads settings of other windows nor changes them.
        env = {**screen.env, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self.process = subprocess.Popen(arguments, env=env, cwd=folder, stdout=subprocess.PIPE, text=True)
        found = screen.xdotool("search", "--sync", "--onlyvisible", "--name", "^Crosscurrent$")
        self.id = found.split()[-1]
        time.sleep(2)
        geometry = screen.xdotool("getwindowgeometry", "--shell", self.id)
        x, y = (int(re.search(rf"{axis}=(\d+)", geometry)[1]) for axis in "XY")
        # xdotool counts the frame that the window manager adds twice.
        extents = subprocess.run(
            ["xprop", "-id", self.id, "_NET_FRAME_EXTENTS"], env=screen.env, capture_output=True, text=True, check=False
        ).stdout
        left, _, top, _ = (int(word) for word in re.findall(r"\d+", extents)[:4])
        self.origin = (x - left, y - top)

    def train(self, folder):
        screen, self.run = self.screen, folder / "runs/solar-none"
        screen.click(self.at(EPOCHS))
        screen.xdotool("key", "ctrl+a")
        screen.xdotool("type", str(COUNT))
        screen.click(self.at(START))
        # If the window were minimised before, it would take in the click only when it is shown again.
        while newest(self.run) is None:
            time.sleep(0.1)
        screen.move((1399, 899))

    def at(self, place):
        return self.origin[0] + place[0], self.origin[1] + place[1]

    def use(self, secs):
        """Moves the pointer, clicks and drags for so many seconds. Returns how long each movement onto a button or off it
        took to be answered, in ms."""
        screen, answers, end = self.screen, [], time.monotonic() + secs
        dice = random.Random(0)
        while time.monotonic() < end:
            answers += self.hover(dice)
            # Across the figures, which show the values under the pointer.
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
            # "Live": the newest moment is followed again.
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

    def look_around(self, secs):
        """Hovers, clicks, turns the wheel over a figure and drags the slider for so many seconds, on every page."""
        screen, dice = self.screen, random.Random(0)
        for page in range(1, PAGES + 1):
            screen.xdotool("key", f"ctrl+{page}")
            end = time.monotonic() + secs
            while time.monotonic() < end:
                for _ in range(30):
                    screen.move(self.at((340 + dice.randrange(900), 120 + dice.randrange(620))))
                    time.sleep(0.016)
                screen.click(self.at((340 + dice.randrange(900), 120 + dice.randrange(620))))
                screen.xdotool("keydown", "ctrl", "click", "--repeat", "3", dice.choice("45"), "keyup", "ctrl")
                (left, y), (right, _) = SLIDER
                screen.move(self.at((right, y)))
                screen.button(True)
                for step in range(60):
                    screen.move(self.at((right - (right - left) * abs(30 - step) // 30, y)))
                    time.sleep(0.016)
                screen.button(False)
                # Closes whatever a click may have opened.
                screen.xdotool("key", "Escape")

    def show(self, shown):
        if shown:
            self.screen.xdotool("windowmap", self.id)
            self.screen.xdotool("windowactivate", self.id)
        else:
            self.screen.xdotool("windowminimize", self.id)
        time.sleep(1)

    def ours(self):
        return [self.process.pid, self.screen.server.pid, self.screen.manager.pid, os.getpid()]

    def close(self):
        """Closes the window and returns what it prints of its frames."""
        self.screen.xdotool("windowactivate", "--sync", self.id)
        time.sleep(0.5)
        self.screen.xdotool("key", "alt+F4")
        try:
            return self.process.communicate(timeout=30)[0].strip()
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "did not close"


class Cores:
    """Measures the share of the processor cores that other programs take from now on."""

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


def wait_for_quiet(ours):
    """Waits until other programs leave the cores alone, at most ten minutes."""
    for _ in range(300):
        cores = Cores(ours)
        time.sleep(2)
        if cores.taken_by_others() < 0.05:
            return


def newest(run):
    """The newest step in the log of a run; None where there is none yet."""
    try:
        lines = (run / "events.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        # The last line may be half written.
        if line.startswith('{"event":"step"') and line.endswith("}"):
            return json.loads(line)
    return None


def speed(run, ours, arguments, work=time.sleep):
    """Images per second while `work` is done. The measurement is repeated while other programs take more of the cores
    than is allowed."""
    for _ in range(8):
        wait_for_quiet(ours)
        cores, before = Cores(ours), newest(run)
        work(arguments.secs)
        others, after = cores.taken_by_others(), newest(run)
        if others <= arguments.others:
            break
        print(f"    (other programs took {100 * others:.0f} % of the cores)", flush=True)
    return (after["images"] - before["images"]) / (after["wall_secs"] - before["wall_secs"])


def headless(arguments, folder):
    run = folder / "run"
    words = ["nice", "-n", "10", arguments.binary, "train", "--epochs", str(COUNT), "--out", run]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while newest(run) is None:
        time.sleep(0.1)
    speeds = [speed(run, [process.pid], arguments) for _ in range(arguments.turns)]
    process.terminate()
    process.wait()
    return speeds


def windowed(screen, arguments, folder):
    """The speeds idle, live and used, what the window prints of its frames, and the times of its answers in ms."""
    idle, live, used, answers = [], [], [], []
    # Two runs are opened, since more would move the fields that are clicked.
    window = Window(screen, arguments.binary, folder, sorted((ROOT / "sample_runs").glob("solar-*")))
    window.train(folder)
    for _ in range(arguments.turns):
        for shown, speeds in (False, idle), (True, live):
            window.show(shown)
            speeds.append(speed(window.run, window.ours(), arguments))
    work = lambda secs: answers.extend(window.use(secs))
    used.append(speed(window.run, window.ours(), arguments, work))
    return idle, live, used, window.close(), answers


def recorded(arguments):
    """Prints what the window says of its frames while recorded runs are looked at."""
    screen = Screen()
    try:
        with tempfile.TemporaryDirectory() as folder:
            runs = [pathlib.Path(run).resolve() for run in arguments.recorded]
            window = Window(screen, arguments.binary, pathlib.Path(folder), runs)
            time.sleep(3)
            window.look_around(arguments.secs)
            status = pathlib.Path(f"/proc/{window.process.pid}/status").read_text()
            print(window.close())
            print(re.search(r"VmHWM.*", status)[0])
    finally:
        screen.close()


def spread(values):
    values = sorted(values)
    at = lambda percent: values[max(0, -(-percent * len(values) // 100) - 1)]
    return f"median {at(50):.1f}, 99 % {at(99):.1f}, worst {at(100):.1f}"


def told(ratios):
    return f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "target/release/crosscurrent"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--secs", type=float, default=10)
    parser.add_argument("--others", type=float, default=0.05, help="share of the cores that other programs may take")
    parser.add_argument("--recorded", nargs="+", metavar="RUN", help="runs to look around in, instead of training")
    arguments = parser.parse_args()
    if arguments.recorded:
        return recorded(arguments)
    screen, of_headless, live_of_idle, used_of_idle = Screen(), [], [], []
    try:
        for turn in range(arguments.rounds):
            with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
                # The order alternates from round to round.
                if turn % 2 == 0:
                    alone = headless(arguments, pathlib.Path(first))
                idle, live, used, said, answers = windowed(screen, arguments, pathlib.Path(second))
                if turn % 2 == 1:
                    alone = headless(arguments, pathlib.Path(first))
            for name, speeds in ("headless", alone), ("idle", idle), ("live", live), ("used", used):
                print(f"{name}: {' '.join(f'{speed:.0f}' for speed in speeds)} images/s")
            print("    " + said.replace("\n", "\n    "))
            print(f"    screen: {len(answers)} answers, {spread(answers)} ms", flush=True)
            of_headless.append(statistics.median(idle) / statistics.median(alone))
            live_of_idle += [shown / hidden for shown, hidden in zip(live, idle)]
            used_of_idle += [shown / statistics.median(idle) for shown in used]
    finally:
        screen.close()
    print(f"idle of headless {told(of_headless)}")
    print(f"live of idle {told(live_of_idle)}")
    print(f"used of idle {told(used_of_idle)}")


main()
