"""Makes small.safetensors and real.safetensors: what real Keras computes where anogan does.

Made with Keras 3.15.1 on TensorFlow 2.21.0 (CPU), Python 3.11. To make them again:

    python3 -m venv venv && venv/bin/pip install keras==3.15.1 tensorflow-cpu==2.21.0
    venv/bin/python tests/golden/make_goldens.py

Keras runs in float64, so that the goldens carry no rounding of their own (they are stored as
float32), and tests/check/golden.c can tell an error of anogan's from one of the goldens'.

Weights, images and latents are not stored: they come from a formula over a tensor's name, which
numbers() in golden_file.py and formula_numbers() in tests/check/formula.c evaluate to the same bits.

Both configurations hold, for G and D with fresh weights: G's images in inference and in training
mode and D's logits; of the first of ten training steps the gradients of D and of G and the moving
statistics; the losses of all ten steps and the weights after them; and ten iterations of the latent
search of two images. The small configuration holds every number; the real one, of what is large, a
sample of elements and the L2 norm.
"""

import math
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import golden_file
from golden_file import hashes, numbers

STEPS = 10
SAMPLE = 64
SEARCHED = 2
ITERATIONS = 10

# size, channels, latent and base width as in ano_model_config; batch
CONFIGS = {
    "small": dict(size=12, channels=3, latent=7, width=8, batch=5, whole=True),
    "real": dict(size=28, channels=1, latent=30, width=64, batch=8, whole=False),
}


# ---- weights ----------------------------------------------------------------------------------


def weight(name, shape):
    """As trained weights might be: kernels Glorot uniform, the rest near their usual start."""
    kind = name.rpartition(".")[2]
    if kind == "kernel":
        fans = math.prod(shape[:-2]) * (shape[-2] + shape[-1])
        return numbers(name, shape, math.sqrt(6 / fans))
    scale, offset = {
        "bias": (2**-4, 0),
        "beta": (2**-4, 0),
        "gamma": (2**-3, 1),
        "moving_mean": (2**-3, 0),
        "moving_variance": (2**-2, 1),
    }[kind]
    return numbers(name, shape, scale, offset)


# ---- the networks -----------------------------------------------------------------------------


def generator(size, channels, latent, width, **_):
    quarter = size // 4
    return keras.Sequential(
        [
            layers.Input((latent,)),
            layers.Dense(quarter * quarter * 2 * width, name="dense"),
            layers.BatchNormalization(name="batch_norm_1"),
            layers.LeakyReLU(0.2),
            layers.Reshape((quarter, quarter, 2 * width)),
            layers.Conv2DTranspose(width, 2, strides=2, name="conv_transposed_1"),
            layers.Conv2D(width, 3, padding="same", name="conv_1"),
            layers.BatchNormalization(name="batch_norm_2"),
            layers.ReLU(),
            layers.Conv2DTranspose(width, 2, strides=2, name="conv_transposed_2"),
            layers.Conv2D(channels, 5, padding="same", activation="tanh", name="conv_2"),
        ],
        name="generator",
    )


def discriminator(size, channels, width, **_):
    return keras.Sequential(
        [
            layers.Input((size, size, channels)),
            layers.Conv2D(width, 5, padding="same", name="conv_1"),
            layers.LeakyReLU(0.2),
            layers.MaxPooling2D(2),
            layers.Conv2D(2 * width, 5, padding="same", name="conv_2"),
            layers.LeakyReLU(0.2),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(1, name="dense"),
        ],
        name="discriminator",
    )


def tensor_name(model, variable):
    """anogan's name: "generator.conv_1.kernel"."""
    layer, kind = variable.path.split("/")[-2:]
    return f"{model.name}.{layer}.{kind}"


def set_weights(model):
    for variable in model.weights:
        variable.assign(weight(tensor_name(model, variable), variable.shape))


# ---- goldens ----------------------------------------------------------------------------------


class Goldens:
    """Named arrays, and their file."""

    def __init__(self, whole):
        self.whole, self.arrays = whole, {}

    def add(self, name, values):
        self.arrays[name] = np.asarray(values, dtype=np.float64)

    def add_large(self, name, values):
        """Every number, or a sample (the elements hashes(name) modulo the size) and the norm."""
        values = np.asarray(values, dtype=np.float64)
        if self.whole:
            self.add(name, values)
        else:
            chosen = hashes(name, SAMPLE) % np.uint64(values.size)
            self.add(name + ".sample", values.reshape(-1)[chosen])
            self.add(name + ".norm", np.sqrt(np.sum(values**2)))

    def write(self, path):
        made_with = f"keras {keras.__version__}, tensorflow {tf.__version__}"
        golden_file.write(path, self.arrays, made_with)


def forwards(goldens, G, D, config):
    z = numbers("forward.z", (config["batch"], config["latent"]))
    images = numbers("forward.images", (config["batch"],) + D.input_shape[1:])
    goldens.add("forward.inference", G(z, training=False))
    goldens.add("forward.training", G(z, training=True))
    goldens.add("forward.logits", D(images, training=False))


def update(optimizer, tape, loss, model):
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return gradients


def training(goldens, G, D, config):
    """Each step: D on real and generated images, then G with fresh latents through the new D."""
    adam = dict(learning_rate=2e-4, beta_1=0.5, beta_2=0.999, epsilon=1e-7)
    d_optimizer, g_optimizer = keras.optimizers.Adam(**adam), keras.optimizers.Adam(**adam)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    batch, latent = config["batch"], config["latent"]
    labels = np.concatenate([np.ones((batch, 1)), np.zeros((batch, 1))])
    losses = []
    for step in range(STEPS):
        real = numbers(f"training.images.{step}", (batch,) + D.input_shape[1:])
        fake = G(numbers(f"training.z_d.{step}", (batch, latent)), training=True)
        with tf.GradientTape() as tape:
            d_loss = cross_entropy(labels, D(tf.concat([real, fake], 0), training=True))
        d_gradients = update(d_optimizer, tape, d_loss, D)
        with tf.GradientTape() as tape:
            fake = G(numbers(f"training.z_g.{step}", (batch, latent)), training=True)
            g_loss = cross_entropy(np.ones((batch, 1)), D(fake, training=True))
        g_gradients = update(g_optimizer, tape, g_loss, G)
        losses.append([d_loss, g_loss])
        if step == 0:
            for model, gradients in (D, d_gradients), (G, g_gradients):
                for variable, gradient in zip(model.trainable_variables, gradients):
                    goldens.add_large("gradient." + tensor_name(model, variable), gradient)
            for variable in G.non_trainable_variables:
                goldens.add_large("first_step." + tensor_name(G, variable), variable)
    goldens.add("training.losses", losses)
    for model in D, G:
        for variable in model.weights:
            name = tensor_name(model, variable)
            change = variable.numpy() - weight(name, variable.shape)
            goldens.add_large("change." + name, change)


def search(goldens, G, config):
    """For each image alone: z = tanh(W z0 + b), Adam on W and b to lessen Σ |x - G(z)|."""
    latent = config["latent"]
    z0 = numbers("search.z0", (1, latent))
    residuals, kernels, biases = [], [], []
    for image in range(SEARCHED):
        x = numbers(f"search.image.{image}", G.output_shape[1:])
        dense = layers.Dense(latent, activation="tanh")
        dense.build((1, latent))
        dense.kernel.assign(weight("search.kernel", (latent, latent)))
        dense.bias.assign(np.zeros(latent))
        optimizer = keras.optimizers.Adam(learning_rate=1e-3)
        curve = []
        for iteration in range(ITERATIONS + 1):
            with tf.GradientTape() as tape:
                generated = G(dense(z0), training=False)[0]
                residual = tf.reduce_sum(tf.abs(x - generated))
            curve.append(residual)
            if iteration < ITERATIONS:
                update(optimizer, tape, residual, dense)
        residuals.append(curve)
        kernels.append(dense.kernel.numpy())
        biases.append(dense.bias.numpy())
    goldens.add("search.trace", np.asarray(residuals)[:, 1:])
    goldens.add("search.best", np.min(residuals, axis=1))
    goldens.add("search.kernels", kernels)
    goldens.add("search.biases", biases)


def main():
    keras.config.set_floatx("float64")
    for name, config in CONFIGS.items():
        goldens = Goldens(config["whole"])
        G, D = generator(**config), discriminator(**config)
        for part in forwards, training:
            set_weights(G)
            set_weights(D)
            part(goldens, G, D, config)
        set_weights(G)
        search(goldens, G, config)
        path = pathlib.Path(__file__).with_name(name + ".safetensors")
        goldens.write(path)
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
