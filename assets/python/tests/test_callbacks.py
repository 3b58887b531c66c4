"""The callbacks, under stand-ins for the libraries that call hooks of the same signatures in the same order."""

import sys
import types
import warnings

from common import Case, events
from networks import ResNet, images

import numpy as np
import torch
from torch import nn

import crosscurrent

NAMES = ["a", "b", "c", "d"]


class Callback:
    """Stands for the base class of either library."""


def installed(case, name, **contents):
    """Puts a stand-in module in place of a library."""
    module = types.ModuleType(name)
    module.__dict__.update(contents)
    before = {key: sys.modules.get(key) for key in (name, name.partition(".")[0])}
    sys.modules.setdefault(name.partition(".")[0], types.ModuleType(name.partition(".")[0]))
    sys.modules[name] = module

    def restore():
        for key, value in before.items():
            if value is None:
                sys.modules.pop(key, None)
            else:
                sys.modules[key] = value

    case.addCleanup(restore)


class Lightning(Case):
    def fit(self, callback, net, x, y, fail=False, scaler=None, loaders=1):
        """As Lightning's loop with automatic optimisation: the closure runs within the step."""
        opt = torch.optim.SGD(net.parameters(), 0.05)
        trainer = types.SimpleNamespace(
            optimizers=[opt], num_training_batches=3, estimated_stepping_batches=6, accumulate_grad_batches=1, sanity_checking=True,
            precision_plugin=types.SimpleNamespace(scaler=scaler),
        )
        outputs = {"logits": net(x), "labels": y}
        callback.on_validation_batch_end(trainer, net, outputs, None, 0)
        callback.on_validation_epoch_end(trainer, net)
        trainer.sanity_checking = False
        callback.on_train_start(trainer, net)
        try:
            for epoch in range(2):
                for _ in range(3):

                    def closure():
                        loss = nn.functional.cross_entropy(net(x), y)
                        opt.zero_grad()
                        callback.on_before_backward(trainer, net, loss if scaler is None else scaler.scale(loss))
                        loss.backward()
                        return loss

                    opt.step(closure=closure)
                    if fail:
                        raise ValueError("a fault")
                for number in range(2):
                    outputs = {"logits": net(x).detach(), "labels": y}
                    callback.on_validation_batch_end(trainer, net, outputs, None, number, dataloader_idx=0)
                for loader in range(1, loaders):
                    outputs = {"logits": net(x[:9]).detach(), "labels": y[:9]}
                    callback.on_validation_batch_end(trainer, net, outputs, None, 0, dataloader_idx=loader)
                callback.on_validation_epoch_end(trainer, net)
        except ValueError as error:
            callback.on_exception(trainer, net, error)
            return
        callback.on_train_end(trainer, net)

    def test_a_fit_is_recorded(self):
        installed(self, "lightning.pytorch", Callback=Callback)
        net = ResNet(4, 4, (1,))
        x, y = images()
        callback = crosscurrent.LightningCallback(self.root / "run", probe=(x, y), classes=NAMES, every=2)
        self.assertIsInstance(callback, Callback)
        self.fit(callback, net, x, y)
        log = events(self.root / "run")
        self.assertEqual((log[0]["steps_per_epoch"], log[0]["total_steps"]), (3, 6))
        steps = [e for e in log if e["event"] == "step"]
        self.assertEqual([e["step"] for e in steps], [1, 2, 3, 4, 5, 6])
        self.assertTrue(all(e["loss"] > 0 for e in steps))
        evals = [e for e in log if e["event"] == "eval"]
        self.assertEqual([(e["step"], e["epoch"], sum(e["support"])) for e in evals], [(3, 1.0, 162), (6, 2.0, 162)])
        self.assertEqual([e["step"] for e in log if e["event"] == "probe"], [0, 2, 4, 6])
        self.assertEqual(log[-1]["event"], "finished")

    def test_of_several_validation_loaders_the_first_alone_is_recorded(self):
        installed(self, "lightning.pytorch", Callback=Callback)
        net = ResNet(4, 4, (1,))
        callback = crosscurrent.LightningCallback(self.root / "run", probe=images(), classes=NAMES)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.fit(callback, net, *images(), loaders=3)
        self.assertEqual([sum(e["support"]) for e in events(self.root / "run") if e["event"] == "eval"], [162, 162])
        self.assertEqual(sum("the first alone" in str(warning.message) for warning in caught), 1)

    def test_the_loss_is_logged_without_the_scale_of_its_gradients(self):
        installed(self, "lightning.pytorch", Callback=Callback)
        losses = []
        scale = torch.tensor(1024.0)
        of_half = types.SimpleNamespace(_scale=scale, scale=lambda loss: loss * scale)
        for name, scaler in (("whole", None), ("half", of_half)):
            torch.manual_seed(0)
            net = ResNet(4, 4, (1,))
            callback = crosscurrent.LightningCallback(self.root / name, probe=images(), classes=NAMES)
            self.fit(callback, net, *images(), scaler=scaler)
            losses.append([e["loss"] for e in events(self.root / name) if e["event"] == "step"])
        np.testing.assert_allclose(*losses, rtol=1e-5)

    def test_a_fit_that_fails_is_recorded_as_failed(self):
        installed(self, "lightning.pytorch", Callback=Callback)
        net = ResNet(4, 4, (1,))
        callback = crosscurrent.LightningCallback(self.root / "run", probe=images(), classes=NAMES)
        self.fit(callback, net, *images(), fail=True)
        self.assertEqual(events(self.root / "run")[-1]["message"], "ValueError: a fault")


class HuggingFace(Case):
    def test_a_training_is_recorded(self):
        installed(self, "transformers", TrainerCallback=Callback)
        net = ResNet(4, 4, (1,))
        x, y = images()
        inner = torch.optim.SGD(net.parameters(), 0.05)

        class Accelerated(torch.optim.Optimizer):
            def __init__(self, optimizer):
                self.optimizer = optimizer

            def step(self):
                self.optimizer.step()

        opt = Accelerated(inner)
        callback = crosscurrent.HuggingFaceCallback(self.root / "run", probe=(x, y), classes=NAMES, every=2)
        # Of 2.5 epochs with 3 batches each, two to a step; the state rounds them up.
        args = types.SimpleNamespace(gradient_accumulation_steps=2, label_smoothing_factor=0.1)
        state = types.SimpleNamespace(max_steps=4, num_train_epochs=3)
        callback.on_train_begin(args, state, None, model=net, optimizer=opt, lr_scheduler=None, train_dataloader=[0, 1, 2])
        for step in range(4):
            inner.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            opt.step()
        logits = net(x).detach().numpy()
        prediction = types.SimpleNamespace(predictions=(logits, None), label_ids=y.numpy())
        metrics = callback.compute_metrics(prediction)
        self.assertAlmostEqual(metrics["accuracy"], float(np.mean(logits.argmax(1) == y.numpy())))
        callback.on_train_end(None, state, None, model=net)
        log = events(self.root / "run")
        self.assertEqual((log[0]["steps_per_epoch"], log[0]["total_steps"]), (2, 4))
        self.assertFalse(log[0]["recorder"]["cross_entropy"])
        self.assertEqual([e["step"] for e in log if e["event"] == "probe"], [0, 2, 4])
        self.assertEqual([e["epoch"] for e in log if e["event"] == "eval"], [2.0])


    def test_the_trainer_gets_its_scores_where_nothing_is_recorded(self):
        installed(self, "transformers", TrainerCallback=Callback)
        net = ResNet(4, 4, (1,))
        x, y = images()
        callback = crosscurrent.HuggingFaceCallback(self.root / "run", probe=(x, y), classes=NAMES)
        prediction = types.SimpleNamespace(predictions=net(x).detach().numpy(), label_ids=y.numpy())
        found = [callback.compute_metrics(prediction)]
        state = types.SimpleNamespace(max_steps=4)
        callback.on_train_begin(None, state, None, model=net, optimizer=torch.optim.SGD(net.parameters(), 0.1))
        found.append(callback.compute_metrics(prediction))
        callback.on_train_end(None, state, None)
        found.append(callback.compute_metrics(prediction))
        self.assertEqual([sorted(scores) for scores in found], [["accuracy", "macro_f1"]] * 3)
        self.assertEqual(found[1:], found[:-1])
        unlabelled = types.SimpleNamespace(predictions=prediction.predictions, label_ids=y.numpy() * 0 - 100)
        with self.assertWarnsRegex(UserWarning, "no scores"):
            self.assertEqual(callback.compute_metrics(unlabelled), {})
        self.assertEqual([e["event"] for e in events(self.root / "run")].count("eval"), 1)


class Missing(Case):
    def test_a_library_that_is_missing_is_named(self):
        for make, names in (
            (crosscurrent.LightningCallback, ("lightning", "lightning.pytorch", "pytorch_lightning")),
            (crosscurrent.HuggingFaceCallback, ("transformers",)),
        ):
            for name in names:
                before = sys.modules.get(name)
                sys.modules[name] = None
                self.addCleanup(sys.modules.__setitem__ if before else sys.modules.pop, name, *([before] if before else [None]))
            with self.assertRaisesRegex(crosscurrent.RecorderError, "is not installed; `pip install"):
                make(self.root, probe=None, classes=NAMES)


if __name__ == "__main__":
    import unittest

    unittest.main()
