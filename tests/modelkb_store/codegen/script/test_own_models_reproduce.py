"""Models that were given models: recorded, written again and run again they are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commands import errors_of, modelkb_run
from modelkb_store import Experiment, Store
from modelkb_store.reproduction.comparison import Verdict, compare

# Never called as a whole, two optimizers, and the argument that comes last is made first.
GAN = """\
import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


class Gan(keras.Model):
    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.noise = keras.random.SeedGenerator(5)

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer
        self.loss_fn = loss_fn

    def train_step(self, real):
        noise = keras.random.normal((8, 3), seed=self.noise)
        both = ops.concatenate([self.generator(noise), real], axis=0)
        labels = ops.concatenate([ops.ones((8, 1)), ops.zeros((8, 1))], axis=0)
        with tf.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(both, training=True))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))
        with tf.GradientTape() as tape:
            g_loss = self.loss_fn(labels[8:], self.discriminator(self.generator(noise)))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        return {"d_loss": d_loss, "g_loss": g_loss}


keras.utils.set_random_seed(11)
inputs = keras.Input((3,))
hidden = layers.Dense(6)(inputs)
generator = keras.Model(inputs, layers.Dense(4, name="fake")(hidden))
discriminator = keras.Sequential(
    [keras.Input((4,)), layers.Dense(6), layers.Dropout(0.2), layers.Dense(1)]
)
gan = Gan(discriminator, generator)
gan.compile(
    keras.optimizers.Adam(0.003),
    keras.optimizers.Adam(),
    keras.losses.BinaryCrossentropy(from_logits=True),
)
gan.fit(np.random.rand(32, 4).astype("float32"), batch_size=8, epochs=2, verbose=0)
"""
# A plain fit without a seed: its start is loaded.
VAE = """\
import keras
import numpy as np
from keras import layers, ops


class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.noise = keras.random.SeedGenerator()

    def call(self, mean, log_variance):
        noise = keras.random.normal(ops.shape(mean), seed=self.noise)
        return mean + ops.exp(0.5 * log_variance) * noise


class Vae(keras.Model):
    def __init__(self, encoder, decoder, beta=1.0):
        super().__init__()
        self.encoder, self.decoder, self.beta = encoder, decoder, beta

    def call(self, inputs):
        mean, log_variance, sample = self.encoder(inputs)
        kl = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
        self.add_loss(-0.5 * self.beta * ops.mean(kl))
        return self.decoder(sample)


inputs = keras.Input((8,))
hidden = layers.Dense(6, activation="relu")(inputs)
mean, log_variance = layers.Dense(2)(hidden), layers.Dense(2)(hidden)
sample = Sampling()(mean, log_variance)
model = Vae(
    keras.Model(inputs, [mean, log_variance, sample], name="encoder"),
    keras.Sequential([layers.Dense(6, activation="relu"), layers.Dropout(0.1), layers.Dense(8)]),
    beta=0.5,
)
model.compile("adam", "mse", metrics=["mae"])
x = np.random.default_rng(1).random((32, 8)).astype("float32")
model.fit(x, x, batch_size=8, epochs=2, verbose=0)
"""


def recorded(script: Path, store: Path) -> Experiment:
    done = modelkb_run(script, environment={"MODELKB_STORE": str(store)})
    assert done.returncode == 0, errors_of(done)
    (found,) = Store(store).experiments()["experiment_id"]
    return Store(store).experiment(found)


@pytest.mark.slow
@pytest.mark.parametrize("text", [GAN, VAE], ids=["gan", "vae"])
def test_curves_and_weights_are_the_same(text: str, tmp_path: Path, ruff: Any) -> None:
    script = tmp_path / "train.py"
    script.write_text(text)

    original = recorded(script, tmp_path / "original")
    again, *_ = original.save_script(tmp_path / "again.py")
    comparison = compare(original, recorded(again, tmp_path / "again"))

    assert ruff(again.read_text()) == ""
    assert "must be put in" not in again.read_text()
    assert original.record.seed == (11 if text is GAN else None)
    assert ("load_weights" in again.read_text()) == (text is VAE)  # the seed alone is enough
    assert comparison.verdict is Verdict.IDENTICAL, comparison
    assert comparison.compared_values > 0
    assert (comparison.same_initial_weights, comparison.same_final_weights) == (True, True)
