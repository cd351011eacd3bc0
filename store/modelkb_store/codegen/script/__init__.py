"""The whole script of an experiment: as a script, a notebook, or a folder that runs elsewhere."""

from modelkb_store.codegen.script.saving import FORMATS, ShownScript, save_script, shown_script

__all__ = ["FORMATS", "ShownScript", "save_script", "shown_script"]
