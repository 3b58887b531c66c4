"""The class gradients that are recorded, against those of PyTorch in double precision by another way."""

import copy

from common import Case, events, probes
from networks import ResNet, ViT, images

import numpy as np
import torch
from torch import nn

from crosscurrent import Recorder
from crosscurrent.images import choose
from crosscurrent.layers import table
from crosscurrent.measure import Measure, products
from crosscurrent.networks import logits_of
from crosscurrent.norms import Norms
from crosscurrent.quiet import Measured

NAMES = ["a", "b", "c", "d"]


def moved(net):
    """Batch norms with statistics and factors that show mistakes."""
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 1.5)
            if module.affine:
                nn.init.normal_(module.weight, 1, 0.2)
                nn.init.normal_(module.bias, 0, 0.2)
    return net


def measure_of(net, x, y, classes=4, memory=1 << 30, most=32, **options):
    chosen = choose((x, y), classes, most, 0, **options)
    with Measured(net):
        rows = [row for row in table(net, x[:1], classes, logits_of) if row.params]
    return rows, Measure(net, rows, chosen, Norms(net), logits_of, memory)


def flat(grads, params, row):
    place = {id(p): grad for p, grad in zip(params, grads)}
    return torch.cat([place[id(p)].reshape(-1) for p in row])


class Gradients(Case):
    def gram(self, net, rows, gradients):
        """[L, M, M] of the gradients of all parameters in double precision, by `rows` of parameter names."""
        named = dict(net.named_parameters())
        names = {id(p): name for name, p in self.single.named_parameters()}
        params = list(net.parameters())
        grams = []
        for row in rows:
            own = [named[names[id(p)]] for p in row.params]
            stacked = torch.stack([flat(g, params, own) for g in gradients])
            grams.append((stacked @ stacked.T).numpy())
        return np.stack(grams)

    def double(self, net):
        self.single = net
        return copy.deepcopy(net).double()

    def test_frozen_gradients_are_those_of_the_evaluated_network(self):
        for net in (moved(ResNet(4, 8, (1, 1))), ViT(4, 16, 2, patch=4, image=8)):
            x, y = images()
            rows, measure = measure_of(net, x, y)
            net.train()
            with Measured(net):
                found = measure.frozen(None)
            self.assertTrue(all(m.training for m in net.modules()))
            exact = self.double(net).eval()
            params, gradients = list(exact.parameters()), []
            for places in measure.probe.cut:
                label = {int(y_) for y_ in self.labels(measure, x, y, places)}
                self.assertEqual(len(label), 1)
                target = torch.full((len(places),), label.pop())
                loss = nn.functional.cross_entropy(exact(measure.probe.images[places].double()), target)
                gradients.append(torch.autograd.grad(loss, params))
            for found_row, wanted in zip(found.gram, self.gram(exact, rows, gradients)):
                self.near(found_row, wanted, 1e-5)

    def labels(self, measure, x, y, places):
        return [y[int((x == image).flatten(1).all(1).nonzero()[0, 0])] for image in measure.probe.images[places]]

    def test_as_in_training_is_ordinary_batch_norm_on_a_batch_that_repeats_images_by_their_weight(self):
        """Integer weights: a batch in which image i stands m_i times, under PyTorch's own batch norm in training mode, has
        the weighted statistics, and the mean loss of a class is that of its images."""
        net = moved(ResNet(4, 8, (1, 1)))
        x, y = images((8, 8, 4, 4))
        # 2, 2, 1 and 1 images in each piece; the weights of an image are 3 : 1 : 2 : 4.
        rows, measure = measure_of(net, x, y, drawn=[6, 2, 2, 4])
        with Measured(net):
            found = measure.as_in_training(None)
        exact = self.double(net).train()
        params = list(exact.parameters())
        gradients = [None] * 16
        for s in range(4):
            cut = [measure.probe.cut[k * 4 + s] for k in range(4)]
            places = [i for own, times in zip(cut, (3, 1, 2, 4)) for i in own * times]
            labels = torch.tensor([k for k, (own, times) in enumerate(zip(cut, (3, 1, 2, 4))) for _ in own * times])
            losses = nn.functional.cross_entropy(exact(measure.probe.images[places].double()), labels, reduction="none")
            for k in range(4):
                gradients[k * 4 + s] = torch.autograd.grad(losses[labels == k].mean(), params, retain_graph=True)
        for found_row, wanted in zip(found.gram, self.gram(exact, rows, gradients)):
            self.near(found_row, wanted, 1e-5)

    def test_class_weights_change_the_shares_of_a_step_and_not_the_statistics_of_batch_norm(self):
        net = moved(ResNet(4, 8, (1,)))
        x, y = images()
        drawn = (torch.bincount(y, minlength=4) / len(y)).tolist()
        grams, even = [], [0.25] * 4
        for name, options, wanted in (
            ("plain", {}, (drawn, drawn)),
            ("class weights", {"shares": [1, 1, 1, 1]}, (drawn, even)),
            ("sampler", {"drawn": [1, 1, 1, 1]}, (even, even)),
        ):
            opt = torch.optim.SGD(net.parameters(), 0.1)
            Recorder(self.root / name, net, opt, probe=(x, y), classes=NAMES, **options).close()
            header = events(self.root / name)[0]["recorder"]
            np.testing.assert_allclose((header["drawn"], header["shares"]), wanted, rtol=1e-6, err_msg=name)
            grams.append(probes(self.root / name)[0][1]["gram.training"])
        np.testing.assert_array_equal(grams[1], grams[0])
        self.assertFalse(np.allclose(grams[2], grams[0], rtol=1e-2))

    def test_less_memory_takes_more_passes_and_gives_the_same(self):
        net = moved(ResNet(4, 4, (1, 1)))
        x, y = images()
        rows, whole = measure_of(net, x, y)
        _, small = measure_of(net, x, y, memory=40_000)
        self.assertEqual(len(whole.passes(16)), 1)
        self.assertGreater(len(small.passes(16)), 2)
        update = [torch.randn_like(p) for p in whole.params]
        with Measured(net):
            wanted, found = whole.tensors(update), small.tensors(update)
        for name in wanted:
            self.near(found[name], wanted[name], 1e-6)

    def test_every_value_of_every_parameter_is_in_one_pass(self):
        _, measure = measure_of(ResNet(4, 4, (1,)), *images())
        for memory in (4, 1000, 16 * 4 * 7, 1 << 20, 1 << 40):
            measure.memory = memory if memory > 100 else 16 * 4 * 300
            seen = {}
            for spans in measure.passes(16):
                self.assertLessEqual(sum(s.end - s.start for s in spans) * 16 * 4, measure.memory)
                for span in spans:
                    self.assertEqual(seen.get(span.param, 0), span.start)
                    seen[span.param] = span.end
            self.assertEqual(seen, {i: p.numel() for i, p in enumerate(measure.params)})

    def test_products_are_exact_where_f32_sums_are_not(self):
        # A plain sum in f32 of as many numbers is off by far more.
        a = torch.full((1, 4_000_001), 1.1)
        exact = float(torch.tensor(1.1).double()) ** 2 * 4_000_001
        self.near(products(a, a), [[exact]], 1e-5)

    def test_without_batch_norm_both_ways_are_one(self):
        net = ViT(4, 16, 2, patch=4, image=8)
        _, measure = measure_of(net, *images())
        self.assertEqual(measure.norms.kind, "none")
        with Measured(net):
            found = measure.tensors(None)
            measure.norms.mixing = ["stands for a batch norm"]
            mixed = Measure.as_in_training
            measure.norms.kind, measure.norms.mixing = "plain", []
            wanted = mixed(measure, None)
        for way in (found["gram"], found["gram.training"]):
            self.near(way, wanted.gram, 1e-5)

    def test_batch_norms_with_an_activation_take_weighted_statistics_and_unknown_ones_do_not(self):
        class Active(nn.BatchNorm2d):
            def forward(self, x):
                shared = (self.running_mean, self.running_var, self.weight, self.bias, self.training, 0.1, self.eps)
                return torch.relu(nn.functional.batch_norm(x, *shared))

        class Unknown(nn.BatchNorm2d):
            def forward(self, x):
                mean = x.mean((0, 2, 3), keepdim=True) if self.training else self.running_mean[:, None, None]
                return (x - mean) * self.weight[:, None, None] + self.bias[:, None, None]

        x, y = images((8, 8, 4, 4))
        nets = []
        for kind in (Active, nn.BatchNorm2d, Unknown):
            torch.manual_seed(1)
            rest = [] if kind is Active else [nn.ReLU()]
            nets.append(nn.Sequential(nn.Conv2d(3, 6, 3), kind(6), *rest, nn.Flatten(), nn.Linear(216, 4)))
        found = []
        for number, net in enumerate(nets):
            Recorder(self.root / str(number), net, torch.optim.SGD(net.parameters(), 0.1), probe=(x, y), classes=NAMES).close()
            header = events(self.root / str(number))[0]
            self.assertEqual(header["recorder"]["batch_norm"], "plain" if number == 2 else "weighted")
            found.append(probes(self.root / str(number))[0][1])
        for name in ("gram", "gram.training"):
            self.near(found[0][name], found[1][name], 1e-5)
        self.assertGreater(np.abs(found[2]["gram"] - found[2]["gram.training"]).max(), 1e-3)

    def test_a_batch_norm_that_a_user_froze_is_frozen_as_in_training(self):
        net = moved(ResNet(4, 4, (1,)))
        x, y = images()
        rec = Recorder(self.root / "run", net, torch.optim.SGD(net.parameters(), 0.0), probe=(x, y), classes=NAMES, every=1)
        net.train()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        nn.functional.cross_entropy(net(x), y).backward()
        rec._optimizer.step()
        rec.close()
        (_, before), (_, after) = probes(self.root / "run")
        self.near(after["gram.training"], after["gram"], 1e-5)
        self.assertGreater(np.abs(before["gram.training"] - before["gram"]).max(), 1e-3)

    def test_a_network_that_trains_in_evaluation_mode_has_its_batch_norms_frozen_as_in_training(self):
        x, y = images()
        for name, trains in (("whole", lambda net: None), ("but the last", lambda net: net.fc.train())):
            net = moved(ResNet(4, 4, (1,))).eval()
            trains(net)
            opt = torch.optim.SGD(net.parameters(), 0.01)
            rec = Recorder(self.root / name, net, opt, probe=(x, y), classes=NAMES, every=0)
            for _ in range(2):
                nn.functional.cross_entropy(net(x), y).backward()
                opt.step()
            rec.close()
            last = probes(self.root / name)[-1][1]
            self.near(last["gram.training"], last["gram"], 1e-5)

    def test_an_evaluation_between_steps_does_not_freeze_batch_norms(self):
        net = moved(ResNet(4, 4, (1,)))
        x, y = images()
        opt = torch.optim.SGD(net.parameters(), 0.01)
        rec = Recorder(self.root / "run", net, opt, probe=(x, y), classes=NAMES, every=0)
        nn.functional.cross_entropy(net.train()(x), y).backward()
        opt.step()
        net.eval()
        rec.close()
        last = probes(self.root / "run")[-1][1]
        self.assertGreater(np.abs(last["gram.training"] - last["gram"]).max(), 1e-3)

    def test_an_untrained_network_is_measured_with_the_statistics_of_the_probe(self):
        """Frozen at step 0, batch norms have the weighted statistics of the images in place of 0 and 1, for that time."""
        net = ResNet(4, 4, (1,))
        x, y = images((16, 16, 16, 16))
        x = 5 + 3 * x
        rows, measure = measure_of(net, x, y)
        with Measured(net):
            found = measure.frozen(None)
        self.assertTrue(torch.equal(net.bn1.running_mean, torch.zeros(4)) and torch.equal(net.bn1.running_var, torch.ones(4)))
        first = net.conv1(measure.probe.images)
        net.bn1.running_mean.copy_(first.detach().mean((0, 2, 3)))
        seen = []
        hook = net.bn1.register_forward_pre_hook(lambda m, _: seen.append(m.running_mean.clone()))
        with Measured(net):
            measure.norms.all, kept = [net.bn1], measure.norms.all
            net.bn1.running_mean.zero_()
            measure.frozen(None)
            measure.norms.all = kept
        hook.remove()
        self.near(seen[-1], first.detach().mean((0, 2, 3)), 1e-4)
        self.assertTrue(np.isfinite(found.gram).all())

    def test_many_classes_are_cut_in_two_and_twenty_are_measured_as_in_training(self):
        counts = [30 - k for k in range(25)]
        x, y = images(counts)
        net = ResNet(25, 4, (1,))
        names = [f"c{k}" for k in range(25)]
        Recorder(self.root / "run", net, torch.optim.SGD(net.parameters(), 0.1), probe=(x, y), classes=names).close()
        header, (_, found) = events(self.root / "run")[0], probes(self.root / "run")[0]
        self.assertEqual(header["probe"]["pieces"], 2)
        self.assertEqual(len(header["probe"]["training"]), 20)
        self.assertEqual(found["classes.training"].tolist(), header["probe"]["training"])
        self.assertEqual(found["gram"].shape[1:], (50, 50))
        self.assertEqual(found["gram.training"].shape[1:], (40, 40))
        self.assertEqual({0, 24} - set(header["probe"]["training"]), set())

    def test_a_class_without_images_has_rows_of_zeros(self):
        x, y = images((8, 0, 3, 8))
        net = ResNet(4, 4, (1,))
        Recorder(self.root / "run", net, torch.optim.SGD(net.parameters(), 0.1), probe=(x, y), classes=NAMES).close()
        found = probes(self.root / "run")[0][1]
        self.assertEqual(found["n"].tolist(), [2] * 4 + [0] * 4 + [1, 1, 1, 0] + [2] * 4)
        for name in ("gram", "gram.training"):
            self.assertEqual(found[name].shape[1:], (16, 16))
            self.assertFalse(found[name][:, 4:8].any() or found[name][:, 11].any())
            self.assertTrue(np.isnan(found[name.replace("gram", "loss")][[4, 5, 6, 7, 11]]).all())

    def test_a_class_that_is_not_trained_is_not_measured_as_in_training_though_the_probe_has_it(self):
        x, y = images((8, 8, 8, 8))
        net = ResNet(4, 4, (1,))
        opt = torch.optim.SGD(net.parameters(), 0.1)
        Recorder(self.root / "run", net, opt, probe=(x, y), classes=NAMES, train_counts=[8, 0, 8, 8]).close()
        header, (_, found) = events(self.root / "run")[0], probes(self.root / "run")[0]
        self.assertEqual(found["classes.training"].tolist(), [0, 2, 3])
        self.assertEqual(header["probe"]["training"], [0, 2, 3])
        self.assertEqual((found["gram"].shape[1:], found["gram.training"].shape[1:]), ((16, 16), (12, 12)))


if __name__ == "__main__":
    import unittest

    unittest.main()
