"""A training that is started again goes on with its run: as if it had never stopped, or with a sentence."""

import copy
import json
import warnings

from common import Case, events, tensors
from networks import ResNet, images

import numpy as np
import torch
from torch import nn

from crosscurrent import Recorder, RecorderError

NAMES = ["a", "b", "c", "d"]


class Script:
    """A training script that keeps checkpoints and can be started again."""

    def __init__(self, path, **options):
        torch.manual_seed(1)
        self.path, self.options = path, {"probe": images(), "classes": NAMES, "every": 2, "steps_per_epoch": 4, **options}
        self.net = ResNet(4, 8, (1,))
        self.opt = torch.optim.SGD(self.net.parameters(), 0.05, momentum=0.9)

    def load(self, kept):
        self.net.load_state_dict(kept["net"])
        self.opt.load_state_dict(kept["opt"])

    def kept(self, rec):
        return copy.deepcopy({"net": self.net.state_dict(), "opt": self.opt.state_dict(), "step": rec.step})

    def recorder(self, **options):
        return Recorder(self.path, self.net, self.opt, **{**self.options, **options})

    def step(self, rec):
        """A step whose batch follows from its number."""
        x, y = images()
        batch = torch.randint(len(x), (16,), generator=torch.Generator().manual_seed(rec.step))
        self.net.train()
        loss = nn.functional.cross_entropy(self.net(x[batch]), y[batch])
        self.opt.zero_grad()
        loss.backward()
        rec.loss(loss)
        self.opt.step()
        self.net.eval()
        if rec.step % 3 == 0:
            rec.evaluate(y, self.net(x).detach())


def counting(path):
    """The events that count, as the program reads them."""
    found = []
    for event in events(path):
        if event["event"] == "resumed":
            found = [e for e in found if e.get("step", 0) <= event["step"] and e["event"] not in ("stopped", "failed")]
        else:
            found.append({name: value for name, value in event.items() if name not in ("wall_secs", "id", "created_unix_secs")})
    return found


class Resume(Case):
    def interrupted(self, name="run", until=7, at=5, **options):
        """A script whose checkpoint was saved at a step, and that was stopped later; gives what a new start finds."""
        script = Script(self.root / name, **options)
        rec = script.recorder()
        while rec.step < until:
            script.step(rec)
            if rec.step == at:
                kept = script.kept(rec)
        rec.stop("out of time")
        again = Script(self.root / name, **options)
        again.load(kept)
        return again, kept["step"]

    def test_the_run_is_that_of_a_training_that_never_stopped(self):
        whole = Script(self.root / "whole")
        rec = whole.recorder()
        while rec.step < 10:
            whole.step(rec)
        rec.close()
        for at in (4, 5):
            again, step = self.interrupted(f"run{at}", at=at)
            rec = again.recorder(resume=step)
            self.assertEqual(rec.step, at)
            while rec.step < 10:
                again.step(rec)
            rec.close()
            found, wanted = counting(again.path), counting(whole.path)
            if at == 5:
                # It is also measured where it goes on.
                extra = [e for e in found if e["event"] == "probe" and e["step"] == 5]
                self.assertEqual(len(extra), 1)
                found.remove(extra[0])
            self.assertEqual(found, wanted)
            for event in wanted:
                if event["event"] == "probe":
                    was, now = tensors(whole.path / event["file"]), tensors(again.path / event["file"])
                    for name in was:
                        np.testing.assert_array_equal(was[name], now[name], err_msg=f"{event['step']} {name}")
            seconds = [e["wall_secs"] for e in events(again.path) if e["event"] == "step"]
            self.assertGreater(seconds[7], seconds[at - 1])

    def test_a_killed_script_goes_on_also_behind_half_a_line(self):
        again, step = self.interrupted()
        log = again.path / "events.jsonl"
        for tail in (b'{"event":"step","st', b'{"event":"step"', b"\0\0"):
            log.write_bytes(log.read_bytes() + tail)
            rec = again.recorder(resume=step)
            rec.stop("again")
            self.assertEqual([e["event"] for e in events(again.path)][-1], "stopped")
        # A last line that lacks its end alone counts.
        log.write_bytes(log.read_bytes()[:-1])
        before = len(events(again.path))
        again.recorder(resume=step).close()
        self.assertEqual(len(events(again.path)), before + 2)

    def test_without_a_run_one_begins_at_the_step(self):
        script = Script(self.root / "new")
        with self.assertWarnsRegex(UserWarning, "one begins at step 40"):
            rec = script.recorder(resume=40)
        script.step(rec)
        rec.close()
        self.assertEqual([e["step"] for e in events(script.path) if e["event"] in ("step", "probe")], [40, 41, 41])
        other = Script(self.root / "first")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            other.recorder(resume=0).close()
        self.assertEqual([e["event"] for e in events(other.path)], ["started", "probe", "finished"])

    def test_what_nobody_recorded_and_settings_that_changed_are_warned_of(self):
        again, _ = self.interrupted(config={"lr": 0.05, "seed": 1})
        with self.assertWarnsRegex(UserWarning, "`lr` was 0.05 and is 0.01"):
            again.recorder(resume=5, config={"lr": 0.01, "seed": 1}).stop("")
        with self.assertWarnsRegex(UserWarning, "ends at step 5, and training goes on from step 9"):
            again.recorder(resume=9, config={"lr": 0.05, "seed": 1}).close()

    def test_another_run_or_network_is_refused_and_nothing_of_the_run_is_touched(self):
        again, step = self.interrupted(at=4)
        before = (again.path / "events.jsonl").read_bytes()
        x, y = images()
        wrong = {
            "another `classes`: pass the same": dict(classes=["a", "b", "c", "e"]),
            "another `data_fingerprint`": dict(probe=(x + 1, y)),
            "another `probe`|another `data_finger": dict(images_per_class=8),
            "another `train_counts`": dict(train_counts=[9, 9, 9, 9]),
            "another `shares`": dict(shares=[1, 1, 1, 1]),
            "another `drawn`": dict(drawn=[1, 1, 1, 1], shares=torch.bincount(y, minlength=4)),
            "another `steps_per_epoch` \\(it was 4 and is 3\\)": dict(steps_per_epoch=3),
            "another `cross_entropy` \\(it was True and is False\\)": dict(cross_entropy=False),
            "`resume` is the number of steps": dict(resume=True),
            "not -1": dict(resume=-1),
        }
        for sentence, options in wrong.items():
            with self.subTest(sentence), self.assertRaisesRegex(RecorderError, sentence):
                again.recorder(**{"resume": step, **options})
        # The checkpoint was not loaded.
        fresh = Script(again.path)
        with torch.no_grad():
            fresh.net.fc.bias.add_(torch.tensor([0.0, 9.0, 0.0, 0.0]))
        with self.assertRaisesRegex(RecorderError, "not the network that was recorded at step 4: its mean loss"):
            fresh.recorder(resume=step)
        other = Script(again.path)
        other.net = ResNet(4, 4, (1,))
        with self.assertRaisesRegex(RecorderError, "another `layers`: record the same network"):
            other.recorder(resume=step)
        self.assertEqual((again.path / "events.jsonl").read_bytes(), before)
        # Without `resume` the sentence names it.
        with self.assertRaisesRegex(RecorderError, "`resume=STEP`"):
            again.recorder()

    def test_a_run_that_does_not_say_what_was_drawn_was_measured_by_its_shares(self):
        again, step = self.interrupted(shares=[1, 1, 1, 1])
        log = again.path / "events.jsonl"
        header, _, rest = log.read_text().partition("\n")
        header = json.loads(header)
        del header["recorder"]["drawn"]
        log.write_text(json.dumps(header) + "\n" + rest)
        with self.assertRaisesRegex(RecorderError, "another `drawn`: pass the same `drawn`"):
            again.recorder(resume=step)
        again.recorder(resume=step, drawn=[1, 1, 1, 1]).close()

    def test_classes_with_fewer_images_than_pieces_are_compared_by_the_images_they_have(self):
        again, step = self.interrupted(at=4, probe=images((30, 20, 10, 3)))
        again.recorder(resume=step).close()
        self.assertEqual([e["step"] for e in events(again.path) if e["event"] == "resumed"], [4])
        fresh = Script(again.path, probe=images((30, 20, 10, 3)))
        with torch.no_grad():
            fresh.net.fc.bias.add_(torch.tensor([0.0, 9.0, 0.0, 0.0]))
        with self.assertRaisesRegex(RecorderError, "not the network that was recorded at step 4"):
            fresh.recorder(resume=step)

    def test_blocks_that_an_earlier_version_named_otherwise_are_the_same(self):
        again, step = self.interrupted()
        log = again.path / "events.jsonl"
        header, _, rest = log.read_text().partition("\n")
        header = json.loads(header)
        header["layers"][0]["group"] = "backbone"
        log.write_text(json.dumps(header) + "\n" + rest)
        again.recorder(resume=step).close()
        self.assertEqual(events(again.path)[-1]["event"], "finished")

    def test_a_log_that_is_damaged_or_a_copy_is_refused(self):
        again, step = self.interrupted()
        log = again.path / "events.jsonl"
        lines = log.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join([lines[0], b"damaged\n", *lines[1:]]))
        with self.assertRaisesRegex(RecorderError, "line 2 of the log cannot be read"):
            again.recorder(resume=step)
        log.write_bytes(b'{"event":"started","format":2}\n')
        with self.assertRaisesRegex(RecorderError, "was not written by a recorder"):
            again.recorder(resume=step)
        (again.path / "mirror.json").write_text("{}")
        with self.assertRaisesRegex(RecorderError, "copy of a run on another machine"):
            again.recorder(resume=step)

    def test_a_run_is_gone_on_with_by_one_process_at_a_time(self):
        again, step = self.interrupted()
        first = again.recorder(resume=step)
        with self.assertRaisesRegex(RecorderError, "another recorder or process"):
            again.recorder(resume=step)
        first.close()


if __name__ == "__main__":
    import unittest

    unittest.main()
