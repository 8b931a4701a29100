#!/usr/bin/env python3
"""The same work by PyTorch and by anogan, in turn, in one run: a training epoch and a latent search.

    pip install torch numpy
    bench/compare_pytorch.py BUILD/bench/bench [--steps 210] [--images 100] [--rounds 3] [--json]

PyTorch runs every setting of memory format, torch.compile and bf16 autocast briefly, then its fastest
one alternates with anogan's bench. Ratios are PyTorch's seconds over anogan's, round by round.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

BATCH, LATENT, WIDTH, SIZE = 32, 30, 64, 28


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        quarter = SIZE // 4
        self.dense = nn.Linear(LATENT, quarter * quarter * 2 * WIDTH)
        self.norm_1 = nn.BatchNorm1d(quarter * quarter * 2 * WIDTH, eps=1e-3, momentum=0.01)
        self.up_1 = nn.ConvTranspose2d(2 * WIDTH, WIDTH, 2, stride=2)
        self.conv_1 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.norm_2 = nn.BatchNorm2d(WIDTH, eps=1e-3, momentum=0.01)
        self.up_2 = nn.ConvTranspose2d(WIDTH, WIDTH, 2, stride=2)
        self.conv_2 = nn.Conv2d(WIDTH, 1, 5, padding=2)
        self.memory_format = torch.contiguous_format

    def forward(self, z):
        h = F.leaky_relu(self.norm_1(self.dense(z)), 0.2)
        h = h.view(-1, 2 * WIDTH, SIZE // 4, SIZE // 4).contiguous(memory_format=self.memory_format)
        h = F.relu(self.norm_2(self.conv_1(self.up_1(h))))
        return torch.tanh(self.conv_2(self.up_2(h)))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_1 = nn.Conv2d(1, WIDTH, 5, padding=2)
        self.conv_2 = nn.Conv2d(WIDTH, 2 * WIDTH, 5, padding=2)
        self.dense = nn.Linear((SIZE // 4) ** 2 * 2 * WIDTH, 1)

    def forward(self, x):
        h = F.max_pool2d(F.leaky_relu(self.conv_1(x), 0.2), 2)
        h = F.max_pool2d(F.leaky_relu(self.conv_2(h), 0.2), 2)
        return self.dense(h.flatten(1))


def networks(channels_last):
    torch.manual_seed(0)
    generator, discriminator = Generator(), Discriminator()
    if channels_last:
        generator.memory_format = torch.channels_last
        generator = generator.to(memory_format=torch.channels_last)
        discriminator = discriminator.to(memory_format=torch.channels_last)
    return generator, discriminator


class Training:
    """One step as anogan's: D on real and generated images, then G with fresh latents."""

    def __init__(self, channels_last, compiled, bf16):
        generator, discriminator = networks(channels_last)
        adam = {"lr": 2e-4, "betas": (0.5, 0.999), "eps": 1e-7, "fused": True}
        self.d_optimizer = torch.optim.Adam(discriminator.parameters(), **adam)
        self.g_optimizer = torch.optim.Adam(generator.parameters(), **adam)
        self.discriminator_parameters = list(discriminator.parameters())
        self.generator, self.discriminator = generator, discriminator
        if compiled:
            self.generator, self.discriminator = torch.compile(generator), torch.compile(discriminator)
        self.autocast = torch.autocast("cpu", torch.bfloat16, enabled=bf16)
        self.real = torch.rand(BATCH, 1, SIZE, SIZE) * 2 - 1
        self.labels = torch.cat([torch.ones(BATCH, 1), torch.zeros(BATCH, 1)])

    def step(self):
        with self.autocast:
            with torch.no_grad():
                fake = self.generator(torch.rand(BATCH, LATENT) * 2 - 1)
            logits = self.discriminator(torch.cat([self.real, fake.float()]))
        d_loss = F.binary_cross_entropy_with_logits(logits.float(), self.labels)
        self.d_optimizer.zero_grad(set_to_none=True)
        d_loss.backward()
        self.d_optimizer.step()
        for parameter in self.discriminator_parameters:
            parameter.requires_grad_(False)
        with self.autocast:
            logits = self.discriminator(self.generator(torch.rand(BATCH, LATENT) * 2 - 1))
        g_loss = F.binary_cross_entropy_with_logits(logits.float(), self.labels[:BATCH])
        self.g_optimizer.zero_grad(set_to_none=True)
        g_loss.backward()
        self.g_optimizer.step()
        for parameter in self.discriminator_parameters:
            parameter.requires_grad_(True)

    def run(self, count):
        for _ in range(count):
            self.step()


class Search:
    """The latent search of all images together, each with its own dense layer in front."""

    def __init__(self, channels_last, compiled, bf16, images):
        generator, _ = networks(channels_last)
        generator.eval().requires_grad_(False)
        self.generator = torch.compile(generator) if compiled else generator
        self.autocast = torch.autocast("cpu", torch.bfloat16, enabled=bf16)
        self.images = torch.rand(images, 1, SIZE, SIZE) * 2 - 1
        self.z0 = torch.rand(LATENT) * 2 - 1

    def run(self, iterations):
        n = len(self.images)
        weights = torch.empty(LATENT, LATENT)
        nn.init.xavier_uniform_(weights)
        weights = weights.repeat(n, 1, 1).requires_grad_()
        bias = torch.zeros(n, LATENT, requires_grad=True)
        optimizer = torch.optim.Adam([weights, bias], lr=1e-3, eps=1e-7, fused=True)
        best = torch.full((n,), float("inf"))
        for _ in range(iterations):
            with self.autocast:
                z = torch.tanh(torch.einsum("i,nij->nj", self.z0, weights) + bias)
                made = self.generator(z)
            residuals = (self.images - made.float()).abs().sum(dim=(1, 2, 3))
            best = torch.minimum(best, residuals.detach())
            optimizer.zero_grad(set_to_none=True)
            residuals.sum().backward()
            optimizer.step()
        return best


def seconds_of(work, *arguments):
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def fastest(make, trial):
    """Every setting, warmed up, the best of three trials; the fastest one's name and object."""
    found = []
    for channels_last, compiled, bf16 in itertools.product((False, True), repeat=3):
        name = "+".join(
            word
            for word, on in (("channels_last", channels_last), ("compile", compiled), ("bf16", bf16))
            if on
        )
        torch.compiler.reset()
        try:
            work = make(channels_last, compiled, bf16)
            work.run(2)
            found.append((min(seconds_of(work.run, trial) for _ in range(3)), name or "plain", work))
        except Exception as failure:  # a setting that this build cannot do is no candidate
            print(f"{name}: {type(failure).__name__}", file=sys.stderr)
            continue
        print(f"{found[-1][1]}: {found[-1][0] / trial:.4f} s a step", file=sys.stderr)
    return min(found, key=lambda entry: entry[0])[1:]


def ours(bench, *arguments):
    output = subprocess.run([bench, "--json", *arguments], check=True, capture_output=True, text=True)
    return json.loads(output.stdout)


def compare(name, setting, theirs, our_run, rounds):
    pairs = []
    for _ in range(rounds):
        report = our_run()
        pairs.append((theirs(), report[name]["seconds"]))
        print(f"{name}: PyTorch {pairs[-1][0]:.2f} s, anogan {pairs[-1][1]:.2f} s", file=sys.stderr)
    ratios = sorted(their / our for their, our in pairs)
    return {
        "pytorch_setting": setting,
        "pytorch_seconds": statistics.median(their for their, _ in pairs),
        "seconds": statistics.median(our for _, our in pairs),
        "ratio": statistics.median(ratios),
        "ratio_low": ratios[0],
        "ratio_high": ratios[-1],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bench", help="anogan's bench program")
    parser.add_argument("--steps", type=int, default=210)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    setting, training = fastest(Training, 5)
    epoch = compare(
        "epoch",
        setting,
        lambda: seconds_of(training.run, options.steps),
        lambda: ours(options.bench, "--steps", str(options.steps), "epoch"),
        options.rounds,
    )
    setting, search = fastest(lambda *flags: Search(*flags, options.images), 5)
    found = compare(
        "search",
        setting,
        lambda: seconds_of(search.run, options.iterations),
        lambda: ours(options.bench, "--images", str(options.images), "--iterations",
                     str(options.iterations), "search"),
        options.rounds,
    )
    result = {"torch": torch.__version__, "threads": torch.get_num_threads(), "epoch": epoch,
              "search": found}
    if options.json:
        print(json.dumps(result, indent=2))
        return
    print(f"PyTorch {result['torch']}, {result['threads']} threads; medians of {options.rounds} rounds")
    for name, entry in (("epoch", epoch), ("search", found)):
        print(
            f"{name:7} PyTorch {entry['pytorch_seconds']:7.2f} s ({entry['pytorch_setting']}), anogan "
            f"{entry['seconds']:6.2f} s: {entry['ratio']:.2f} times "
            f"({entry['ratio_low']:.2f} to {entry['ratio_high']:.2f})"
        )


if __name__ == "__main__":
    main()
