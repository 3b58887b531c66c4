"""What a recorder does to a training script (nothing), and what it writes."""

import copy
import os
import random
import signal
import subprocess
import sys
import types
import warnings

from common import HERE, Case, events, probes, tensors
from networks import ResNet, ViT, images

import numpy as np
import torch
from torch import nn

import crosscurrent
from crosscurrent import Recorder, RecorderError

NAMES = ["a", "b", "c", "d"]


class Noisy(torch.utils.data.Dataset):
    """Images that are augmented at random where they are read."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        x = self.x[i] + 0.1 * torch.randn(()) + 0.1 * random.random() + 0.1 * np.random.rand()
        return x.float(), int(self.y[i])


def train(net, x, y, steps=7, recorded=None, optimizer=None, accumulate=1, autocast=False, **options):
    """Trains on batches drawn at random; where a path is given, with a recorder."""
    torch.manual_seed(3)
    random.seed(3)
    np.random.seed(3)
    opt = optimizer or torch.optim.SGD(net.parameters(), 0.05, momentum=0.9, weight_decay=1e-3)
    options = {"probe": Noisy(x, y), "classes": NAMES, "every": 2, **options}
    rec = Recorder(recorded, net, opt, **options) if recorded else None
    schedule = torch.optim.lr_scheduler.StepLR(opt, 3, 0.5)
    net.train()
    for step in range(steps):
        opt.zero_grad()
        for _ in range(accumulate):
            batch = torch.randint(len(x), (16,))
            noise = random.random() + np.random.rand()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
                loss = nn.functional.cross_entropy(net(x[batch] + noise * torch.randn_like(x[batch])), y[batch])
            (loss / accumulate).backward()
            if rec:
                rec.loss(loss)
        opt.step()
        schedule.step()
        if rec and step == 3:
            net.eval()
            rec.evaluate(y, net(x), split="val")
            net.train()
    if rec:
        rec.close()
    return [*(p.detach().clone() for p in net.parameters()), *(b.clone() for b in net.buffers()), torch.rand(4), np.random.rand(4)]


class Training(Case):
    def same(self, a, b):
        self.assertTrue(all(np.array_equal(np.asarray(x), np.asarray(y)) for x, y in zip(a, b)))

    def test_the_weights_are_the_same_bit_for_bit(self):
        x, y = images()
        for name, make in {"resnet": lambda: ResNet(4, 8, (1, 1)), "vit": lambda: ViT(4, 16, 2, patch=4, image=8)}.items():
            torch.manual_seed(1)
            net = make()
            alone = train(copy.deepcopy(net), x, y)
            self.same(alone, train(copy.deepcopy(net), x, y, recorded=self.root / name))
            self.same(alone, train(copy.deepcopy(net), x, y, recorded=self.root / (name + "2"), every=1, memory=50_000))
            self.assertEqual([step for step, _ in probes(self.root / name)], [0, 2, 4, 6, 7])

    def test_the_same_with_adam_accumulation_and_bfloat16(self):
        x, y = images()
        for name, options in {"accumulate": dict(accumulate=3), "autocast": dict(autocast=True)}.items():
            torch.manual_seed(1)
            net = ResNet(4, 8, (1,))
            results = []
            for path in (None, self.root / name):
                own = copy.deepcopy(net)
                results.append(train(own, x, y, recorded=path, optimizer=torch.optim.AdamW(own.parameters(), 1e-3), **options))
            self.same(*results)
            steps = [e for e in events(self.root / name) if e["event"] == "step"]
            self.assertEqual([e["step"] for e in steps], [1, 2, 3, 4, 5, 6, 7])
            self.assertTrue(all(0 < e["loss"] < 10 and len(e["grad_norms"]) > 5 for e in steps))

    def test_bfloat16_training_is_measured_in_single_precision(self):
        x, y = images()
        torch.manual_seed(1)
        net = ResNet(4, 8, (1,))
        for name, autocast in (("full", False), ("half", True)):
            own = copy.deepcopy(net)
            opt = torch.optim.SGD(own.parameters(), 0.1)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
                Recorder(self.root / name, own, opt, probe=(x, y), classes=NAMES).close()
        full, half = (probes(self.root / name)[0][1] for name in ("full", "half"))
        self.near(half["gram.training"], full["gram.training"], 1e-6)

    def test_weights_in_bfloat16_are_measured_in_bfloat16(self):
        x, y = images()
        torch.manual_seed(1)
        net = ViT(4, 16, 1, patch=4, image=8)
        found = []
        for name, own in (("single", net), ("half", copy.deepcopy(net).bfloat16())):
            Recorder(self.root / name, own, torch.optim.SGD(own.parameters(), 0.1), probe=(x, y), classes=NAMES).close()
            found.append(probes(self.root / name)[0][1]["gram"].sum(0))
        self.near(found[1], found[0], 0.1)
        self.assertGreater(np.abs(found[1] - found[0]).max(), 0)

    def test_the_update_is_what_the_step_did_and_norms_are_those_of_the_gradient(self):
        net = ResNet(4, 4, (1,))
        x, y = images()
        opt = torch.optim.SGD(net.parameters(), 1e-3)
        rec = Recorder(self.root / "run", net, opt, probe=(x, y), classes=NAMES, every=1)
        nn.functional.cross_entropy(net.train()(x), y).backward()
        wanted = float(torch.cat([p.grad.reshape(-1) for p in net.fc.parameters()]).norm())
        opt.step()
        rec.close()
        event = next(e for e in events(self.root / "run") if e["event"] == "step")
        self.assertAlmostEqual(event["grad_norms"][-1], wanted, 5)
        # A small step: the product with the update is the change of the loss of every piece, to first order.
        (_, first), (_, found) = probes(self.root / "run")
        self.assertFalse(first["update"].any())
        change = found["loss.training"] - first["loss.training"]
        self.near(found["update.training"].sum(0), change, 0.02)

    def test_a_closure_computes_the_gradients_that_are_logged(self):
        net = ResNet(4, 4, (1,))
        x, y = images()
        opt = torch.optim.SGD(net.parameters(), 0.1)
        rec = Recorder(self.root / "run", net, opt, probe=(x, y), classes=NAMES, every=0)
        norms = []

        def closure():
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            norms.append(float(net.conv1.weight.grad.norm()))
            return loss

        for _ in range(2):
            opt.step(closure)
        rec.close()
        found = [e["grad_norms"][0] for e in events(self.root / "run") if e["event"] == "step"]
        self.assertEqual(np.round(found, 4).tolist(), np.round(norms, 4).tolist())

    def test_a_step_that_a_gradient_scaler_skips_is_no_step(self):
        if not hasattr(getattr(torch, "amp", None), "GradScaler"):
            self.skipTest("this PyTorch has no gradient scaler for the processor")
        net = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))
        x, y = images()
        opt = torch.optim.SGD(net.parameters(), 0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        rec = Recorder(self.root / "run", net, opt, probe=(x, y), classes=NAMES, every=0)
        for turn in range(4):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y) * (float("inf") if turn == 1 else 1)
            scaler.scale(loss).backward()
            wanted = [p.grad.norm().item() / scaler.get_scale() for p in net.parameters()]
            scaler.step(opt)
            scaler.update()
        rec.close()
        steps = [e for e in events(self.root / "run") if e["event"] == "step"]
        self.assertEqual([e["step"] for e in steps], [1, 2, 3])
        self.assertAlmostEqual(steps[-1]["grad_norms"][0], float(np.linalg.norm(wanted)), 4)

    def test_a_compiled_network_is_measured_as_it_was_written(self):
        if not hasattr(torch, "compile"):
            self.skipTest("this PyTorch has no torch.compile")
        x, y = images()
        torch.manual_seed(1)
        net = ResNet(4, 4, (1,))
        plain = copy.deepcopy(net)
        try:
            compiled = torch.compile(net)
            compiled.train()(x[:16])
        except Exception as error:  # noqa: BLE001
            self.skipTest(f"torch.compile does not work here: {type(error).__name__}")
        net.load_state_dict(plain.state_dict())
        for name, model in (("plain", plain), ("compiled", compiled)):
            train(model, x, y, steps=3, recorded=self.root / name, probe=(x, y), every=1)
        wanted, found = (probes(self.root / name) for name in ("plain", "compiled"))
        self.near(found[0][1]["gram.training"], wanted[0][1]["gram.training"], 1e-6)
        names = [[row["name"] for row in events(self.root / name)[0]["layers"]] for name in ("plain", "compiled")]
        self.assertEqual(*names)
        # Compiled in place, a network keeps its name and its compiled calls.
        inside = copy.deepcopy(plain)
        inside.compile()
        rec = Recorder(self.root / "inside", inside, torch.optim.SGD(inside.parameters(), 0.1), probe=(x, y), classes=NAMES)
        self.assertIsNotNone(inside._compiled_call_impl)
        rec.close()

    def test_what_is_compiled_within_a_network_is_measured_as_it_was_written(self):
        if not hasattr(getattr(torch, "compiler", None), "set_stance"):
            self.skipTest("this PyTorch has no torch.compiler.set_stance")
        x, y = images()
        torch.manual_seed(1)
        plain = ResNet(4, 4, (1,))
        found = []
        for name in ("plain", "method", "module"):
            net = copy.deepcopy(plain)
            if name == "method":
                net.forward = torch.compile(net.forward, backend="aot_eager")
            elif name == "module":
                net.layer1 = torch.compile(net.layer1, backend="aot_eager")
            train(net, x, y, steps=2, recorded=self.root / name, probe=(x, y), every=1)
            found.append(probes(self.root / name))
        for other in found[1:]:
            self.assertEqual(len(other), 3)
            for (_, wanted), (_, own) in zip(found[0], other):
                self.near(own["gram.training"], wanted["gram.training"], 1e-5)

    def test_a_loader_is_counted_by_what_it_draws(self):
        x, y = images()
        data = torch.utils.data.TensorDataset(x, y)
        net = ResNet(4, 4, (1,))

        def header(name, **options):
            loader = torch.utils.data.DataLoader(data, **{"batch_size": 8, **options})
            with Recorder(self.root / name, net, torch.optim.SGD(net.parameters(), 0.1), probe=loader, classes=NAMES):
                pass
            return events(self.root / name)[0]

        half = list(range(0, len(y), 2))
        kinds = torch.utils.data
        found = header("half", sampler=kinds.SubsetRandomSampler(half))
        self.assertEqual(found["train_counts"], torch.bincount(y[half], minlength=4).tolist())
        weights = 1.0 / torch.bincount(y, minlength=4)[y]
        found = header("even", sampler=kinds.WeightedRandomSampler(weights, len(y)))
        self.assertEqual(found["train_counts"], torch.bincount(y, minlength=4).tolist())
        for name in ("drawn", "shares"):
            np.testing.assert_allclose(found["recorder"][name], [0.25] * 4, rtol=1e-6)

        class Own(kinds.Sampler):
            def __iter__(self):
                return iter(half)

            def __len__(self):
                return len(half)

        with self.assertWarnsRegex(UserWarning, "which images Own draws is not known"):
            header("own", sampler=Own(None) if torch.__version__ < "2.2" else Own())

    def test_labels_that_a_data_set_lists_need_to_be_those_of_its_items(self):
        x, y = images()

        class Remapped(torch.utils.data.Dataset):
            targets = y.tolist()

            def __len__(self):
                return len(y)

            def __getitem__(self, i):
                return x[i], 3 - int(y[i])

        net = ResNet(4, 4, (1,))
        opt = torch.optim.SGD(net.parameters(), 0.1)
        with self.assertRaisesRegex(RecorderError, "the data set lists the label . for its item"):
            Recorder(self.root / "refused", net, opt, probe=Remapped(), classes=NAMES)
        with Recorder(self.root / "run", net, opt, probe=Remapped(), classes=NAMES, labels=3 - y):
            pass
        counts = torch.bincount(3 - y, minlength=4).tolist()
        self.assertEqual(events(self.root / "run")[0]["train_counts"], counts)

    def test_only_sgd_with_one_rate_is_called_sgd(self):
        net = ResNet(4, 4, (1,))
        params = list(net.parameters())
        one = torch.optim.SGD(params, 0.1)
        two = torch.optim.SGD([{"params": params[:2], "lr": 0.01}, {"params": params[2:]}], 0.1)
        some = torch.optim.SGD(params[2:], 0.1)
        adam = torch.optim.Adam(params)
        said = []
        for name, opt in (("one", one), ("two", two), ("some", some), ("adam", adam)):
            with Recorder(self.root / name, net, opt, probe=images(), classes=NAMES):
                pass
            said.append(events(self.root / name)[0]["recorder"]["optimizer"])
        self.assertEqual(said, ["SGD", "SGD with several learning rates", "SGD of some layers", "Adam"])

    def test_two_processes_write_one_run_and_train_as_without_it(self):
        if not torch.distributed.is_available():
            self.skipTest("this PyTorch has no torch.distributed")
        results = []
        for path in ("", str(self.root / "run")):
            command = [sys.executable, str(HERE / "two_processes.py"), str(self.root / f"rendezvous{bool(path)}"), path]
            done = subprocess.run(command, capture_output=True, text=True, timeout=240)
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            results.append(done.stdout.split())
        self.assertEqual(*results)
        self.assertEqual(len(set(results[0])), 1)
        log = events(self.root / "run")
        self.assertEqual([e["event"] for e in log].count("started"), 1)
        self.assertEqual([e["step"] for e in log if e["event"] == "probe"], [0, 2, 4])
        self.assertEqual([sum(e["support"]) for e in log if e["event"] == "eval"], [len(images()[1])])
        self.assertEqual(log[0]["layers"][0]["name"], "conv1")
        # Both processes take eight images in a step.
        self.assertEqual([e["images"] for e in log if e["event"] == "step"], [16, 32, 48, 64])

    def test_an_error_while_measuring_ends_the_run_and_not_the_training(self):
        net = ResNet(4, 4, (1,))
        x, y = images()
        opt = torch.optim.SGD(net.parameters(), 0.1)
        rec = Recorder(self.root / "run", net, opt, probe=(x, y), classes=NAMES, every=2)
        rec._measure.frozen = lambda update: (_ for _ in ()).throw(RuntimeError("a fault"))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(4):
                nn.functional.cross_entropy(net(x), y).backward()
                opt.step()
            rec.evaluate(y, net(x))
            rec.close()
        self.assertEqual(len(caught), 1)
        self.assertIn("training goes on", str(caught[0].message))
        last = events(self.root / "run")[-1]
        self.assertEqual((last["event"], last["step"]), ("failed", 2))
        self.assertTrue(all(m.training for m in net.modules()))

    def step(self, net, opt):
        x, y = images()
        opt.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        opt.step()

    def test_an_error_while_measuring_does_not_disturb_the_optimisers_other_hooks(self):
        net = ResNet(4, 4, (1,))
        opt = torch.optim.SGD(net.parameters(), 0.1)
        if not hasattr(opt, "register_step_post_hook"):
            self.skipTest("before PyTorch 2.0 optimisers have no hooks")
        rec = Recorder(self.root / "run", net, opt, probe=images(), classes=NAMES, every=1)
        heard = []
        opt.register_step_pre_hook(lambda *_: heard.append("before"))
        opt.register_step_post_hook(lambda *_: heard.append("after"))
        rec._measure.frozen = lambda update: (_ for _ in ()).throw(RuntimeError("a fault"))
        with self.assertWarnsRegex(RuntimeWarning, "a fault"):
            self.step(net, opt)
        self.step(net, opt)
        self.assertEqual(heard, ["before", "after"] * 2)
        self.assertEqual(events(self.root / "run")[-1]["step"], 1)

    def test_an_update_for_which_memory_lacks_ends_the_run_and_not_the_training(self):
        net = ResNet(4, 4, (1,))
        opt = torch.optim.SGD(net.parameters(), 0.1)
        rec = Recorder(self.root / "run", net, opt, probe=images(), classes=NAMES, every=1)
        keep = rec._keep

        def lacking():
            keep()
            # The difference of these shapes fails, as it does without memory.
            rec._before_step[0] = torch.zeros(7)

        rec._keep = lacking
        with self.assertWarnsRegex(RuntimeWarning, "training goes on"):
            self.step(net, opt)
        self.assertEqual((rec._before_step, rec._update), (None, None))
        self.assertEqual(events(self.root / "run")[-1]["event"], "failed")

    def test_a_disk_that_is_full_at_the_end_is_warned_of(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("this system has no /dev/full")
        net = ResNet(4, 4, (1,))
        opt = torch.optim.SGD(net.parameters(), 0.1)
        rec = Recorder(self.root / "run", net, opt, probe=images(), classes=NAMES)
        rec._log._file.close()
        rec._log._file = open("/dev/full", "ab")
        with self.assertWarnsRegex(RuntimeWarning, "the end of the run could not be written"):
            rec.close()
        self.assertIsNone(rec._log._file)

    def test_weights_that_are_changed_after_the_last_step_are_not_measured_as_those_of_the_step(self):
        net = ResNet(4, 4, (1,))
        best = copy.deepcopy(net.state_dict())
        for name, is_changed in (("changed", True), ("same", False)):
            opt = torch.optim.SGD(net.parameters(), 0.1)
            rec = Recorder(self.root / name, net, opt, probe=images(), classes=NAMES, every=0)
            self.step(net, opt)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                if is_changed:
                    net.load_state_dict(best)
                rec.close("done")
            log = events(self.root / name)
            sentence = "the weights were changed after step 1, which is therefore not measured"
            self.assertEqual([str(warning.message) for warning in caught], [sentence] * is_changed)
            self.assertEqual([e["step"] for e in log if e["event"] == "probe"], [0] if is_changed else [0, 1])
            self.assertEqual(log[-1]["message"], f"done; {sentence}" if is_changed else "done")

    def test_a_copy_of_the_optimiser_does_not_count(self):
        net = ResNet(4, 4, (1,))
        x, y = images()
        opt = torch.optim.SGD(net.parameters(), 0.1)
        if not hasattr(opt, "register_step_pre_hook"):
            self.skipTest("before PyTorch 2.0 optimisers have no hooks, and are not copied with them")
        rec = Recorder(self.root / "run", net, opt, probe=(x, y), classes=NAMES, every=0)
        nn.functional.cross_entropy(net(x), y).backward()
        copy.deepcopy(opt).step()
        opt.step()
        rec.close()
        self.assertEqual(events(self.root / "run")[-1]["step"], 1)


class Files(Case):
    def recorder(self, name="run", **options):
        net = ResNet(4, 4, (1,))
        options = {"probe": images(), "classes": NAMES, "every": 1, **options}
        return net, Recorder(self.root / name, net, torch.optim.SGD(net.parameters(), 0.1), **options)

    def test_a_second_recorder_on_one_directory_gets_a_sentence(self):
        _, first = self.recorder()
        with self.assertRaisesRegex(RecorderError, "another recorder or process is writing this run"):
            self.recorder()
        first.close()
        with self.assertRaisesRegex(RecorderError, "there is a run here already"):
            self.recorder()
        self.assertEqual([e["event"] for e in events(self.root / "run")], ["started", "probe", "finished"])

    def test_what_cannot_be_recorded_is_refused_in_a_sentence(self):
        class FullyShardedDataParallel(nn.Module):
            def __init__(self, module):
                super().__init__()
                self.module = module

        x, y = images()
        plain = ResNet(4, 4, (1,))
        synced = nn.SyncBatchNorm.convert_sync_batchnorm(ResNet(4, 4, (1,)))
        wrong = {
            "FullyShardedDataParallel is not supported": dict(model=FullyShardedDataParallel(plain)),
            "SyncBatchNorm is not supported": dict(model=synced),
            "at least two classes": dict(classes=["one"]),
            "labels from 0 to 3, and `classes` names 3": dict(classes=["a", "b", "c"]),
            "4 classes need \\[1, 4\\]|5 classes need \\[1, 5\\]": dict(classes=list("abcde")),
            "cannot take the probe's images": dict(probe=(x[:, :2], y)),
            "items are \\(image, label\\)": dict(probe=[1, 2, 3]),
            "`train_counts` has 2 numbers": dict(train_counts=[1, 2]),
            "each image needs one label": dict(probe=(x, y[:-1])),
            "`share` is a share": dict(share=1.0),
            "no parameter of the network requires": dict(model=ResNet(4, 4, (1,)).requires_grad_(False)),
            "each measurement would write": dict(classes=[str(k) for k in range(3000)], model=ResNet(3000, 4, (1,))),
        }
        for sentence, options in wrong.items():
            options = {"model": plain, "probe": (x, y), "classes": NAMES, **options}
            opt = torch.optim.SGD(plain.parameters(), 0.1)
            with self.subTest(sentence), self.assertRaisesRegex(RecorderError, sentence):
                Recorder(self.root / "wrong", options.pop("model"), opt, **options)
            self.assertFalse((self.root / "wrong").exists(), sentence)

    def test_a_run_that_is_killed_has_whole_lines_and_whole_files(self):
        path = self.root / "run"
        process = subprocess.Popen(
            [sys.executable, str(HERE / "endless.py"), str(path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(6):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        whole = (path / "events.jsonl").read_bytes().rpartition(b"\n")[0]
        (path / "events.jsonl").write_bytes(whole + b"\n")
        found = probes(path)
        self.assertGreater(len(found), 2)
        layers = sum(row["gram"] is not None for row in events(path)[0]["layers"])
        for _, probe in found:
            self.assertEqual(probe["gram"].shape, (layers, 16, 16))

    def test_a_script_that_ends_or_fails_says_so(self):
        with self.assertRaises(ZeroDivisionError):
            with self.recorder("failed")[1]:
                1 / 0
        last = events(self.root / "failed")[-1]
        self.assertEqual((last["event"], last["message"]), ("failed", "ZeroDivisionError: division by zero"))
        with self.assertRaises(KeyboardInterrupt):
            with self.recorder("stopped")[1]:
                raise KeyboardInterrupt
        self.assertEqual(events(self.root / "stopped")[-1]["event"], "stopped")
        command = [sys.executable, str(HERE / "endless.py"), str(self.root / "left"), "2"]
        subprocess.run(command, check=True, capture_output=True)
        last = events(self.root / "left")[-1]
        self.assertEqual((last["event"], last["step"]), ("stopped", 2))

    def test_other_libraries_read_the_tensors(self):
        try:
            from safetensors.numpy import load_file
        except ImportError:
            self.skipTest("safetensors is not installed")
        _, rec = self.recorder()
        rec.close()
        path = self.root / "run" / "probes" / "00000000.safetensors"
        ours, theirs = tensors(path), load_file(path)
        self.assertEqual(set(ours), set(theirs))
        for name in ours:
            self.assertTrue(np.array_equal(ours[name], theirs[name], equal_nan=True), name)

    def test_evaluations_have_the_scores_of_their_confusion_matrix(self):
        _, rec = self.recorder()
        labels = [0, 0, 0, 1, 1, 2]
        logits = np.full((6, 4), -2.0)
        for row, k in enumerate([0, 0, 1, 1, 0, 1]):
            logits[row, k] = 1.0
        scores = rec.evaluate(torch.tensor(labels), torch.tensor(logits), split="test")
        rec.close()
        event = next(e for e in events(self.root / "run") if e["event"] == "eval")
        self.assertEqual(event["confusion"], [[2, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
        self.assertEqual(event["recall"], [2 / 3, 1 / 2, 0.0, None])
        self.assertEqual(event["precision"], [2 / 3, 1 / 3, None, None])
        self.assertEqual(event["f1"], [2 / 3, 2 / 5, 0.0, None])
        self.assertAlmostEqual(event["macro_f1"], (2 / 3 + 2 / 5) / 3)
        self.assertEqual(event["macro_f1_classes"], 3)
        self.assertAlmostEqual(event["balanced_accuracy"], (2 / 3 + 1 / 2) / 3)
        wanted = nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(labels)).item()
        self.assertAlmostEqual(event["loss"], wanted, 10)
        self.assertEqual(scores["macro_f1"], event["macro_f1"])
        with self.assertRaisesRegex(RecorderError, "is no split"):
            self.recorder("two")[1].evaluate(labels, logits, split="dev")

    def test_a_second_evaluation_at_a_step_is_warned_of(self):
        net, rec = self.recorder()
        x, y = images()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rec.evaluate(y, net(x))
            rec.evaluate(y, net(x), split="test")
            rec.step += 1
            rec.evaluate(y, net(x))
            rec.step -= 1
        rec.evaluate(y, net(x))
        with self.assertWarnsRegex(UserWarning, "a second evaluation of `val` at step 0 replaces the first"):
            rec.evaluate(y[:9], net(x[:9]))
        rec.close()

    def test_probabilities_are_not_taken_for_logits(self):
        class Soft(ResNet):
            def forward(self, x):
                logits = super().forward(x)
                return logits if self.training else logits.softmax(1)

        net, (x, y) = Soft(4, 4, (1,)), images()
        opt = torch.optim.SGD(net.parameters(), 0.1)
        with self.assertRaisesRegex(RecorderError, "gives probabilities in evaluation; pass `forward="):
            Recorder(self.root / "soft", net, opt, probe=(x, y), classes=NAMES)
        options = dict(probe=(x, y), classes=NAMES, forward=lambda model, images: model(images).log())
        rec = Recorder(self.root / "log", net, opt, **options)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for split in ("val", "test"):
                scores = rec.evaluate(y, net.eval()(x), split=split)
                self.assertIsNone(scores["loss"])
                self.assertGreaterEqual(scores["accuracy"], 0)
        self.assertEqual(len(caught), 1)
        self.assertIn("pass logits", str(caught[0].message))
        self.assertGreater(rec.evaluate(y, net(x).log(), split="train")["loss"], 0)
        rec.close()

    def test_the_lock_ends_with_the_recorder_also_where_another_process_has_the_file(self):
        _, rec = self.recorder()
        # As a process has it that was forked meanwhile.
        other = os.dup(rec._log._file.fileno())
        self.addCleanup(os.close, other)
        rec.close()
        with self.assertRaisesRegex(RecorderError, "there is a run here already"):
            self.recorder()

    def test_a_script_may_go_to_another_directory(self):
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        (self.root / "other").mkdir()
        os.chdir(self.root)
        net = ResNet(4, 4, (1,))
        rec = Recorder("run", net, torch.optim.SGD(net.parameters(), 0.1), probe=images(), classes=NAMES)
        os.chdir("other")
        rec.step += 1
        rec.close()
        self.assertEqual([step for step, _ in probes(self.root / "run")], [0, 1])

    def test_probe_images_follow_from_the_seed_alone(self):
        x, y = images((50, 40, 30, 3))
        found = []
        for name, options in {"a": {}, "b": {}, "other": dict(seed=1)}.items():
            torch.manual_seed(random.randrange(1000))
            _, rec = self.recorder(name, probe=Noisy(x, y), images_per_class=8, **options)
            rec.close()
            found.append(events(self.root / name)[0])
        self.assertEqual(found[0]["data_fingerprint"], found[1]["data_fingerprint"])
        self.assertNotEqual(found[0]["data_fingerprint"], found[2]["data_fingerprint"])
        self.assertEqual(found[0]["train_counts"], [50, 40, 30, 3])
        self.assertEqual(found[0]["probe"]["counts"], [[2, 2, 2, 2]] * 3 + [[1, 1, 1, 0]])

    def test_every_form_of_data_gives_the_same_run(self):
        x, y = images()
        pairs = torch.utils.data.TensorDataset(x, y)
        loader = torch.utils.data.DataLoader(pairs, batch_size=9, shuffle=True)
        forms = dict(
            tensors=(x, y), pairs=pairs, subset=torch.utils.data.Subset(pairs, range(len(x))), loader=loader,
            arrays=(x.numpy(), y.numpy()),
        )
        headers = []
        for name, probe in forms.items():
            self.recorder(name, probe=probe)[1].close()
            headers.append(events(self.root / name)[0])
        self.assertEqual(len({h["data_fingerprint"] for h in headers}), 1)
        self.assertEqual([h["steps_per_epoch"] for h in headers], [0, 0, 0, 9, 0])

    def test_settings_become_json(self):
        _, rec = self.recorder(config=dict(lr=0.1, nan=float("nan"), deep={"a": (1, None)}, odd=types))
        rec.close()
        config = events(self.root / "run")[0]["recorder"]["config"]
        self.assertEqual((config["lr"], config["nan"], config["deep"]), (0.1, None, {"a": [1, None]}))
        self.assertIsInstance(config["odd"], str)
        values = dict(seed=np.int64(3), lr=np.float32(0.5), flag=np.bool_(True), one=torch.tensor(2), several=np.arange(2))
        _, rec = self.recorder("numbers", config=values)
        rec.close()
        config = events(self.root / "numbers")[0]["recorder"]["config"]
        self.assertEqual(config, dict(seed=3, lr=0.5, flag=True, one=2, several="[0 1]"))
        self.assertIs(config["flag"], True)

    def test_the_optimiser_is_named_whatever_wraps_it(self):
        class Own(torch.optim.SGD):
            pass

        net = ResNet(4, 4, (1, 1))
        wrapped = types.SimpleNamespace(optimizer=torch.optim.AdamW(net.parameters()))
        for name, optimizer in dict(SGD=Own(net.parameters(), 0.1), AdamW=wrapped).items():
            rec = Recorder(self.root / name, net, optimizer, probe=images(), classes=NAMES)
            rec.close()
            self.assertEqual(events(rec.path)[0]["recorder"]["optimizer"], name)

    def test_importing_the_package_does_not_import_torch(self):
        code = "import sys, crosscurrent; sys.exit('torch' in sys.modules)"
        env = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        self.assertEqual(subprocess.run([sys.executable, "-c", code], env=env).returncode, 0)
        with self.assertRaises(AttributeError):
            crosscurrent.nothing


class Layers(Case):
    def rows(self, net, x):
        rec = Recorder(self.root / str(random.random()), net, torch.optim.SGD(net.parameters(), 0.1), probe=x, classes=NAMES)
        rec.close()
        return {row["name"]: row for row in events(rec.path)[0]["layers"]}

    def test_a_residual_network_has_its_shortcuts(self):
        rows = self.rows(ResNet(4, 4, (1, 1)), images())
        self.assertEqual(rows["layer1.0.add"]["inputs"], ["layer1.0.bn2", "bn1"])
        self.assertEqual(rows["layer2.0.conv1"]["inputs"], ["layer1.0.add"])
        self.assertEqual(sorted(rows["layer2.0.add"]["inputs"]), ["layer2.0.bn2", "layer2.0.downsample.1"])
        self.assertEqual(rows["conv1"], dict(
            name="conv1", group="stem", kind="conv", shape=[8, 8, 4], params=108, inputs=[], gram=0))
        groups = [row["group"] for row in rows.values()]
        self.assertEqual(list(dict.fromkeys(groups)), ["stem", "layer1.0", "layer2.0", "head", "classifier"])
        self.assertEqual(rows["fc"]["group"], "classifier")
        grams = [row["gram"] for row in rows.values() if row["gram"] is not None]
        self.assertEqual(grams, list(range(len(grams))))

    def test_blocks_that_are_called_as_parts_of_every_network_get_another_name(self):
        class Whole(nn.Module):
            def __init__(self):
                super().__init__()
                self.backbone, self.network = ResNet(8, 4, (1,)), nn.Sequential(nn.ReLU(), nn.Linear(8, 8))
                self.head = nn.Linear(8, 4)

            def forward(self, x):
                return self.head(self.network(self.backbone(x)))

        rows = self.rows(Whole(), images())
        self.assertEqual(rows["backbone.conv1"]["group"], "backbone (block)")
        self.assertEqual(rows["network.1"]["group"], "network (block)")
        self.assertEqual(rows["backbone.layer1.0.conv1"]["group"], "backbone.layer1.0")

    def test_a_vision_transformer_has_its_tokens_and_attentions(self):
        net = ViT(4, 16, 2, patch=4, image=8)
        rows = self.rows(net, images())
        attention = rows["blocks.1.attn"]
        self.assertEqual(attention["kind"], "attention")
        self.assertEqual(attention["params"], sum(p.numel() for p in net.blocks[1].attn.parameters()))
        self.assertEqual(rows["concat"]["inputs"], ["cls_token", "patch_embed"])
        self.assertEqual(rows["blocks.1.add"]["inputs"], ["blocks.0.add2", "blocks.1.attn"])
        self.assertEqual(sum(row["params"] for row in rows.values()), sum(p.numel() for p in net.parameters()))

    def test_parameters_are_counted_once_and_unused_or_frozen_ones_not_at_all(self):
        class Tied(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(192, 192), nn.Linear(192, 192)
                self.b.weight = self.a.weight
                self.unused = nn.Linear(3, 3)
                self.fixed = nn.Linear(192, 192).requires_grad_(False)
                self.classifier = nn.Sequential(nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 4))

            def forward(self, x):
                return {"logits": self.classifier(self.fixed(self.b(self.a(x.flatten(1)))))}

        rows = self.rows(Tied(), images())
        self.assertEqual({name: row["params"] for name, row in rows.items() if row["params"]}, {
            "a": 192 * 193, "b": 192, "classifier.0": 192 * 8 + 8, "classifier.2": 36})
        self.assertEqual(rows["classifier.0"]["group"], "classifier (hidden)")
        self.assertEqual(rows["classifier.2"]["group"], "classifier")
        self.assertIsNone(rows.get("fixed", {"gram": None})["gram"])


class Cadences(Case):
    def test_measuring_takes_at_most_its_share(self):
        from crosscurrent.cadence import Cadence

        for share in (0.02, 0.1, 0.5):
            for cost, step in ((1.0, 0.1), (30.0, 0.25), (0.01, 1.0), (3.0, 0.001)):
                cadence = Cadence(share, None)
                self.assertIsNone(cadence.every())
                cadence.probed(9 * cost)
                cadence.probed(cost)
                for _ in range(10):
                    cadence.stepped(step)
                every = cadence.every()
                self.assertIn(int(str(every).rstrip("0")), (1, 2, 5))
                taken = cost / (cost + every * step)
                self.assertLessEqual(taken, share + 1e-9)
                smaller = {"1": every / 2, "2": every / 2, "5": every / 2.5}[str(every)[0]]
                self.assertTrue(every == 1 or cost / (cost + smaller * step) > share)

    def test_a_fixed_number_goes_before_the_share(self):
        from crosscurrent.cadence import Cadence

        self.assertTrue(Cadence(0.1, 3).is_due(6) and not Cadence(0.1, 3).is_due(7))
        self.assertFalse(any(Cadence(0.1, 0).is_due(n) for n in range(9)))
        self.assertIsNone(Cadence(0.0, None).every())


if __name__ == "__main__":
    import unittest

    unittest.main()
