"""Where data comes from."""

from __future__ import annotations

import pytest

from scanned import reasons, scanned

Dataset = tuple[str, str | None, str | None]

DATASETS: dict[str, tuple[str, list[Dataset]]] = {
    "keras": (
        "import keras\nkeras.datasets.cifar10.load_data()",
        [("keras.datasets.cifar10.load_data", "cifar10", None)],
    ),
    "keras by another name": (
        "import tensorflow as tf\nmnist = tf.keras.datasets.mnist\nmnist.load_data()",
        [("keras.datasets.mnist.load_data", "mnist", None)],
    ),
    "tfds": (
        "import tensorflow_datasets as tfds\n"
        "(a, b), info = tfds.load('cats', split=['train', 'test'], with_info=True)",
        [("tfds.load", "cats", None)],
    ),
    "get_file": (
        "from tensorflow.keras.utils import get_file\n"
        "get_file('a.txt', 'https://example.org/a.txt')",
        [("keras.utils.get_file", "a.txt", "https://example.org/a.txt")],
    ),
    "directory": (
        "import keras\n"
        "for part in ('a', 'b'):\n"
        "    keras.preprocessing.image_dataset_from_directory(f'data/{part}')",
        [
            ("keras.utils.image_dataset_from_directory", "data/a", "data/a"),
            ("keras.utils.image_dataset_from_directory", "data/b", "data/b"),
        ],
    ),
    "generator of images": (
        "from keras.preprocessing.image import ImageDataGenerator\ng = ImageDataGenerator()\n"
        "g.flow_from_directory('train/', target_size=(8, 8))\ng.flow(x, y)",
        [("keras.preprocessing.image.ImageDataGenerator.flow_from_directory", "train/", "train/")],
    ),
    "records": (
        "import tensorflow as tf\nfiles = ['a.rec', 'b.rec']\ntf.data.TFRecordDataset(files)\n"
        "tf.data.TextLineDataset('c.txt')\ntf.data.Dataset.from_tensor_slices([1])",
        [
            ("tf.data.TFRecordDataset", None, "a.rec"),
            ("tf.data.TFRecordDataset", None, "b.rec"),
            ("tf.data.TextLineDataset", None, "c.txt"),
        ],
    ),
    "numpy and pandas": (
        "import numpy as np, pandas as pd\n"
        "np.loadtxt(fname='a.txt')\n"
        "pd.read_csv('b.csv', sep=';')\n"
        "pd.DataFrame()",
        [("numpy.loadtxt", None, "a.txt"), ("pandas.read_csv", None, "b.csv")],
    ),
    "in a function called twice": (
        "import numpy as np\n"
        "def read(name):\n"
        "    return np.load('data/' + name)\n"
        "read('x.npy')\n"
        "read('y.npy')",
        [("numpy.load", None, "data/x.npy"), ("numpy.load", None, "data/y.npy")],
    ),
    "sklearn": (
        "from sklearn.datasets import load_digits, fetch_openml\n"
        "load_digits()\n"
        "fetch_openml('mnist_784')",
        [
            ("sklearn.datasets.load_digits", "digits", None),
            ("sklearn.datasets.fetch_openml", "mnist_784", None),
        ],
    ),
    "hugging face": (
        "from datasets import load_dataset\nload_dataset('imdb', split='train')",
        [("datasets.load_dataset", "imdb", None)],
    ),
    "hdf5": (
        "import h5py\nwith h5py.File('a.h5', 'r') as f:\n    x = f['x']\nh5py.File('out.h5', 'w')",
        [("h5py.File", None, "a.h5")],
    ),
    "plain file that is trained on": (
        "import keras\n"
        "rows = []\n"
        "with open('rows.txt') as f:\n"
        "    for line in f:\n"
        "        rows.append(float(line))\n"
        "with open('log.txt') as other:\n    print(other.read())\nopen('out.txt', 'w').write('x')\n"
        "keras.Sequential().fit(rows)",
        [("open", None, "rows.txt")],
    ),
    "file that a reader takes": (
        "import json, keras, pickle\nimport numpy as np\n"
        "with open('a.json') as file:\n    a = json.load(file)\n"
        "b = [pickle.load(open(f'{part}.pkl', 'rb')) for part in ('b', 'c')]\n"
        "d = np.load(open('d.npy', 'rb'))\n"
        "keras.Sequential().fit(a, b, validation_data=d)",
        [
            ("json.load", None, "a.json"),
            ("pickle.load", None, "b.pkl"),
            ("pickle.load", None, "c.pkl"),
            ("numpy.load", None, "d.npy"),
        ],
    ),
    "weights and configurations": (
        "import h5py, keras\n"
        "model = keras.models.model_from_json(open('model.json').read())\n"
        "model.load_weights(keras.utils.get_file('w.h5', 'https://example.org/w.h5'))\n"
        "weights = h5py.File('v.h5')\n"
        "for layer in model.layers:\n    layer.set_weights([weights[layer.name]['w']])\n"
        "model.fit(x, y)",
        [],
    ),
    "file named by a file": (
        "import keras\nimport numpy as np\n"
        "with open('names.txt') as file:\n    names = file.read().split()\n"
        "x = [np.load(name) for name in names]\nkeras.Sequential().fit(x)",
        [("open", None, "names.txt"), ("numpy.load", None, None)],
    ),
    "weights that are trained on too": (
        "import h5py, keras\nmodel = keras.Sequential()\nfile = h5py.File('a.h5')\n"
        "model.set_weights(file['weights'])\nmodel.fit(file['x'])",
        [("h5py.File", None, "a.h5")],
    ),
}


@pytest.mark.parametrize(("source", "datasets"), DATASETS.values(), ids=DATASETS)
def test_datasets(source: str, datasets: list[Dataset]) -> None:
    found = scanned(source)

    assert [(each.loader, each.name, each.source) for each in found.datasets] == datasets


def test_a_path_of_the_command_line_is_left_open() -> None:
    found = scanned("import sys\nimport pandas as pd\npd.read_csv(sys.argv[1])")

    assert [(each.loader, each.source) for each in found.datasets] == [("pandas.read_csv", None)]
    assert reasons(found) == {"sys.argv[1]": "an argument of the command line"}
