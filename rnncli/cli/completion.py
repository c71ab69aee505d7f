"""rnncli completion"""

import click

# Zsh has no completion at all unless something has begun it: no more is asked of the user's .zshrc than this script.
WITHOUT_COMPINIT = "\n(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\n"


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
    script = program.source_template % program.source_vars()
    if shell == "zsh":
        script = script.replace("\n", WITHOUT_COMPINIT, 1)
    # In fish a comma is between the kind of a completion and its text, which may hold more of them.
    click.echo(script.replace('string split ","', 'string split --max 1 ","'))
