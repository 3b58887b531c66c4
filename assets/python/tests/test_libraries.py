"""The callbacks in Lightning and in Transformers themselves, where they are installed."""

import contextlib
import importlib.util
import io
import logging
import os
import unittest
import warnings

from common import Case, events
from networks import ResNet, images

import torch
from torch import nn

import crosscurrent

NAMES = ["a", "b", "c", "d"]
COUNTS = (48, 24, 16, 8)
"""Images of each class: 96, so that an epoch has 12 batches of 8."""


@contextlib.contextmanager
def silence():
    """Without what a library prints and warns of."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def shape(log, name):
    return [e["step"] for e in log if e["event"] == name]


@unittest.skipUnless(importlib.util.find_spec("lightning"), "needs lightning")
class Lightning(Case):
    def fit(self, epochs, checkpoint=None, record=True, **options):
        with silence():
            import lightning

            logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

            class Module(lightning.LightningModule):
                def __init__(self):
                    super().__init__()
                    self.net = ResNet(4, 4, (1,))

                def forward(self, x):
                    return self.net(x)

                def training_step(self, batch, number):
                    return nn.functional.cross_entropy(self(batch[0]), batch[1])

                def validation_step(self, batch, number):
                    return {"logits": self(batch[0]), "labels": batch[1]}

                def configure_optimizers(self):
                    return torch.optim.AdamW(self.parameters(), 1e-2)

            lightning.seed_everything(0, verbose=False)
            data = torch.utils.data.TensorDataset(*images(COUNTS))
            callback = crosscurrent.LightningCallback(self.root / "run", probe=data, classes=NAMES, every=4)
            trainer = lightning.Trainer(
                accelerator="cpu",
                max_epochs=epochs,
                callbacks=[callback] if record else [],
                logger=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                default_root_dir=self.root,
                **{"enable_checkpointing": False, **options},
            )
            module = Module()
            train = torch.utils.data.DataLoader(data, 8, shuffle=True)
            trainer.fit(module, train, torch.utils.data.DataLoader(data, 32), ckpt_path=checkpoint)
        self.trainer = trainer
        return [p.detach() for p in module.parameters()]

    def test_a_fit_is_recorded_and_trains_as_without(self):
        for accumulated, steps, options in ((1, 12, {}), (3, 4, {"precision": "bf16-mixed"})):
            found = [
                self.fit(2, record=record, accumulate_grad_batches=accumulated, **options) for record in (False, True)
            ]
            self.assertTrue(all(torch.equal(*pair) for pair in zip(*found)))
            log = events(self.root / "run")
            self.assertEqual((log[0]["steps_per_epoch"], log[0]["total_steps"]), (steps, 2 * steps))
            self.assertEqual(shape(log, "step"), list(range(1, 2 * steps + 1)))
            self.assertTrue(all(0.1 < e["loss"] < 5 for e in log if e["event"] == "step"))
            self.assertEqual(shape(log, "eval"), [steps, 2 * steps])
            self.assertEqual([sum(e["support"]) for e in log if e["event"] == "eval"], [96, 96])
            self.assertEqual(shape(log, "probe"), list(range(0, 2 * steps + 1, 4)))
            self.assertEqual(log[-1]["event"], "finished")
            # The layers are those of the module within, by the module's own names.
            self.assertEqual(log[0]["layers"][0]["name"], "net.conv1")
            (self.root / "run").rename(self.root / f"run{accumulated}")

    def test_a_fit_that_goes_on_from_a_checkpoint_goes_on_with_the_run(self):
        self.fit(1)
        checkpoint = self.root / "last.ckpt"
        with silence():
            self.trainer.save_checkpoint(checkpoint)
        self.fit(3, checkpoint=str(checkpoint))
        log = events(self.root / "run")
        self.assertEqual([e["step"] for e in log if e["event"] == "resumed"], [12])
        self.assertEqual(shape(log, "step"), list(range(1, 37)))
        self.assertEqual(shape(log, "eval"), [12, 24, 36])


class Own(nn.Module):
    """A network of a user's own, as Transformers trains it."""

    def __init__(self):
        super().__init__()
        self.net = ResNet(4, 4, (1,))

    def forward(self, pixel_values, labels=None):
        logits = self.net(pixel_values)
        return {"logits": logits} if labels is None else {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


@unittest.skipUnless(importlib.util.find_spec("transformers"), "needs transformers")
class Transformers(Case):
    def setUp(self):
        super().setUp()
        os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")

    def vit(self):
        import transformers

        return transformers.ViTForImageClassification(
            transformers.ViTConfig(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=32,
                image_size=8,
                patch_size=4,
                num_labels=4,
            )
        )

    def train(self, epochs, make=None, record=True, checkpoint=None, **options):
        with silence():
            import transformers

            transformers.set_seed(0)
            model = (make or self.vit)()
            x, y = images(COUNTS)
            data = [{"pixel_values": image, "labels": int(label)} for image, label in zip(x, y)]
            callback = crosscurrent.HuggingFaceCallback(self.root / "run", probe=(x, y), classes=NAMES, every=4)
            arguments = transformers.TrainingArguments(
                output_dir=str(self.root / "out"),
                num_train_epochs=epochs,
                per_device_train_batch_size=8,
                eval_strategy="epoch",
                save_strategy="epoch",
                report_to=[],
                use_cpu=True,
                disable_tqdm=True,
                logging_steps=1,
                learning_rate=1e-2,
                lr_scheduler_type="constant",
                **options,
            )
            trainer = transformers.Trainer(
                model,
                arguments,
                train_dataset=data,
                eval_dataset=data,
                callbacks=[callback] if record else [],
                compute_metrics=callback.compute_metrics,
            )
            trainer.train(resume_from_checkpoint=checkpoint)
        self.trainer = trainer
        return [p.detach() for p in model.parameters()]

    def test_a_training_is_recorded_and_trains_as_without(self):
        for accumulated, steps, options in ((1, 12, {}), (3, 4, {"bf16": True})):
            found = [
                self.train(2, record=record, gradient_accumulation_steps=accumulated, **options) for record in (False, True)
            ]
            self.assertTrue(all(torch.equal(*pair) for pair in zip(*found)))
            log = events(self.root / "run")
            self.assertEqual((log[0]["steps_per_epoch"], log[0]["total_steps"]), (steps, 2 * steps))
            self.assertEqual(shape(log, "step"), list(range(1, 2 * steps + 1)))
            losses = [e["loss"] for e in log if e["event"] == "step"]
            self.assertTrue(losses[0] is None and all(0.1 < loss < 5 for loss in losses[1:]))
            self.assertEqual(shape(log, "eval"), [steps, 2 * steps])
            self.assertEqual([sum(e["support"]) for e in log if e["event"] == "eval"], [96, 96])
            self.assertEqual(shape(log, "probe"), list(range(0, 2 * steps + 1, 4)))
            self.assertEqual(log[-1]["event"], "finished")
            self.assertTrue(any("eval_macro_f1" in entry for entry in self.trainer.state.log_history))
            (self.root / "run").rename(self.root / f"run{accumulated}")

    def test_a_training_that_goes_on_from_a_checkpoint_goes_on_with_the_run(self):
        # Not its own network, whose checkpoint version 5.24 does not find the weights in.
        self.train(1, Own)
        self.train(3, Own, checkpoint=str(self.root / "out/checkpoint-12"))
        log = events(self.root / "run")
        self.assertEqual([e["step"] for e in log if e["event"] == "resumed"], [12])
        self.assertEqual(shape(log, "step"), list(range(1, 37)))
        self.assertEqual(shape(log, "eval"), [12, 24, 36])


if __name__ == "__main__":
    unittest.main()
