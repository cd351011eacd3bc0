"""``modelkb run``: a script runs as it does without, and is recorded."""

from __future__ import annotations

import os
import signal
import subprocess
import textwrap
import time
from pathlib import Path

import pytest

from commands import MODELKB, errors_of, modelkb_run, python, script_of
from modelkb_store import Experiment, Store

TRAIN = textwrap.dedent(
    """
    import sys
    import keras, numpy as np

    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    """
)
# What a script can see of how it was started.
LOOK = textwrap.dedent(
    """
    import os, sys
    print(__name__, __file__, __package__, __spec__ and __spec__.name)
    print(sys.argv, sys.orig_argv[1:], sys.path, sys.flags, sys.warnoptions)
    print(sys.modules["__main__"].__dict__ is globals(), sys.modules["__main__"].__file__)
    print(sorted(os.environ.items()))
    print(sys.excepthook is sys.__excepthook__, sys.stdout.encoding, sys.stdin.read())
    print("keras" in sys.modules, "numpy" in sys.modules, "pyarrow" in sys.modules)
    """
)


def only_experiment(store: Path) -> Experiment:
    """The one that was recorded."""
    opened = Store(store)
    (found,) = opened.experiments()["experiment_id"]
    return opened.experiment(found)


@pytest.fixture
def _store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the processes record into the test's store."""
    monkeypatch.setenv("MODELKB_STORE", str(store))


def assert_same(plain: subprocess.CompletedProcess[str], recorded: object) -> None:
    """Compare all that a process shows to its caller."""
    assert isinstance(recorded, subprocess.CompletedProcess)
    assert recorded.stdout == plain.stdout
    assert errors_of(recorded) == errors_of(plain)
    assert recorded.returncode == plain.returncode


@pytest.mark.parametrize(
    "pythonpath", [None, "", "somewhere", os.pathsep.join(["here", "", "there"])]
)
def test_a_script_sees_what_it_sees_without_us(
    pythonpath: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = script_of(tmp_path / "folder", LOOK)
    if pythonpath is not None:
        # Our own packages are found by it where the checkout is not installed.
        ours = os.environ.get("PYTHONPATH")
        monkeypatch.setenv(
            "PYTHONPATH", os.pathsep.join(filter(None, [ours, pythonpath])) if ours else pythonpath
        )
    arguments = [script, "--project", "its own", "-m", "--", "x y"]
    plain = python(*arguments, input="typed in")
    assert plain.returncode == 0
    assert_same(plain, modelkb_run(*arguments, input="typed in"))
    assert_same(plain, modelkb_run("--project", "p", "--tag", "a", *arguments, input="typed in"))


def test_a_module_with_relative_imports(tmp_path: Path) -> None:
    script_of(tmp_path, "", "package/__init__.py")
    script_of(tmp_path, "WORD = 'found'\n", "package/other.py")
    script_of(tmp_path, f"from .other import WORD\nprint(WORD)\n{LOOK}", "package/train.py")
    script_of(tmp_path, "from . import train\n", "package/__main__.py")
    for arguments in (
        ["-m", "package.train", "--name", "its own", "-m"],
        ["-m", "package", "--help"],
        ["-m", "package.nothing"],
    ):
        plain = python(*arguments, input="", cwd=tmp_path)
        assert_same(plain, modelkb_run(*arguments, input="", cwd=tmp_path))


def test_a_folder_is_run_as_python_does(tmp_path: Path) -> None:
    script_of(tmp_path, LOOK, "app/__main__.py")
    assert_same(python("app", "1", input=""), modelkb_run("app", "1", input=""))


def test_a_script_that_does_not_exist() -> None:
    plain = python("missing.py", "--name", "x")
    assert plain.returncode == 2
    assert_same(plain, modelkb_run("missing.py", "--name", "x"))


def test_without_a_script() -> None:
    done = modelkb_run()
    assert done.returncode == 2
    assert "Missing argument 'SCRIPT'" in done.stderr


def test_a_name_that_is_not_legal_is_told_before_anything_runs(tmp_path: Path) -> None:
    script = script_of(tmp_path, "print('ran')")
    done = modelkb_run("--project", "x" * 500, script)
    assert done.returncode != 0
    assert "too long" in done.stderr
    assert "ran" not in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "import sys; sys.exit(7)",
        "import sys; sys.exit('a word')",
        "raise ValueError('no')",
        "try:\n    raise KeyError(1)\nexcept KeyError as e:\n    raise OSError from e",
        "this is no Python",
        "import os; os._exit(5)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
        "import warnings; warnings.warn('me'); warnings.simplefilter('error'); import keras",
    ],
)
def test_a_script_ends_as_it_does_without_us(text: str, tmp_path: Path) -> None:
    script = script_of(tmp_path, text)
    assert_same(python(script), modelkb_run(script))


def test_options_of_python(tmp_path: Path) -> None:
    script = script_of(tmp_path, LOOK)
    for options in (["-W", "error"], ["-X", "dev"], ["-O"]):
        plain = python(*options, script, input="")
        assert_same(plain, modelkb_run(*options, script, input=""))


def test_filters_of_the_user_hold(tmp_path: Path) -> None:
    script = script_of(tmp_path, "import warnings; warnings.warn('careful')")
    environment = {"PYTHONWARNINGS": "error"}
    plain = python(script, environment=environment)
    assert plain.returncode == 1
    assert_same(plain, modelkb_run(script, environment=environment))


def test_the_users_own_sitecustomize_is_imported(tmp_path: Path) -> None:
    # Not in the process of the command itself, which finds it as well.
    text = "import sys\nif sys.orig_argv[1].endswith('train.py'): print('theirs')"
    script_of(tmp_path, text, "site/sitecustomize.py")
    script_of(tmp_path, text, "site/usercustomize.py")
    script = script_of(tmp_path, "import sitecustomize; print(sitecustomize.__file__)")
    former = os.environ.get("PYTHONPATH")
    path = os.pathsep.join(filter(None, [str(tmp_path / "site"), former]))
    plain = python(script, environment={"PYTHONPATH": path})
    assert plain.stdout.startswith("theirs")
    assert_same(plain, modelkb_run(script, environment={"PYTHONPATH": path}))


def test_an_error_in_the_users_sitecustomize_is_theirs(tmp_path: Path) -> None:
    for text in ("1 / 0", "import nothing_such"):
        script_of(tmp_path, text, "site/sitecustomize.py")
        script = script_of(tmp_path, "print('ran')")
        former = os.environ.get("PYTHONPATH")
        path = os.pathsep.join(filter(None, [str(tmp_path / "site"), former]))
        plain = python(script, environment={"PYTHONPATH": path})
        recorded = modelkb_run(script, environment={"PYTHONPATH": path})
        assert (recorded.stdout, recorded.returncode) == (plain.stdout, plain.returncode)
        assert recorded.stderr.splitlines()[-1:] == plain.stderr.splitlines()[-1:]


def test_processes_that_the_script_starts(tmp_path: Path) -> None:
    script = script_of(
        tmp_path,
        textwrap.dedent(
            """
            import multiprocessing, os, subprocess, sys

            def look(value):
                return value, __name__, "MODELKB_AUTOLOG" in os.environ

            if __name__ == "__main__":
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    print(pool.map(look, [1, 2]))
                line = "import os; print(os.environ.get('PYTHONPATH'))"
                subprocess.run([sys.executable, "-c", line], check=True)
            """
        ),
    )
    assert_same(python(script), modelkb_run(script))


ENDINGS = {
    "whole": ("", "finished", 3, 0),
    "exception": ("raise ValueError('enough')", "failed", 1, 1),
    "interrupt": ("raise KeyboardInterrupt", "interrupted", 1, -signal.SIGINT),
    "exit": ("sys.exit(3)", "interrupted", 1, 3),
    "stopped": ("self.model.stop_training = True", "finished", 2, 0),
    "exception after fit": ("", "finished", 3, 1),
}
# Loads Keras once: each ending is that of a process that is forked then.
ENDING = textwrap.dedent(
    """
    import os

    for ending in {endings}:
        child = os.fork()
        if not child:
            break
        print(ending, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    else:
        sys.exit()

    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")

    class End(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                exec({endings}[ending])

    def main():
        fit = model.fit(x, x[:, :1], epochs=3, verbose=0, callbacks=End(), validation_split=0.5)
        print(fit.history)
        if ending == "exception after fit":
            model.no_such_method()
        print(model.evaluate(x, x[:, :1], verbose=0), model.get_weights())

    main()
    """
)


@pytest.mark.slow
@pytest.mark.usefixtures("_store")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="trainings are forked")
def test_a_training_that_ends_in_whatever_way(store: Path, tmp_path: Path) -> None:
    endings = {name: statement for name, (statement, *_) in ENDINGS.items()}
    text = "import sys\nimport keras, numpy as np\n" + ENDING.format(endings=endings)
    script = script_of(tmp_path, text)
    plain = python(script)
    codes = [line for line in plain.stdout.splitlines() if line.rpartition(" ")[0] in ENDINGS]
    assert codes == [f"{name} {code}" for name, (*_, code) in ENDINGS.items()], plain.stderr
    assert_same(plain, modelkb_run("--project", "scripts", "--tag", "a", script))

    opened = Store(store)
    ids = opened.experiments()["experiment_id"]
    for (statement, status, epochs, _), found in zip(ENDINGS.values(), ids, strict=True):
        experiment = opened.experiment(found)
        assert experiment.project == "scripts"
        assert experiment.record.status == status
        assert experiment.record.tags == ("a",)
        assert experiment.record.ended_at is not None
        assert experiment.record.epochs_completed == epochs
        assert len(experiment.metrics().query("split == 'train'")) == epochs
        stopped = (f"stopped by {type_of(statement)}",) if status != "finished" else ()
        assert len(experiment.record.problems) == len(stopped)
        for problem, start in zip(experiment.record.problems, stopped, strict=True):
            assert problem.startswith(start)
    whole = opened.experiment(ids[0])
    splits = set(whole.table("metrics").column("split").to_pylist())
    assert splits == {"train", "validation", "test"}


def type_of(ending: str) -> str:
    """The exception that an ending raises."""
    return next((n for n in ("ValueError", "KeyboardInterrupt") if n in ending), "SystemExit")


@pytest.mark.slow
@pytest.mark.usefixtures("_store")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals(number: signal.Signals, store: Path, tmp_path: Path) -> None:
    text = TRAIN + textwrap.dedent(
        """
        import time
        wait = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: (print("ended", epoch, flush=True), time.sleep(0.05))
        )
        model.fit(x, x[:, :1], epochs=10_000, verbose=0, callbacks=[wait])
        """
    )
    script = script_of(tmp_path, text)
    process = subprocess.Popen(
        [*MODELKB, "run", str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == "ended 2\n":
            break
    time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -number
    record = only_experiment(store).record
    assert record.status == "interrupted"
    assert record.epochs_completed >= 2
    epochs = only_experiment(store).metrics().query("metric == 'loss'")["epoch"]
    # The script prints before the recorder, which comes last, is told of the epoch.
    assert list(epochs)[:2] == [0, 1]
    if number == signal.SIGINT:
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert list(only_experiment(store).checkpoints()["kind"])[-1:] == ["end"]
        assert record.problems == ("stopped by KeyboardInterrupt",)
    else:
        assert "ended without a word" in record.problems[0]


@pytest.mark.slow
@pytest.mark.usefixtures("_store")
def test_trainings_of_two_scripts_in_one_folder_of_another(store: Path, tmp_path: Path) -> None:
    """A relative store is where the command is given, as for a script that records itself."""
    script_of(tmp_path, "def target(x):\n    return x[:, :1]\n", "code/parts.py")
    text = (
        TRAIN + "from parts import target\nimport os\nos.chdir('/')\n"
        "model.fit(x, target(x), verbose=0)\nmodel.fit(x, target(x), epochs=2, verbose=0)\n"
    )
    script = script_of(tmp_path, text, "code/train.py")
    done = modelkb_run("--store", "relative", "--name", "twice", script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert errors_of(done) == []
    assert not store.exists()
    experiments = Store(tmp_path / "relative").experiments()
    assert list(experiments["epochs_completed"]) == [1, 2]
    assert list(experiments["name"]) == ["twice"] * 2
    assert experiments["parent_experiment_id"][1] == experiments["experiment_id"][0]
