"""rnncli completion"""

import click
from click.shell_completion import get_completion_class

# Zsh completes nothing until compinit has run. This runs it if the user's .zshrc does not.
RUN_COMPINIT = "\n(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\n"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a script that makes a shell complete commands, options, files and models when you press Tab.

    \b
    echo 'eval "$(rnncli completion bash)"' >> ~/.bashrc
    echo 'eval "$(rnncli completion zsh)"' >> ~/.zshrc
    rnncli completion fish > ~/.config/fish/completions/rnncli.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    completion = kind(ctx.find_root().command, {}, "rnncli", "_RNNCLI_COMPLETE")
    # Not Click's `source()`: for bash that starts another bash to ask for its version.
    script = completion.source_template % completion.source_vars()
    if shell == "zsh":
        script = script.replace("\n", RUN_COMPINIT, 1)
    # In fish a comma separates the kind of a completion from its text, which may hold commas too.
    click.echo(script.replace('string split ","', 'string split --max 1 ","'))
