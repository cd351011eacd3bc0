"""The addresses of pages, which can be kept and sent: paths, and what stands behind the ``?``."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

PROJECT_PATH = "project"
EXPERIMENT_PATH = "experiment"
COMPARE_PATH = "compare"

PROJECT = "project"
EXPERIMENT = "id"
TAB = "tab"
CHECKPOINT = "checkpoint"
BESIDE = "beside"
LAYER = "layer"
SEARCH = "search"
WHERE = "where"
SORT = "sort"
GROUP = "group"
GROUP_METRIC = "group_metric"
COLUMNS = "columns"
PAGE = "page"
CODE = "code"
CHART = "chart"
METRIC = "metric"
SUMMARY = "summary"
X = "x"
SMOOTHING = "smoothing"
LOG = "log"
BOTH_SPLITS = "splits"
COLOUR_BY = "colour"
HYPERPARAMETER = "hyperparameter"
HYPERPARAMETERS = "hyperparameters"
DATA = "data"
DIFFERENCES = "differences"
FROM = "from"
TO = "to"
SHARES = "shares"
SPLIT = "split"
EVALUATION = "evaluation"


def project_address(project: str) -> str:
    """Return the address of a project's page, from the root of the viewer."""
    return f"{PROJECT_PATH}?{urlencode({PROJECT: project})}"


def experiment_address(experiment_id: str, tab: str | None = None) -> str:
    """Return the address of an experiment's page, at one of its tabs."""
    query = {EXPERIMENT: experiment_id, **({TAB: tab} if tab else {})}
    return f"{EXPERIMENT_PATH}?{urlencode(query)}"


def compare_address(experiment_ids: Iterable[str]) -> str:
    """Return the address of a comparison."""
    return f"{COMPARE_PATH}?{urlencode([(EXPERIMENT, each) for each in experiment_ids])}"
