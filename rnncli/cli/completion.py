"""rnncli completion"""

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options, files and models when Tab is pressed.

    \b
    echo 'eval "$(rnncli completion bash)"' >> ~/.bashrc
    echo 'eval "$(rnncli completion zsh)"' >> ~/.zshrc
    rnncli completion fish > ~/.config/fish/completions/rnncli.fish
    """
    from click.shell_completion import get_completion_class

    program = get_completion_class(shell)(ctx.find_root().command, {}, "rnncli", "_RNNCLI_COMPLETE")
    # Without Click's own `source`, which in bash starts a shell to ask for its version.
    click.echo(program.source_template % program.source_vars())
