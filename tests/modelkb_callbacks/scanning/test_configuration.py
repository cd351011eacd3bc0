"""Settings wherever scripts keep them; each of these trains 9 epochs in batches of 16."""

from __future__ import annotations

import pytest

from scanned import scanned

CONFIGURATIONS = {
    "class attributes": """
        class Config:
            epochs = 9
            batch_size: int = 16
        model.fit(x, epochs=Config.epochs, batch_size=Config.batch_size)
    """,
    "object of a class": """
        class Config:
            epochs = 9
            def __init__(self, batch_size=16):
                self.batch_size = batch_size
        config = Config()
        model.fit(x, epochs=config.epochs, batch_size=config.batch_size)
    """,
    "dataclass": """
        from dataclasses import dataclass, field
        @dataclass(frozen=True)
        class Config:
            epochs: int
            batch_size: int = field(default=16)
            sizes: list = field(default_factory=list)
        config = Config(9)
        model.fit(x, epochs=config.epochs, batch_size=config.batch_size)
    """,
    "dataclass attribute without annotation": """
        from dataclasses import dataclass
        @dataclass
        class Config:
            batch_size: int = 32
            epochs = 9
        config = Config(batch_size=16)
        model.fit(x, epochs=config.epochs, batch_size=config.batch_size)
    """,
    "named tuple": """
        from typing import NamedTuple
        class Config(NamedTuple):
            epochs: int = 9
            batch_size: int = 16
        model.fit(x, epochs=Config().epochs, batch_size=Config().batch_size)
    """,
    "enum": """
        from enum import Enum
        class Setting(Enum):
            EPOCHS = 9
            BATCH = 16
        model.fit(x, epochs=Setting.EPOCHS.value, batch_size=Setting.BATCH.value)
    """,
    "simple namespace": """
        from types import SimpleNamespace
        config = SimpleNamespace(epochs=1, batch_size=16)
        config.epochs = 9
        model.fit(x, epochs=config.epochs, batch_size=config.batch_size)
    """,
    "argparse namespace": """
        import argparse
        args = argparse.Namespace(epochs=9, batch_size=16)
        model.fit(x, epochs=args.epochs, batch_size=args.batch_size)
    """,
    "object that trains": """
        class Trainer:
            def __init__(self, model, epochs, *, batch=16):
                self.model, self.epochs = model, epochs
                self.batch = batch
            @property
            def doubled(self):
                return self.batch * 2
            def run(self):
                self.model.fit(x, epochs=self.epochs, batch_size=self.doubled // 2)
        Trainer(model, epochs=9).run()
    """,
    "argparse": """
        import argparse
        parser = argparse.ArgumentParser()
        group = parser.add_argument_group("training")
        group.add_argument("--batch-size", "-b", type=int, default="16")
        group.add_argument("-e", "--number-of-epochs", dest="epochs", default=9, type=int)
        args, rest = parser.parse_known_args()
        model.fit(x, epochs=args.epochs, batch_size=args.batch_size)
    """,
    "argparse as a dictionary": """
        from argparse import ArgumentParser
        def options():
            parser = ArgumentParser()
            parser.add_argument("--epochs", type=float, default=3)
            parser.add_argument("--batch", type=int, default=16)
            parser.add_argument("--quick", action="store_true")
            parser.set_defaults(epochs=9)
            return parser.parse_args()
        args = vars(options())
        model.fit(x, epochs=1 if args["quick"] else args["epochs"], batch_size=args["batch"])
    """,
    "optparse": """
        from optparse import OptionGroup, OptionParser
        parser = OptionParser()
        parser.add_option("-e", "--epochs", dest="rounds", type="int", default="9")
        group = OptionGroup(parser, "Data")
        group.add_option("--batch_size", default=16)
        parser.add_option_group(group)
        options, rest = parser.parse_args()
        model.fit(x, epochs=options.rounds, batch_size=options.batch_size)
    """,
    "collections.namedtuple": """
        from collections import namedtuple
        Config = namedtuple("Config", "epochs, batch_size", defaults=[16])
        config = Config(9)
        model.fit(x, epochs=config.epochs, batch_size=config.batch_size)
    """,
    "JSON in the source": """
        import json
        config = json.loads('{"epochs": 9, "data": {"batch_size": 16}}')
        model.fit(x, epochs=config["epochs"], batch_size=config["data"]["batch_size"])
    """,
    "Weights & Biases": """
        import wandb
        run = wandb.init(project="a", config={"epochs": 9, "batch_size": 4})
        wandb.config.update({"batch_size": 16})
        model.fit(x, epochs=run.config["epochs"], batch_size=wandb.config.batch_size)
    """,
    "absl": """
        from absl import app, flags
        FLAGS = flags.FLAGS
        flags.DEFINE_integer("epochs", 9, "how long")
        _BATCH = flags.DEFINE_integer(name="batch", default=16, help="how many")
        def main(argv):
            model.fit(x, epochs=FLAGS.epochs, batch_size=_BATCH.value)
        app.run(main)
    """,
    "click": """
        import click
        @click.command()
        @click.option("--epochs", "-e", default=9)
        @click.option("--batch-size", type=int, default=16)
        def main(epochs, batch_size):
            model.fit(x, epochs=epochs, batch_size=batch_size)
        main()
    """,
    "fire": """
        import fire
        def main(epochs=9, batch_size=16):
            model.fit(x, epochs=epochs, batch_size=batch_size)
        fire.Fire(main)
    """,
    "environment": """
        import os
        epochs = int(os.environ.get("EPOCHS", "9"))
        batch_size = int(os.getenv("BATCH", 16))
        model.fit(x, epochs=epochs, batch_size=batch_size)
    """,
    "wandb": """
        import wandb
        wandb.init(project="digits", config={"epochs": 9})
        config = wandb.config
        config.batch_size = 16
        model.fit(x, epochs=config.epochs, batch_size=config.batch_size)
    """,
}


@pytest.mark.parametrize("source", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_settings_are_found(source: str) -> None:
    found = scanned(f"\n        import keras\n        model = keras.Sequential()\n{source}")

    assert [(fit.epochs, fit.batch_size) for fit in found.fit] == [(9, 16)]
    assert found.unresolved == ()


def test_an_option_without_a_default_is_open() -> None:
    source = """
        import argparse, keras
        parser = argparse.ArgumentParser()
        parser.add_argument("epochs", type=int)
        parser.add_argument("--batch", type=int, required=True)
        args = parser.parse_args()
        keras.Sequential().fit(x, epochs=args.epochs, batch_size=args.batch)
    """

    found = scanned(source)

    assert [(fit.epochs, fit.batch_size) for fit in found.fit] == [(None, None)]
    assert {entry.expression for entry in found.unresolved} == {"args.epochs", "args.batch"}


def test_a_type_of_the_script_converts_a_default() -> None:
    source = """
        import argparse, keras
        def yes(text):
            return text.lower() in ("yes", "true")
        parser = argparse.ArgumentParser()
        parser.add_argument("--long", type=yes, default="Yes")
        args = parser.parse_args()
        keras.Sequential().fit(x, epochs=90 if args.long else 9)
    """

    assert [fit.epochs for fit in scanned(source).fit] == [90]
