"""What ``from keras.layers import *`` brings; what other star imports bring is unknown."""

from __future__ import annotations

from modelkb_callbacks.scanning.canonical_names import merge_layer

_LAYERS = """
Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average
AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D
BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate Conv1D Conv1DTranspose
Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D
Convolution2D Convolution2DTranspose Convolution3D Cropping1D Cropping2D Cropping3D CuDNNGRU
CuDNNLSTM Deconvolution2D Dense DenseFeatures DepthwiseConv1D DepthwiseConv2D Discretization Dot
Dropout ELU EinsumDense Embedding Flatten GRU GRUCell GaussianDropout GaussianNoise
GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D
GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D
GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization Hashing Highway Input
InputLayer InputSpec IntegerLookup LSTM LSTMCell Lambda Layer LayerNormalization LeakyReLU
LocallyConnected1D LocallyConnected2D Masking MaxPool1D MaxPool2D MaxPool3D MaxPooling1D
MaxPooling2D MaxPooling3D MaxoutDense Maximum Merge Minimum MultiHeadAttention Multiply
Normalization PReLU Permute RNN RandomBrightness RandomContrast RandomCrop RandomFlip
RandomHeight RandomRotation RandomTranslation RandomWidth RandomZoom ReLU RepeatVector Rescaling
Reshape Resizing SeparableConv1D SeparableConv2D SeparableConvolution2D SimpleRNN SimpleRNNCell
Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D StackedRNNCells StringLookup Subtract
TextVectorization ThresholdedReLU TimeDistributed TimeDistributedDense UnitNormalization
UpSampling1D UpSampling2D UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""
_NAMES: dict[str, frozenset[str]] = {
    "keras": frozenset(
        [
            "Input",
            "Model",
            "Sequential",
            "activations",
            "applications",
            "backend",
            "callbacks",
            "constraints",
            "datasets",
            "initializers",
            "layers",
            "losses",
            "metrics",
            "models",
            "ops",
            "optimizers",
            "preprocessing",
            "regularizers",
            "utils",
        ]
    ),
    "keras.applications": frozenset(
        [
            "DenseNet121",
            "DenseNet169",
            "DenseNet201",
            "EfficientNetB0",
            "InceptionResNetV2",
            "InceptionV3",
            "MobileNet",
            "MobileNetV2",
            "NASNetLarge",
            "NASNetMobile",
            "ResNet50",
            "ResNet50V2",
            "VGG16",
            "VGG19",
            "Xception",
        ]
    ),
    "keras.callbacks": frozenset(
        [
            "BackupAndRestore",
            "BaseLogger",
            "CSVLogger",
            "Callback",
            "CallbackList",
            "EarlyStopping",
            "History",
            "LambdaCallback",
            "LearningRateScheduler",
            "ModelCheckpoint",
            "ProgbarLogger",
            "ReduceLROnPlateau",
            "RemoteMonitor",
            "SwapEMAWeights",
            "TensorBoard",
            "TerminateOnNaN",
        ]
    ),
    "keras.datasets": frozenset(
        [
            "boston_housing",
            "california_housing",
            "cifar10",
            "cifar100",
            "fashion_mnist",
            "imdb",
            "mnist",
            "reuters",
        ]
    ),
    "keras.layers": frozenset(_LAYERS.split()),
    "keras.losses": frozenset(
        [
            "BinaryCrossentropy",
            "BinaryFocalCrossentropy",
            "CategoricalCrossentropy",
            "CosineSimilarity",
            "Hinge",
            "Huber",
            "KLDivergence",
            "LogCosh",
            "Loss",
            "MeanAbsoluteError",
            "MeanSquaredError",
            "Poisson",
            "SparseCategoricalCrossentropy",
            "binary_crossentropy",
            "categorical_crossentropy",
            "mean_absolute_error",
            "mean_squared_error",
            "mse",
            "mae",
            "sparse_categorical_crossentropy",
        ]
    ),
    "keras.metrics": frozenset(
        [
            "AUC",
            "Accuracy",
            "BinaryAccuracy",
            "CategoricalAccuracy",
            "F1Score",
            "IoU",
            "Mean",
            "MeanIoU",
            "Metric",
            "Precision",
            "Recall",
            "SparseCategoricalAccuracy",
            "TopKCategoricalAccuracy",
            "categorical_accuracy",
            "top_k_categorical_accuracy",
        ]
    ),
    "keras.models": frozenset(
        ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
    ),
    "keras.optimizers": frozenset(
        [
            "Adadelta",
            "Adafactor",
            "Adagrad",
            "Adam",
            "AdamW",
            "Adamax",
            "Ftrl",
            "Lion",
            "Nadam",
            "Optimizer",
            "RMSprop",
            "SGD",
            "adam",
            "sgd",
            "rmsprop",
        ]
    ),
    "keras.utils": frozenset(
        [
            "PyDataset",
            "Sequence",
            "get_file",
            "normalize",
            "np_utils",
            "plot_model",
            "to_categorical",
        ]
    ),
    "keras.preprocessing.image": frozenset(
        ["ImageDataGenerator", "img_to_array", "load_img", "array_to_img"]
    ),
}
_HOMES = {
    "keras.engine": "keras.models",
    "keras.engine.topology": "keras.layers",
    "keras.layers.core": "keras.layers",
}


def starred_name(name: str, modules: list[str]) -> str | None:
    """Return the canonical name of a name that one of some star imports brings."""
    for module in modules:
        home = _HOMES.get(module, module)
        if home.startswith("keras.layers."):
            home = "keras.layers"
        full = f"{home}.{name}"
        if name in _NAMES.get(home, ()) or merge_layer(full):
            return full
    return None
