"""A plugin for pytest: records every training of the tests that it is loaded for."""

from __future__ import annotations

import modelkb_callbacks

modelkb_callbacks.autolog()
