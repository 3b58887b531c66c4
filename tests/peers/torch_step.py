"""The work of tests/bench/step.rs in PyTorch, on the CPU: what Crosscurrent's speed is held against.

    python tests/peers/torch_step.py [--threads 2] [--width 1/4] [--work step] …   a table, median of --repeats
    python tests/peers/torch_step.py --check                                       all variants compute the same
    python tests/peers/torch_step.py --serve --threads 2                           the worker of the benchmark
(needs torch and numpy, backpack-for-pytorch for its row, a C++ compiler for torch.compile; all images are 32×32×3, f32)

Work, on random images that are in memory already, by the network of torch_network.py:
step    zero the gradients, forward (train mode), mean cross-entropy, backward, SGD (momentum, weight decay; `fused`,
        the fastest of torch's three on a CPU). Variants {eager,compile}-{nchw,nhwc}.
eval    forward in eval mode under inference_mode. The same variants; no freezing, since weights change between
        evaluations.
probe   the gradient of the mean cross-entropy of each of K·S pieces (32 images per class in S = 4 pieces, 2 where
        K > 20), batch norm in eval mode, then per layer the Gram matrix [K·S, K·S] of the pieces as one f32 product
        (in f64 it takes PyTorch about five times as long). Variants:
  loop-*        one forward and backward per piece; nchw, nhwc, compile-nhwc
  vmap          torch.func.vmap(grad) over images, then the mean of each piece
  vmap-pieces   the same over pieces, a piece being one call
  sorted-*      one forward and one backward of the activations, then one weight gradient per piece and layer; nchw, nhwc
  backpack      BackPACK's BatchGrad, then the mean of each piece
  The last four go through the images in chunks; set-up tries a few sizes and keeps the fastest.
mixed   class gradients with batch norm as in training: one forward pass of the pieces with the same number of all
        classes, batch norm on statistics weighted by class, then one backward pass a class (retain_graph), and the Gram
        matrices. Variants mixed-{nchw,nhwc}.

Protocol of --serve: one JSON object per line on stdin, one per line on stdout, in order; ends with stdin.
  {"work":"step"|"eval"|"probe"|"mixed", "variant":…, "width":"1"|"1/2"|"1/4", "attention":"none"|"branch"|"shared",
   "classes":10, "batch":128 (step, eval), "images":32 (per class; probe, mixed), "repeats":5}
answers
  {"secs":[a float per repeat], "peak_rss_bytes":…, "base_rss_bytes":…, "torch":"2.15.0", "chunk":pieces or null}
or {"error":"…"}. Only `work` and `variant` are required; the values above are the defaults, width 1 and no attention.
A request that differs from the one before in more than `repeats` drops everything and sets up anew: network, compile,
3 runs to warm up, none of it timed. `repeats` 0 does only that. So keep one process per variant alive, and alternate
between the processes. `peak_rss_bytes` is the process's peak since set-up, interpreter and libraries included;
`base_rss_bytes` is what it held right after importing torch.
"""

import argparse
import ctypes
import gc
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
import warnings

import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

from torch_network import MixedStatistics, Network, initialise, layers

DIVISORS = {"1": 1, "1/2": 2, "1/4": 4}
PASSES = ["eager-nchw", "eager-nhwc", "compile-nchw", "compile-nhwc"]
PROBES = [
    "loop-nchw", "loop-nhwc", "loop-compile-nhwc", "vmap", "vmap-pieces", "sorted-nchw", "sorted-nhwc", "backpack",
]
MIXED = ["mixed-nchw", "mixed-nhwc"]
VARIANTS = {"step": PASSES, "eval": PASSES, "probe": PROBES, "mixed": MIXED}
DEFAULTS = {"width": "1", "attention": "none", "classes": 10, "batch": 128, "images": 32}
WARM_UP = 3
# Chunks that would hold more than this in per-image (or per-piece) gradients are not tried.
CHUNK_BYTES = 2 << 30


class Case:
    """A request's network and images, in the variant's memory format. `run` does the work once."""

    def __init__(self, request, dtype=torch.float32):
        self.classes, self.chunk = request["classes"], None
        work, variant = request["work"], request["variant"]
        if variant not in VARIANTS[work]:
            raise ValueError(f"no variant {variant} of {work}; there are {', '.join(VARIANTS[work])}")
        self.compiled = "compile" in variant
        self.format = torch.channels_last if variant.endswith("nhwc") else torch.contiguous_format
        net = Network(self.classes, 3, request["attention"], DIVISORS[request["width"]])
        initialise(net, 5)
        self.net = net.to(dtype, memory_format=self.format).train(work == "step")
        self.params = list(net.parameters())
        if work in ("probe", "mixed"):
            self.pieces = self.classes * (2 if self.classes > 20 else 4)
            self.each, rest = divmod(request["images"] * self.classes, self.pieces)
            if rest:
                raise ValueError(f"{request['images']} images per class do not make equal pieces")
        else:
            self.pieces, self.each = 1, request["batch"]
        n = self.pieces * self.each
        random = torch.Generator().manual_seed(0)
        self.images = torch.randn(n, 3, 32, 32, generator=random).to(dtype, memory_format=self.format)
        self.labels = torch.arange(n) * self.classes // n
        self.run = getattr(self, work)(variant)

    def loss_of(self):
        def loss(images, labels):
            return cross_entropy(self.net(images), labels)

        return torch.compile(loss, dynamic=False) if self.compiled else loss

    def step(self, _):
        loss_of = self.loss_of()
        sgd = torch.optim.SGD(self.params, lr=0.01, momentum=0.9, weight_decay=5e-4, fused=True)

        def run():
            sgd.zero_grad(set_to_none=True)
            loss = loss_of(self.images, self.labels)
            loss.backward()
            sgd.step()
            return loss.item()

        return run

    def eval(self, _):
        net = torch.compile(self.net, dynamic=False) if self.compiled else self.net

        @torch.inference_mode()
        def run():
            return net(self.images)

        return run

    def probe(self, variant):
        """Each method fills `rows` [K·S, parameters]; a layer's parameters lie side by side in it."""
        methods = {"vmap": self.vmap, "vmap-pieces": self.vmap_pieces, "backpack": self.backpack}
        method = methods.get(variant, self.loop if variant.startswith("loop") else self.sorted)
        self.rows = torch.empty(self.pieces, sum(p.numel() for p in self.params), dtype=self.images.dtype)
        names = [name for name, _ in self.net.named_parameters()]
        sizes = [
            sum(p.numel() for name, p in zip(names, self.params) if name.startswith(f"{layer}."))
            for layer in layers(self.net)
        ]
        fill = method()

        def run():
            fill()
            return [layer @ layer.T for layer in self.rows.split(sizes, 1)]

        if method != self.loop:
            held = self.rows.shape[1] * 4 * (self.each if variant in ("vmap", "backpack") else 1)
            self.chunk = self.fastest_chunk(run, CHUNK_BYTES // held)
        return run

    def mixed(self, _):
        count = self.pieces // self.classes
        rows = torch.empty(self.classes * count, sum(p.numel() for p in self.params), dtype=self.images.dtype)
        names = [name for name, _ in self.net.named_parameters()]
        sizes = [
            sum(p.numel() for name, p in zip(names, self.params) if name.startswith(f"{layer}."))
            for layer in layers(self.net)
        ]
        shares = torch.arange(self.classes, 0, -1, dtype=self.images.dtype)
        shares = shares / shares.sum() / self.each

        def run():
            for s in range(count):
                own = torch.cat([torch.arange(self.each) + (k * count + s) * self.each for k in range(self.classes)])
                labels = self.labels[own]
                with MixedStatistics(self.net, shares[labels]):
                    losses = cross_entropy(self.net(self.images[own]), labels, reduction="none")
                    for k in range(self.classes):
                        loss = losses[k * self.each : (k + 1) * self.each].mean()
                        grads = torch.autograd.grad(loss, self.params, retain_graph=k + 1 < self.classes)
                        torch.cat([g.flatten() for g in grads], out=rows[k * count + s])
            return [layer @ layer.T for layer in rows.split(sizes, 1)]

        return run

    def fastest_chunk(self, run, most):
        tried = {}
        for self.chunk in (chunk for chunk in (1, 4, 10, 20, self.pieces) if chunk <= max(1, most)):
            run()
            tried[self.chunk] = timed(run)
        return min(tried, key=tried.get)

    def chunks(self):
        """(first piece, one after the last, images, labels) of every chunk."""
        for first in range(0, self.pieces, self.chunk):
            last = min(first + self.chunk, self.pieces)
            own = slice(first * self.each, last * self.each)
            yield first, last, self.images[own], self.labels[own]

    @torch.no_grad()
    def put(self, first, last, grads):
        """Gradients of pieces `first`..`last` [pieces, …] into their rows, each in the order it lies in memory."""
        flat = [g.permute(0, 1, 3, 4, 2) if self.format == torch.channels_last and g.dim() == 5 else g for g in grads]
        torch.cat([g.flatten(1) for g in flat], 1, out=self.rows[first:last])

    def piece_means(self, first, last, grads):
        """The same of gradients by image, [images, …]."""
        self.put(first, last, [g.unflatten(0, (last - first, self.each)).mean(1) for g in grads])

    def loop(self):
        loss_of = self.loss_of()
        self.chunk = 1

        def fill():
            for first, last, images, labels in self.chunks():
                grads = torch.autograd.grad(loss_of(images, labels), self.params)
                self.put(first, last, [g[None] for g in grads])

        return fill

    def vmap(self):
        return self.mapped(lambda images, labels: (images[:, None], labels[:, None]), self.piece_means)

    def vmap_pieces(self):
        def cut(images, labels):
            return images.unflatten(0, (-1, self.each)), labels.unflatten(0, (-1, self.each))

        return self.mapped(cut, self.put)

    def mapped(self, cut, put):
        """vmap(grad) over what `cut` makes the first dimension."""
        params = {name: p.detach() for name, p in self.net.named_parameters()}
        buffers = dict(self.net.named_buffers())

        def loss(params, images, labels):
            return cross_entropy(functional_call(self.net, (params, buffers), (images,)), labels)

        grads_of = vmap(grad(loss), in_dims=(None, 0, 0))

        def fill():
            for first, last, images, labels in self.chunks():
                put(first, last, list(grads_of(params, *cut(images, labels)).values()))

        return fill

    def sorted(self):
        modules = [m for m in self.net.modules() if isinstance(m, (nn.Conv2d, nn.BatchNorm2d, nn.Linear))]
        inputs, outputs = {}, {}

        def keep(module, args, output):
            inputs[module], outputs[module] = args[0].detach(), output

        for module in modules:
            module.register_forward_hook(keep)

        def fill():
            for first, last, images, labels in self.chunks():
                loss = cross_entropy(self.net(images), labels, reduction="sum") / self.each
                order = list(outputs)
                of_output = dict(zip(order, torch.autograd.grad(loss, list(outputs.values()))))
                grads = [
                    g for m in modules for g in piece_gradients(m, inputs[m], of_output[m], last - first, self.each)
                ]
                inputs.clear(), outputs.clear()
                self.put(first, last, grads)

        return fill

    def backpack(self):
        from backpack import backpack, extend
        from backpack.extensions import BatchGrad

        # It warns of every container that it has no gradients for it; the modules inside have them.
        warnings.simplefilter("ignore")
        net, mean = extend(self.net), extend(nn.CrossEntropyLoss())

        def fill():
            for first, last, images, labels in self.chunks():
                with backpack(BatchGrad()):
                    # BatchGrad divides by all images of the call, as the mean does.
                    (mean(net(images), labels) * len(images)).backward()
                self.piece_means(first, last, [p.grad_batch for p in self.params])
                for p in self.params:
                    del p.grad_batch
                    p.grad = None

        return fill


def piece_gradients(module, x, g, pieces, each):
    """Gradients of a module's parameters by piece, from its input and the gradient of its output."""
    if isinstance(module, nn.Conv2d):
        rest = (None, module.stride, module.padding, module.dilation, False, [0, 0], 1, [False, True, False])
        backward = torch.ops.aten.convolution_backward
        pairs = zip(g.split(each), x.split(each))
        return [torch.stack([backward(g, x, module.weight, *rest)[1] for g, x in pairs])]
    x, g = (t.unflatten(0, (pieces, each)) for t in (x, g))
    if isinstance(module, nn.Linear):
        weight = g.transpose(1, 2) @ x
        return [weight] if module.bias is None else [weight, g.sum(1)]
    of_bias = g.sum((1, 3, 4))
    centred = (g * x).sum((1, 3, 4)) - module.running_mean * of_bias
    return [centred * torch.rsqrt(module.running_var + module.eps), of_bias]


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def memory(field):
    """A field of /proc/self/status in bytes; none where there is no such file."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))
    except OSError:
        return None


def forget_peak():
    """Gives freed memory back and starts the peak anew (Linux; elsewhere the peak includes set-up)."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")
    except OSError:
        pass


def serve():
    base = memory("VmRSS")
    # Nothing but answers may reach stdout.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    case, current = None, None
    for line in sys.stdin:
        try:
            request = DEFAULTS | json.loads(line)
            repeats = request.pop("repeats", 5)
            if request != current:
                case, current = None, None
                forget_peak()
                case = Case(request)
                for _ in range(WARM_UP):
                    case.run()
                current = request
                forget_peak()
            secs = [timed(case.run) for _ in range(repeats)]
            answer = {
                "secs": secs, "peak_rss_bytes": memory("VmHWM"), "base_rss_bytes": base,
                "torch": torch.__version__, "chunk": case.chunk,
            }
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=out, flush=True)


def ask(request, threads):
    """One request to a worker of its own."""
    command = [sys.executable, __file__, "--serve", "--threads", str(threads)]
    done = subprocess.run(command, input=json.dumps(request) + "\n", stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout or '{"error": "the worker died"}')


def table(args):
    print(f"torch {torch.__version__}, {args.threads} threads, median of {args.repeats}")
    print("work   width  attention  variant             ms    spread ms   images/s  peak MiB  chunk")
    for width, attention, work in itertools.product(args.width, args.attention, args.work):
        for variant in args.variant or VARIANTS[work]:
            if variant not in VARIANTS[work]:
                continue
            request = {"work": work, "variant": variant, "width": width, "attention": attention}
            request |= {"classes": args.classes, "batch": args.batch, "images": args.images, "repeats": args.repeats}
            answer = ask(request, args.threads)
            head = f"{work:6} {width:6} {attention:10} {variant:18}"
            if "error" in answer:
                print(head, answer["error"], flush=True)
                continue
            ms = [1e3 * secs for secs in answer["secs"]]
            median, spread = statistics.median(ms), max(ms) - min(ms)
            n = args.images * args.classes if work in ("probe", "mixed") else args.batch
            peak, chunk = (answer["peak_rss_bytes"] or 0) >> 20, answer["chunk"] or ""
            print(f"{head} {median:7.1f} {spread:9.1f} {1e3 * n / median:12.0f} {peak:8}  {chunk}", flush=True)


def check():
    """Losses of 3 training steps, logits and Gram matrices of every variant against the first, at width 1/4."""
    failed = False
    for attention, work in itertools.product(["none", "branch", "shared"], VARIANTS):
        request = DEFAULTS | {"width": "1/4", "attention": attention, "work": work, "batch": 32, "images": 8}
        wanted = None
        for variant in VARIANTS[work]:
            torch.compiler.reset()
            # In f32 an activation near 0 can fall on either side of ReLU's kink, which moves gradients by 1e-4.
            case = Case(request | {"variant": variant}, torch.float64 if work in ("probe", "mixed") else torch.float32)
            got = [case.run() for _ in range(3)] if work == "step" else case.run()
            got = got if work in ("probe", "mixed") else [torch.as_tensor(got)]
            wanted = wanted or got
            # Relative to the largest value, by layer where there are layers.
            error = max(((a - b).abs().max() / b.abs().max()).item() for a, b in zip(got, wanted, strict=True))
            failed |= error > (1e-9 if work in ("probe", "mixed") else 1e-5)
            print(f"{work:6} {attention:7} {variant:18} {error:.1e}", flush=True)
    if failed:
        sys.exit("the variants differ")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--width", nargs="+", default=list(DIVISORS), choices=list(DIVISORS))
    parser.add_argument("--attention", nargs="+", default=["none", "branch"], choices=["none", "branch", "shared"])
    parser.add_argument("--work", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--variant", nargs="+", default=[], choices=PASSES + PROBES + MIXED)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--images", type=int, default=32, help="per class, of the probe")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_num_interop_threads(1)
    if args.serve:
        serve()
    elif args.check:
        check()
    else:
        table(args)


if __name__ == "__main__":
    main()
