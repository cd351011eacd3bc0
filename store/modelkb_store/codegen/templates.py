"""Jinja2 templates of a target: a folder `templates` beside its module."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def render(folder: Path, template: str, **context: Any) -> str:
    """Fill in a template.

    Values are texts of finished code: nothing in them is a template, and nothing is escaped.

    Args:
        folder: The folder that the template is in.
        template: Its file name.
        context: What it asks for; a name that it asks for in vain is an error.
    """
    # Inside the function: a training imports this package, but never writes code.
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Python, not HTML
    )
    return environment.get_template(template).render(**context)
