"""Makes baselines.safetensors: what scikit-learn says of random vectors and images by the methods of
src/eval/baselines.c, the images described by a second implementation of src/eval/descriptors.c.

Made with scikit-learn 1.9.1, SciPy 1.17.1, NumPy 2.4.6, Python 3.11, which make_metric_goldens.py
says how to get. To make it again:

    venv/bin/python tests/golden/make_baseline_goldens.py

Vectors and images are not stored: they come from the formula over names in golden_file.py, and
tests/check/baselines.c makes the same ones. What is left out is left out by fitting again, to all
but one.
"""

import pathlib

import numpy as np
import scipy
import sklearn
from scipy import ndimage, signal
from sklearn.covariance import ShrunkCovariance
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

import golden_file
from golden_file import hashes, numbers

SHRINKAGE = 0.05
# known vectors, their length; more vectors than numbers and fewer
VECTOR_CASES = {"tall": (300, 70), "wide": (50, 333)}
N_VECTORS = 9
# height, width, channels
DESCRIBED = {"gray": (28, 28, 1), "colour": (13, 11, 3), "small": (5, 7, 1)}
N_DESCRIBED = 3
N_TRAIN, N_TEST, SHAPE, COMPONENTS = 60, 12, (20, 17, 1), 2


# ---- distances ------------------------------------------------------------------------------


def nearest(known, vectors):
    model = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(known)
    return model.kneighbors(vectors)[0][:, 0]


def mahalanobis(known, vectors):
    return np.sqrt(ShrunkCovariance(shrinkage=SHRINKAGE).fit(known).mahalanobis(vectors))


def left_out(distances, known):
    rest = [np.delete(known, i, axis=0) for i in range(len(known))]
    return np.array([distances(rest[i], known[i : i + 1])[0] for i in range(len(known))])


def vectors(goldens, name, n, d):
    # Later numbers spread less, so that directions differ.
    spread = np.float32(1) / np.arange(1, d + 1, dtype=np.float32)
    known = numbers(f"{name}.known", (n, d)) * spread
    tested = numbers(f"{name}.vectors", (N_VECTORS, d), scale=1.5, offset=0.25) * spread
    known, tested = known.astype(float), tested.astype(float)
    for distances in nearest, mahalanobis:
        goldens[f"{name}.{distances.__name__}"] = distances(known, tested)
        goldens[f"{name}.{distances.__name__}_left_out"] = left_out(distances, known)


# ---- images ---------------------------------------------------------------------------------


def images(name, n, shape):
    """[n][height][width][channels]: each a mix of two patterns, and noise."""
    d = int(np.prod(shape))
    patterns = (hashes("patterns", 2 * d) >> np.uint64(56)).astype(int).reshape(2, d)
    words = (hashes(name, n * (d + 2)) >> np.uint64(56)).astype(int).reshape(n, d + 2)
    mix = words[:, :1] * patterns[0] // 600 + words[:, 1:2] * patterns[1] // 1200
    return (mix + words[:, 2:] // 8).reshape(n, *shape) / 127.5 - 1


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def pixels(images):
    return images.reshape(len(images), -1)


def histograms(images):
    """By angles, and blurred as a whole."""
    bordered = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    right = bordered[:, 1:-1, 2:] - bordered[:, 1:-1, :-2]
    down = bordered[:, 2:, 1:-1] - bordered[:, :-2, 1:-1]
    lengths = np.hypot(right, down)
    # Of gradients that are equally long, rounding would choose.
    ordered = np.sort(lengths, axis=-1)
    assert images.shape[-1] == 1 or np.min(ordered[..., -1] - ordered[..., -2]) > 1e-5
    longest = np.argmax(lengths, axis=-1)[..., None]
    length = np.take_along_axis(lengths, longest, axis=-1)
    angle = np.arctan2(
        np.take_along_axis(down, longest, axis=-1), np.take_along_axis(right, longest, axis=-1)
    )
    votes = length * np.maximum(0, np.cos(angle - np.arange(8) * np.pi / 4)) ** 4
    weights = np.exp(-(np.arange(-6, 7) ** 2) / (2 * 1.5**2))
    for axis in 1, 2:
        votes = ndimage.correlate1d(votes, weights / weights.sum(), axis=axis, mode="constant")
    height, width = images.shape[1:3]
    cells = votes[:, 1 : height // 3 * 3 : 3, 1 : width // 3 * 3 : 3]
    return np.sqrt(unit(cells.reshape(len(images), -1)))


def philox(block, purpose):
    """Philox4x32-10 (J. Salmon et al., SC 2011) of seed 0 and step 0."""
    counter, key = [block, 0, 0, purpose], [0, 0]
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * counter[0], 2**32)
        high1, low1 = divmod(0xCD9E8D57 * counter[2], 2**32)
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return counter


def normal(n, purpose):
    """Box and Muller's pairs."""
    words = np.array([philox(block, purpose) for block in range(-(-n // 4))]).reshape(-1, 2) >> 8
    radius, angle = np.sqrt(-2 * np.log((words[:, 0] + 1) / 2**24)), 2 * np.pi * words[:, 1] / 2**24
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()[:n]


def random_filters(images):
    n, height, width, channels = images.shape
    filters = normal(5 * 5 * channels * 32, purpose=16).reshape(5, 5, channels, 32)
    maps = np.zeros((n, height, width, 32))
    for i in range(n):
        for k in range(32):
            for c in range(channels):
                bright = (images[i, :, :, c] + 1) / 2
                maps[i, :, :, k] += signal.correlate2d(bright, filters[:, :, c, k], mode="same")
    strength = np.where(maps > 0, maps, -0.2 * maps)
    down, across = height // 4, width // 4
    strength = strength[:, : down * 4, : across * 4].reshape(n, down, 4, across, 4, 32)
    return unit(strength.mean(axis=(2, 4)).reshape(n, -1))


def reconstruction(train, test):
    model = PCA(COMPONENTS, svd_solver="full").fit(train)
    return np.sum((test - model.inverse_transform(model.transform(test))) ** 2, axis=1)


def share_below(known, scores):
    return np.mean(known[:, None] < scores, axis=0) * len(known) / (len(known) + 1)


def scores(goldens, train, test):
    goldens["scores.pca"] = reconstruction(pixels(train), pixels(test))
    goldens["scores.nearest"] = nearest(pixels(train), pixels(test))
    ranks = 0
    for describe, name in (histograms, "histogram"), (random_filters, "random"):
        known, tested = describe(train), describe(test)
        for distances in nearest, mahalanobis:
            found = distances(known, tested)
            goldens[f"scores.{name}_{distances.__name__}"] = found
            ranks = ranks + share_below(left_out(distances, known), found)
    goldens["scores.rank_sum"] = ranks


def main():
    goldens = {}
    for name, (n, d) in VECTOR_CASES.items():
        vectors(goldens, name, n, d)
    for name, shape in DESCRIBED.items():
        described = images(name, N_DESCRIBED, shape)
        goldens[f"{name}.histograms"] = histograms(described)
        goldens[f"{name}.random"] = random_filters(described)
    scores(goldens, images("train", N_TRAIN, SHAPE), images("test", N_TEST, SHAPE))
    path = pathlib.Path(__file__).with_name("baselines.safetensors")
    made_with = f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}"
    golden_file.write(path, goldens, made_with)
    print(f"{path.name}: {path.stat().st_size} bytes")
    for name, value in goldens.items():
        if np.size(value) < 20:
            print(name, value)


if __name__ == "__main__":
    main()
