"""``modelkb completion``: what makes a shell complete commands, ids and projects."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "fish", "zsh")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print the script that makes a SHELL complete what is typed.

    Commands, options, experiments, projects and columns are completed; those of the store only
    where it is on this machine. Put this into the file that the shell reads at its start:

      bash   eval "$(modelkb completion bash)"                 in ~/.bashrc
      zsh    eval "$(modelkb completion zsh)"                  in ~/.zshrc
      fish   modelkb completion fish | source                  in ~/.config/fish/config.fish

    Examples:
      modelkb completion bash
    """
    completion = get_completion_class(shell)
    assert completion is not None
    # Inside: it is what imports this.
    from modelkb_viewer.main import COMPLETE_VARIABLE, modelkb

    click.echo(completion(modelkb, {}, "modelkb", COMPLETE_VARIABLE).source())
