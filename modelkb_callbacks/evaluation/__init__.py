"""How well a model does: confusion matrix and per-class figures, or regression errors."""
