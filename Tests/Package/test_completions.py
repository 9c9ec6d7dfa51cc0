"""The completions work in the shells that they are for."""

import subprocess

import pytest

from .debian import output

BASH = "usr/share/bash-completion/completions/runtime-manager"
ZSH = "usr/share/zsh/vendor-completions"
FISH = "usr/share/fish/vendor_completions.d/runtime-manager.fish"


def environment(tree, home):
    return {"PATH": f"{tree}/usr/bin:/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "dumb"}


@pytest.mark.parametrize("typed, offered", [(["ser"], "serve"), (["serve", "--lis"], "--listen")])
def test_bash_completes_commands_and_flags(tree, tmp_path, typed, offered):
    output("bash", "-n", tree / BASH)
    words = ["runtime-manager", *typed]
    script = f"""source {tree / BASH}
      complete -p runtime-manager
      COMP_WORDS=({' '.join(words)}) COMP_CWORD={len(typed)} COMP_LINE="{' '.join(words)}" COMP_POINT={len(' '.join(words))}
      _runtime-manager runtime-manager "{typed[-1]}" "{words[-2]}"
      printf '%s\\n' "${{COMPREPLY[@]}}" """
    lines = output("bash", "--norc", "-c", script, env=environment(tree, tmp_path)).splitlines()
    assert lines[0].endswith(" _runtime-manager runtime-manager")
    assert offered in [line.strip() for line in lines[1:]]


def test_zsh_knows_them(tree, tmp_path):
    script = f"fpath=({tree / ZSH} $fpath); autoload -Uz compinit; compinit -u -D; autoload +X _runtime-manager; print $_comps[runtime-manager]"
    assert output("zsh", "--no-rcs", "-c", script, env=environment(tree, tmp_path)) == "_runtime-manager\n"
    subprocess.run(["zsh", "-n", str(tree / ZSH / "_runtime-manager")], check=True)


@pytest.mark.parametrize("typed, offered", [("ser", "serve"), ("serve --lis", "--listen")])
def test_fish_completes_commands_and_flags(tree, tmp_path, typed, offered):
    script = f"source {tree / FISH}; complete --do-complete='runtime-manager {typed}'"
    lines = output("fish", "--no-config", "--command", script, env=environment(tree, tmp_path)).splitlines()
    assert offered in [line.split("\t")[0] for line in lines]
