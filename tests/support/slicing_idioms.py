"""Scripts that make data in the ways in which people do; each calls ``model.fit``."""

IDIOMS: dict[str, str] = {
    "arrays": """
        import numpy as np
        x = np.arange(20.0).reshape(10, 2)
        y = x.sum(axis=1)
        model.fit(x, y)
        """,
    "constants and arithmetic": """
        import numpy as np
        ROWS, COLUMNS = 10, 3
        SIZE = ROWS * COLUMNS
        EPOCHS = 20
        x = np.arange(SIZE).reshape(ROWS, COLUMNS)
        model.fit(x, epochs=EPOCHS)
        """,
    "changes in place": """
        import numpy as np
        x = np.arange(10)[::-1].copy()
        y = np.zeros(10)
        x.sort()
        y[2:5] = 1
        x += 3
        model.fit(x, y)
        """,
    "a change by another name": """
        import numpy as np
        x = np.arange(10)
        part = x[:4]
        part *= 10
        other = np.ones(3)
        other *= 2
        model.fit(x)
        """,
    "lists that grow": """
        import numpy as np
        rows, labels = [], []
        for i in range(8):
            if i % 3 == 0:
                continue
            rows.append([i, i * i])
            labels.append(i % 2)
            if i > 5:
                break
        x = np.array(rows)
        y = np.array(labels)
        model.fit(x, y)
        """,
    "while": """
        import numpy as np
        values = []
        n = 1
        while n < 100:
            values.append(n)
            n *= 2
        model.fit(np.array(values))
        """,
    "a definition later in the loop": """
        import numpy as np
        x = np.zeros(4)
        step = 1
        for i in range(4):
            x[i] = step
            step = step * 3
        model.fit(x)
        """,
    "branches": """
        import numpy as np
        MODE = "b"
        if MODE == "a":
            x = np.zeros(3)
        elif MODE == "b":
            x = np.ones(3)
            print("b")
        else:
            x = np.full(3, 2)
        model.fit(x)
        """,
    "try": """
        import numpy as np
        try:
            import a_package_that_is_not_there as xp
        except ImportError:
            xp = np
        try:
            values = int("no number")
        except ValueError as error:
            print(error)
            values = 7
        finally:
            print("done")
        model.fit(xp.arange(values))
        """,
    "with": """
        import json
        import tempfile
        import os
        import numpy as np
        folder = tempfile.mkdtemp()
        path = os.path.join(folder, "data.json")
        with open(path, "w") as out:
            json.dump({"x": [1, 2, 3]}, out)
        with open(path) as file:
            content = json.load(file)
            print(content)
        model.fit(np.array(content["x"]))
        """,
    "seeded global generator": """
        import numpy as np
        np.random.seed(3)
        noise = np.random.rand(5)
        x = np.random.rand(5)
        unused = np.random.rand(5)
        model.fit(x)
        """,
    "own generator": """
        import numpy as np
        rng = np.random.default_rng(3)
        noise = rng.normal(size=5)
        x = rng.normal(size=5)
        rng.shuffle(x)
        model.fit(x)
        """,
    "shuffling": """
        import random
        import numpy as np
        random.seed(1)
        np.random.seed(1)
        order = list(range(10))
        random.shuffle(order)
        x = np.arange(10)[order]
        np.random.shuffle(x)
        model.fit(x)
        """,
    "scaler": """
        import numpy as np
        from sklearn.preprocessing import StandardScaler
        from sklearn.model_selection import train_test_split
        x = np.arange(40.0).reshape(20, 2)
        y = np.arange(20)
        x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)
        scaler = StandardScaler()
        scaler.fit(x_train)
        x_train = scaler.transform(x_train)
        model.fit(x_train, y_train, validation_data=(scaler.transform(x_test), y_test))
        """,
    "unseeded split after a seed": """
        import numpy as np
        from sklearn.model_selection import train_test_split
        np.random.seed(5)
        x = np.arange(40.0).reshape(20, 2)
        y = np.arange(20)
        x_train, x_test, y_train, y_test = train_test_split(x, y)
        model.fit(x_train, y_train)
        """,
    "data frame": """
        import pandas as pd
        df = pd.DataFrame({"a": [3, 1, 2], "b": [1.0, None, 2.0], "y": [0, 1, 0]})
        df["c"] = df["a"] * 2
        df.columns = ["a", "b", "y", "c"]
        df.loc[df["a"] > 2, "a"] = 9
        print(df.head())
        df.head()
        df.info()
        y = df.pop("y")
        del df["b"]
        model.fit(df.values, y.values)
        """,
    "functions that call functions": """
        import numpy as np
        BASE = 3
        def scale(values, by=2):
            return values * by + BASE
        def load(n):
            \"\"\"Make rows.

            Two of them.
            \"\"\"
            rows = np.arange(n)
            return scale(rows)
        def plot(values):
            print(values)
        x = load(6)
        plot(x)
        model.fit(x)
        """,
    "a function that changes its argument": """
        import numpy as np
        def clean(values):
            head = values[:2]
            head[:] = 0
        def show(values):
            total = values.sum()
            print(total)
        x = np.arange(6)
        clean(x)
        show(x)
        model.fit(x)
        """,
    "a global that a function sets": """
        import numpy as np
        data = None
        def prepare():
            global data
            data = np.arange(4)
        prepare()
        model.fit(data)
        """,
    "the value at the time of the call": """
        import numpy as np
        factor = 2
        def f(v):
            return v * factor
        factor = 3
        x = f(np.arange(3))
        factor = 4
        model.fit(x)
        """,
    "a generator": """
        import numpy as np
        x = np.arange(12).reshape(6, 2)
        batch = 2
        def batches(values):
            while True:
                for start in range(0, len(values), batch):
                    yield values[start:start + batch]
        stream = batches(x)
        batch = 3
        model.fit(stream, steps_per_epoch=3)
        """,
    "an iterator that is read": """
        import numpy as np
        source = iter(range(10))
        first = next(source)
        header = next(source)
        x = np.array(list(source))
        model.fit(x)
        """,
    "comprehensions": """
        import numpy as np
        words = ["b", "a", "c", "a"]
        x = "hidden"
        index = {word: x for x, word in enumerate(sorted(set(words)))}
        data = np.array([[index[word] for word in words] for _ in range(3)])
        y = np.array([len(x) for x in words if x != "b"])
        model.fit(data, y)
        """,
    "walrus": """
        import numpy as np
        if (n := len("abcdef")) > 3:
            x = np.arange(n)
            model.fit(x)
        """,
    "lambdas and decorators": """
        import functools
        import numpy as np
        def doubled(function):
            @functools.wraps(function)
            def wrapper(*args):
                return function(*args) * 2
            return wrapper
        square = lambda v: v ** 2
        @doubled
        def rows(n):
            return np.arange(n)
        @doubled
        def not_needed():
            return None
        model.fit(square(rows(4)))
        """,
    "closures": """
        import numpy as np
        def adder(n):
            count = 0
            def add(v):
                nonlocal count
                count += 1
                return v + n + count
            return add
        add = adder(3)
        a = add(np.arange(2))
        x = add(np.arange(3))
        model.fit(x)
        """,
    "a class that loads": """
        import numpy as np
        class Loader:
            size = 4
            def __init__(self, scale):
                self.scale = scale
                self.rows = []
            def read(self):
                for i in range(self.size):
                    self.rows.append(i * self.scale)
                return self
            def report(self):
                print(self.rows)
        loader = Loader(3)
        loader.read()
        loader.report()
        model.fit(np.array(loader.rows))
        """,
    "main": """
        import numpy as np
        def main():
            x = np.arange(5)
            y = x * 2
            print(x)
            model.compile()
            history = model.fit(x, y)
            print(history)
        if __name__ == "__main__":
            main()
        """,
    "colliding names": """
        import numpy as np
        x = np.arange(3)
        y = np.arange(9)
        def run(x, n):
            y = x * n
            x = x + 1
            helper = lambda v: v + y
            label = f"{x} {n}"
            model.fit(x, helper(y), validation_data=(np.array([label]), None))
        run(x[1:], n=2)
        """,
    "defaults, keywords and stars": """
        import numpy as np
        DEFAULT = 4
        def run(first, *rest, size=DEFAULT, **options):
            x = np.arange(size) + first + sum(rest)
            model.fit(x, np.full(size, options["fill"]))
        settings = {"fill": 3}
        run(1, *[2, 3], **settings)
        """,
    "a decorated training": """
        import functools
        import numpy as np
        def timed(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                print("start")
                return function(*args, **kwargs)
            return wrapper
        @timed
        def train(net, x, y=None):
            net.fit(x, y)
        x = np.arange(4)
        train(model, x, y=x * 2)
        """,
    "nested functions": """
        import numpy as np
        def main():
            rows = np.arange(6)
            count = 2
            def grow():
                nonlocal count
                count += 1
                return rows[:count]
            def train():
                model.fit(grow())
            train()
        main()
        """,
    "a trainer": """
        import numpy as np
        from watched import Model
        class Trainer:
            def __init__(self, size):
                self.size = size
                self.__seed = 4
                self.model = None
            def load(self):
                self.x = np.arange(self.size) + self.__seed
                self.y = self.x * 2
            def build(self):
                self.model = Model()
            def run(self):
                self.load()
                self.build()
                offset = self.__seed
                self.model.fit(self.x + offset, self.y)
        trainer = Trainer(6)
        trainer.run()
        """,
    "a trainer that trains as it is made": """
        import numpy as np
        from watched import Model
        class Base:
            def __init__(self, size):
                self.size = size
        class Trainer(Base):
            def __init__(self, size):
                super().__init__(size)
                self.x = np.arange(self.size)
                self.model = Model()
                self.model.fit(self.x)
        Trainer(6)
        """,
    "folds": """
        import numpy as np
        from sklearn.model_selection import KFold
        x = np.arange(12).reshape(6, 2)
        y = np.arange(6)
        scores = []
        for fold, (train, test) in enumerate(KFold(3).split(x)):
            model.compile()
            model.fit(x[train], y[train], validation_data=(x[test], y[test]))
            scores.append(model.evaluate(x[test]))
        """,
    "a loop that doesn't matter": """
        import numpy as np
        x = np.arange(3)
        for epoch in range(3):
            for rate in [0.1, 0.2]:
                model.compile(rate)
                model.fit(x, epochs=1)
        """,
    "fit in a try in a with": """
        import contextlib
        import numpy as np
        x = np.arange(3)
        with contextlib.suppress(ZeroDivisionError):
            try:
                n = 2
                model.fit(x * n)
            except KeyboardInterrupt:
                print("stopped")
        """,
    "data inside of a with": """
        import io
        import numpy as np
        with io.StringIO("1 2 3") as file:
            model.fit(np.loadtxt(file))
        """,
    "arguments by stars": """
        import numpy as np
        data = (np.arange(3), np.arange(3) * 2)
        more = dict(epochs=3, sample_weight=np.ones(3))
        model.fit(*data, **more)
        """,
    "early returns": """
        import sys
        import numpy as np
        def load(kind):
            if kind == 1:
                return np.ones(2)
            return np.zeros(3)
        def main(kind, path=None):
            if path:
                x = load(1)
                print(x)
                return
            elif kind > 5:
                sys.exit(1)
            else:
                x = load(kind)
            if x is None:
                raise ValueError(path)
            model.fit(x)
        main(2)
        """,
    "environment": """
        import os
        import numpy as np
        N = int(os.environ.get("ROWS_OF_DATA", "4"))
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        model.fit(np.arange(N))
        """,
    "star import": """
        from numpy import *
        from math import *
        x = arange(4) * 2
        model.fit(x)
        """,
    "dictionaries": """
        import numpy as np
        config = {"size": 3}
        config["size"] = 4
        config.update(scale=2)
        parts = {}
        for name in ("x", "y"):
            parts[name] = np.arange(config["size"]) * config["scale"]
        inputs = {"a": parts["x"], "b": parts["y"]}
        model.fit(inputs, parts["y"], sample_weight=parts["x"])
        """,
    "match": """
        import numpy as np
        match ("rows", 4):
            case ("rows", n):
                x = np.arange(n)
            case _:
                x = None
        model.fit(x)
        """,
    "dataclass": """
        from dataclasses import dataclass, field
        import numpy as np
        @dataclass
        class Config:
            rows: int = 4
            tags: list = field(default_factory=list)
        config = Config()
        config.rows = 5
        config.tags.append(2)
        model.fit(np.arange(config.rows) + config.tags[0])
        """,
    "comprehension of trainings": """
        import numpy as np
        def train(x):
            return model.fit(x)
        sizes = [2, 3]
        histories = [train(np.arange(size)) for size in sizes]
        """,
    "semicolons and continued lines": """
        import numpy as np
        a = 1; b = 2; unused = 3
        x = np.arange(
            4  # four
        ) + a \\
            + b
        text = '''one
          two'''
        def run():
            y = np.array([len('''three
          four''')])
            model.fit(x,
                      y)
        run()
        """,
    "a seed in a function": """
        import random
        import numpy as np
        def set_seeds(seed):
            random.seed(seed)
            np.random.seed(seed)
        set_seeds(7)
        x = np.random.rand(3)
        model.fit(x)
        """,
    "annotated": """
        from __future__ import annotations
        import numpy as np
        def load(n: int, kind: Missing = None) -> np.ndarray:
            return np.arange(n)
        x: np.ndarray = load(3)
        y: np.ndarray
        y = x * 2
        model.fit(x, y)
        """,
    "second fit": """
        import numpy as np
        from watched import Model
        first = Model(stop_at=9)
        x = np.arange(3)
        first.fit(x)
        x = np.arange(4)
        model.fit(x)
        """,
    "swapped": """
        import numpy as np
        a, b = np.arange(2), np.arange(3)
        a, b = b, a
        (c, *d), e = (a, 1, 2), b
        model.fit(c, validation_data=(e, d))
        """,
    "delete": """
        import numpy as np
        raw = np.arange(6)
        x = raw[1:]
        del raw
        import gc
        gc.collect()
        model.fit(x)
        """,
    "function imports": """
        def main():
            import numpy as np
            from math import sqrt as root
            model.fit(np.arange(3) * root(4))
        main()
        """,
    "loop else": """
        import numpy as np
        for n in range(5):
            if n == 7:
                break
        else:
            n = 2
        model.fit(np.arange(n))
        """,
}
