"""Makes metrics.safetensors: what scikit-learn and the definition of AUPRO say of random scores.

Made with scikit-learn 1.9.1, SciPy 1.17.1, NumPy 2.4.6, Python 3.11. To make it again:

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
    venv/bin/python tests/golden/make_metric_goldens.py

Scores, labels, maps and masks are not stored: they come from the formula over names in
golden_file.py, and tests/check/metrics.c makes the same ones.

AUPRO is computed as P. Bergmann et al. (IJCV 2021) define it, region by region and threshold by
threshold, on 8-connected regions from scipy.ndimage.label.
"""

import pathlib

import numpy as np
import scipy
import sklearn
from scipy import ndimage
from sklearn import metrics

import golden_file
from golden_file import hashes, numbers

# Images: how many, one in how many is anomalous, by how much it scores higher, steps from 0 to 1 to
# which scores are rounded down (0: none).
IMAGE_CASES = {
    "ties": dict(n=400, rate=3, shift=0.5, steps=16),
    "continuous": dict(n=300, rate=2, shift=0.75, steps=0),
    "rare": dict(n=250, rate=40, shift=1.0, steps=64),
}
THRESHOLD = 0.25

# Maps: by how much anomalous pixels are higher, and steps.
PIXEL_CASES = {
    "pixel_ties": dict(shift=0.5, steps=64),
    "pixel_continuous": dict(shift=0.75, steps=0),
}
# height, width, whether there is a mask
MAPS = [(37, 53, True), (64, 48, False), (20, 91, True), (1, 200, True), (33, 1, False)]
PRO_LIMIT = 0.3


def rounded(values, steps):
    return np.floor(values * np.float32(steps)) / np.float32(steps) if steps else values


def images(goldens, name, n, rate, shift, steps):
    labels = hashes(f"{name}.labels", n) % np.uint64(rate) == 0
    scores = rounded(numbers(f"{name}.scores", (n,)) + np.float32(shift) * labels, steps)
    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    precision, recall, _ = metrics.precision_recall_curve(labels, scores)
    called = scores > THRESHOLD
    (tn, fp), (fn, tp) = metrics.confusion_matrix(labels, called)
    goldens |= {
        f"{name}.auroc": metrics.roc_auc_score(labels, scores),
        f"{name}.aupr": metrics.average_precision_score(labels, scores),
        f"{name}.tpr_at_fpr_1": max(tpr[fpr <= 0.01]),
        f"{name}.tpr_at_fpr_5": max(tpr[fpr <= 0.05]),
        f"{name}.f1_all_positive": metrics.f1_score(labels, np.ones(n)),
        f"{name}.confusion": [tp, fp, tn, fn],
        f"{name}.accuracy": metrics.accuracy_score(labels, called),
        f"{name}.precision": metrics.precision_score(labels, called),
        f"{name}.recall": metrics.recall_score(labels, called),
        f"{name}.f1": metrics.f1_score(labels, called),
        # [points][fpr, tpr, precision]; recall is tpr
        f"{name}.curves": np.stack([fpr, tpr, precision[::-1]], axis=1),
    }
    assert np.array_equal(recall[::-1], tpr)


def mask_of(i, height, width):
    """Blocks of 4 x 5 pixels, which touch at sides and corners, and single pixels."""
    rows, columns = -(-height // 4), -(-width // 5)
    blocks = hashes(f"pixels.blocks.{i}", rows * columns) % np.uint64(8) == 0
    blocks = blocks.reshape(rows, columns).repeat(4, axis=0).repeat(5, axis=1)[:height, :width]
    singles = hashes(f"pixels.singles.{i}", height * width) % np.uint64(97) == 0
    return blocks | singles.reshape(height, width)


def share_from(values, thresholds):
    """For each threshold, the share of the values that are not below it."""
    return 1 - np.searchsorted(np.sort(values), thresholds) / len(values)


def aupro(maps, masks):
    regions = []
    for values, mask in zip(maps, masks):
        labelled, n = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [values[labelled == k + 1] for k in range(n)]
    thresholds = np.unique(np.concatenate([values.ravel() for values in maps]))[::-1]
    normal = np.concatenate([values[~mask] for values, mask in zip(maps, masks)])
    fpr = np.append(0, share_from(normal, thresholds))
    pro = np.append(0, np.mean([share_from(region, thresholds) for region in regions], axis=0))
    inside = np.flatnonzero(fpr <= PRO_LIMIT)
    last = inside[-1]
    slope = (pro[last + 1] - pro[last]) / (fpr[last + 1] - fpr[last])
    x = np.append(fpr[inside], PRO_LIMIT)
    y = np.append(pro[inside], pro[last] + slope * (PRO_LIMIT - fpr[last]))
    return np.trapezoid(y, x) / PRO_LIMIT, len(regions)


def pixels(goldens, name, shift, steps):
    maps, masks = [], []
    for i, (height, width, masked) in enumerate(MAPS):
        mask = mask_of(i, height, width) if masked else np.zeros((height, width), bool)
        values = np.abs(numbers(f"{name}.{i}", (height, width))) + np.float32(shift) * mask
        maps.append(rounded(values, steps))
        masks.append(mask)
    labels = np.concatenate([mask.ravel() for mask in masks])
    scores = np.concatenate([values.ravel() for values in maps])
    area, n_regions = aupro(maps, masks)
    goldens |= {
        f"{name}.auroc": metrics.roc_auc_score(labels, scores),
        f"{name}.aupro": area,
        f"{name}.counts": [np.sum(~labels), np.sum(labels), n_regions],
    }


def main():
    goldens = {}
    for name, case in IMAGE_CASES.items():
        images(goldens, name, **case)
    for name, case in PIXEL_CASES.items():
        pixels(goldens, name, **case)
    path = pathlib.Path(__file__).with_name("metrics.safetensors")
    made_with = f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}"
    golden_file.write(path, goldens, made_with)
    print(f"{path.name}: {path.stat().st_size} bytes")
    for name, value in goldens.items():
        if np.size(value) < 10:
            print(name, value)


if __name__ == "__main__":
    main()
