"""Which claude a login shell starts: recorded start files, and bash itself as the judge."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from agent import platforms
from agent.discover import search_path
from agent.testing import RecordedHost

Tree = Callable[..., RecordedHost]
HERE = {"text": "a program", "mode": "x"}

DEBIAN_PROFILE = """
if [ "$(id -u)" -eq 0 ]; then
  PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
else
  PATH="/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
fi
export PATH
if [ -d /etc/profile.d ]; then
  for i in /etc/profile.d/*.sh; do
    if [ -r $i ]; then
      . $i
    fi
  done
  unset i
fi
"""
FEDORA_PROFILE = """
pathmunge () {
    case ":${PATH}:" in
        *:"$1":*)
            ;;
        *)
            if [ "$2" = "after" ] ; then
                PATH=$PATH:$1
            else
                PATH=$1:$PATH
            fi
    esac
}
PATH=/usr/bin:/bin
pathmunge /usr/local/bin
pathmunge /usr/sbin after
pathmunge /usr/bin after
unset -f pathmunge
"""


def _path(host: RecordedHost) -> str:
    return ":".join(str(entry) for entry in search_path.read(host).path)


def test_debians_own_files_give_debians_path(tree: Tree) -> None:
    """id, loops over /etc/profile.d and the else branch are followed; snap's part counts."""
    snap = """
snap_bin_path="/snap/bin"
if [ -n "${PATH##*${snap_bin_path}}" ] && [ -n "${PATH##*${snap_bin_path}:*}" ]; then
    export PATH="$PATH:${snap_bin_path}"
fi
"""
    host = tree({"/etc/profile": DEBIAN_PROFILE, "/etc/profile.d/apps-bin-path.sh": snap})
    assert _path(host) == "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games:/snap/bin"


def test_fedoras_function_is_called(tree: Tree) -> None:
    """Pathmunge is a function of the file, with arguments and a case in it."""
    assert _path(tree({"/etc/profile": FEDORA_PROFILE})) == "/usr/local/bin:/usr/bin:/bin:/usr/sbin"


def test_without_any_file_the_systems_default_counts(tree: Tree) -> None:
    """A container has no start files, and login's own PATH."""
    host = tree({"/usr/local/bin/claude": HERE})
    assert search_path.read(host).starts == PurePosixPath("/usr/local/bin/claude")


def test_the_environment_file_is_read_without_expansion(tree: Tree) -> None:
    """pam_env takes values as they stand, quotes aside."""
    host = tree({"/etc/environment": 'PATH="/opt/bin:$HOME/x"\n'}, login="sh")
    assert _path(host) == "/opt/bin"


def test_macos_puts_its_own_folders_before_those_of_zshenv(tree: Tree) -> None:
    """path_helper runs after .zshenv and before .zshrc, and is followed there."""
    host = tree(
        {
            "/etc/paths": "/usr/local/bin\n/usr/bin\n/bin\n",
            "/etc/paths.d/go": "/usr/local/go/bin\n",
            "/etc/zprofile": "if [ -x /usr/libexec/path_helper ]; then\n"
            "\teval `/usr/libexec/path_helper -s`\nfi\n",
            "/usr/libexec/path_helper": HERE,
            "/Users/u/.zshenv": 'export PATH="$HOME/early:$PATH"\n',
            "/Users/u/.zshrc": "path+=(~/late)\n",
        },
        login="zsh",
        system="darwin",
    )
    assert _path(host) == (
        "/usr/local/bin:/usr/bin:/bin:/usr/local/go/bin:/Users/u/early:/usr/sbin:/sbin:/Users/u/late"
    )


@pytest.mark.parametrize(
    ("rc", "first"),
    [
        ('eval "$(/opt/homebrew/bin/brew shellenv)"', "/opt/homebrew/bin"),
        ('eval "$(fnm env --use-on-cd --shell zsh)"', "/Users/u/.fnm/aliases/default/bin"),
        (
            'export VOLTA_HOME="$HOME/.volta"\nexport PATH="$VOLTA_HOME/bin:$PATH"',
            "/Users/u/.volta/bin",
        ),
        ('eval "$(mise activate zsh)"', "/Users/u/.local/share/mise/shims"),
        ("export PATH=${ASDF_DATA_DIR:-$HOME/.asdf}/shims:$PATH", "/Users/u/.asdf/shims"),
        ("export NVM_DIR=~/.nvm\nsource ~/.nvm/nvm.sh", "/Users/u/.nvm/versions/node/v22.9.0/bin"),
        ("if (( $+commands[nothing] )); then path=(/no $path); fi; path=(/yes $path)", "/yes"),
        ("typeset -U path\npath=(\n  ~/a b/\n  /usr/bin # why\n)", "/Users/u/a"),
        ('[[ ":$PATH:" != *":/x/bin:"* ]] && export PATH="/x/bin:$PATH"', "/x/bin"),
        ("[[ -n $NEVER ]] && return\nPATH=/after:$PATH", "/after"),
        ("unknown-program && return\nPATH=/after:$PATH", "/after"),
        ('[ -z "$PS1" ] || PATH=/prompt:$PATH', "/prompt"),
        ("export ZDOTDIR=~/.config/zsh\n. ~/more.zsh", "/more"),
        ("cat <<EOF\nPATH=/never:$PATH\nEOF\nPATH=/real:$PATH", "/real"),
        ('add() { PATH="$1:$PATH"; }\nadd /added', "/added"),
        ('for d in /b1 /b2; do PATH="$d:$PATH"; done', "/b2"),
        ("NPM_CONFIG_PREFIX=/n; PATH=$(npm prefix -g)/bin:$PATH", "/n/bin"),
        ("NPM_CONFIG_PREFIX=/n; PATH=$(npm bin -g):$PATH", "/n/bin"),
        ("PYTHONUSERBASE=/py; PATH=$(python3 -m site --user-base)/bin:$PATH", "/py/bin"),
        ("(PATH=/never:$PATH)\nPATH=/shell:$PATH", "/shell"),
        ('PATH="$PATH:/last"\nPATH=${PATH%:/last}\nPATH=/trim:$PATH', "/trim"),
        ("for f in ~/{none,mo}re.zsh; do [ -r $f ] && . $f; done", "/more"),
        ("for d in /{a,'b,c',{d,e}}/x; do PATH=$d:$PATH; done", "/e/x"),
        (". ~/prompts/env.zsh", "/prompts"),
        (
            "plugins=(git nvm)\n. ~/.oh-my-zsh/oh-my-zsh.sh",
            "/Users/u/.nvm/versions/node/v22.9.0/bin",
        ),
        ("ZSH=~/.oh-my-zsh\nZSH_CUSTOM=~/custom\nsource $ZSH/oh-my-zsh.sh", "/custom"),
        ("plugins=(git\nexport PATH=/broken:$PATH\n", "/broken"),
    ],
)
def test_a_start_file_is_followed(tree: Tree, rc: str, first: str) -> None:
    """What users write into .zshrc puts its folder first, and nothing stays unknown."""
    host = tree(
        {
            "/Users/u/.zshrc": rc,
            "/Users/u/more.zsh": "PATH=/more:$PATH",
            "/Users/u/prompts/env.zsh": "PATH=/prompts:$PATH",
            "/Users/u/custom/own.zsh": "PATH=/custom:$PATH",
            "/Users/u/.oh-my-zsh/oh-my-zsh.sh": "for plugin ($plugins); do done",
            "/opt/homebrew/bin/brew": HERE,
            "/Users/u/.fnm/aliases/default/bin/node": HERE,
            "/Users/u/.nvm/nvm.sh": "nvm() { :; }",
            "/Users/u/.nvm/alias/default": "22",
            "/Users/u/.nvm/versions/node/v22.9.0/bin/node": HERE,
            "/Users/u/.nvm/versions/node/v9.11.2/bin/node": HERE,
            f"{first}/claude": HERE,
        },
        login="zsh",
        system="darwin",
    )
    found = search_path.read(host)
    assert str(found.path[0]) == first
    assert found.problems == ()
    assert str(found.starts) == f"{first}/claude"


@pytest.mark.parametrize(
    "rc",
    [
        'export PATH="$(my-tool path):$PATH"',
        'eval "$(my-tool init)"',
        "source <(my-tool init)",
        'source "$(my-tool file)"',
        "PATH=`my-tool`/bin:$PATH",
        'PATH="$(cat ~/.paths):$PATH"',
        'PATH="$(printf %s "$HOME/bin"):$PATH"',
        'PATH="$(pnpm bin -g):$PATH"',
        'PATH="$(python3 -c "print(1)"):$PATH"',
        'eval "$(cat ~/.paths)"',
        "if my-tool; then PATH=/a:$PATH; else PATH=~/.local/bin:$PATH; fi",
        "if my-tool; then :; elif true; then PATH=/a:$PATH; fi",
        "my-tool && PATH=/a:$PATH",
        "my-tool || PATH=/a:$PATH",
        'if [ "$(hostname)" = mine ]; then PATH=/a:$PATH; fi',
        '[ "$HOSTNAME" = mine ] && PATH=/a:$PATH',
        'case "$(hostname)" in mine) PATH=/a:$PATH ;; *) ;; esac',
        "while my-tool; do PATH=/a:$PATH; done",
    ],
)
def test_a_computed_part_before_the_program_is_a_problem(tree: Tree, rc: str) -> None:
    """It might hold another claude, so what is found behind it is not certain."""
    files = {"/home/u/.bashrc": rc, "/usr/bin/claude": HERE}
    assert str(search_path.read(tree(files)).starts) == "/usr/bin/claude"
    shadows = {"/a/claude": HERE, "/home/u/.local/bin/claude": HERE}
    assert search_path.read(tree(files | shadows)).problems == (search_path.COMPUTED,)


@pytest.mark.parametrize(
    "rc",
    [
        'export PATH="$PATH:$(my-tool path)"',
        'eval "$(starship init bash)"',
        'eval "$(direnv hook bash)"; eval "$(ssh-agent -s)"',
        'export PATH="$(go env GOPATH)/bin:$PATH"',
        'export JAVA_HOME=$(/usr/libexec/java_home)\nexport PATH="$JAVA_HOME/bin:$PATH"',
        'eval "$(my-tool init)"; PATH=/usr/bin:$PATH',
        "if my-tool; then PATH=/a:$PATH; else PATH=/b:$PATH; fi",
        "my-tool && false && PATH=/usr/bin/wrong:$PATH",
        '[ "$UID" -eq 0 ] && PATH="$(my-tool):$PATH"; [ "$EUID" = 1000 ] || PATH=',
        "x=$(my-tool)",
    ],
)
def test_what_cannot_shadow_the_program_is_no_problem(tree: Tree, rc: str) -> None:
    """A computed part behind the program, or another program's own folder, changes nothing."""
    found = search_path.read(tree({"/home/u/.bashrc": rc, "/usr/bin/claude": HERE}))
    assert str(found.starts) == "/usr/bin/claude"
    assert found.problems == ()


DEBIAN_HOME = {
    "/home/u/.profile": 'if [ -f ~/.bashrc ]; then . ~/.bashrc; fi\nPATH="$HOME/.local/bin:$PATH"',
    "/home/u/.local/bin/claude": HERE,
    "/home/u/n/bin/claude": HERE,
    "/home/u/.nvm/alias/default": "22",
    "/home/u/.nvm/versions/node/v22.9.0/bin/claude": HERE,
}


def test_a_terminal_may_start_another_copy_than_a_bare_login_shell(tree: Tree) -> None:
    """A terminal on Linux reads .bashrc after all that .profile did, once more."""
    found = search_path.read(tree(DEBIAN_HOME | {"/home/u/.bashrc": "PATH=~/n/bin:$PATH"}))
    assert str(found.starts) == "/home/u/n/bin/claude"
    assert str(found.login) == "/home/u/.local/bin/claude"
    assert found.problems == ()


@pytest.mark.parametrize(
    "rc",
    [
        'case ":$PATH:" in *":$HOME/n/bin:"*) ;; *) PATH=~/n/bin:$PATH ;; esac',
        "PATH=$PATH:~/n/bin",
        ". ~/.nvm/nvm.sh",
    ],
)
def test_what_is_on_path_already_is_not_put_in_front_again(tree: Tree, rc: str) -> None:
    """A guard, and nvm itself, leave PATH as the login shell made it."""
    found = search_path.read(tree(DEBIAN_HOME | {"/home/u/.bashrc": rc}))
    assert str(found.starts) == "/home/u/.local/bin/claude"
    assert (found.login, found.problems) == (None, ())


def test_pythons_user_folder_is_where_the_native_launcher_lies(tree: Tree) -> None:
    """``python3 -m site --user-base`` is ~/.local on Linux."""
    files = {
        "/home/u/.bashrc": 'PATH="$(python3 -m site --user-base)/bin:$PATH"',
        "/home/u/.local/bin/claude": HERE,
        "/usr/bin/claude": HERE,
    }
    found = search_path.read(tree(files))
    assert (str(found.starts), found.problems) == ("/home/u/.local/bin/claude", ())


def test_the_legacy_alias_is_followed(tree: Tree) -> None:
    """An alias to one absolute path is what the shell starts."""
    files = {
        "/home/u/.bashrc": 'alias claude="~/.claude/local/claude"\n',
        "/home/u/.claude/local/claude": HERE,
        "/usr/bin/claude": HERE,
    }
    found = search_path.read(tree(files))
    assert str(found.starts) == "/home/u/.claude/local/claude"
    assert found.problems == ()


@pytest.mark.parametrize(
    ("shell", "file", "text"),
    [
        ("bash", ".bashrc", "claude() { command claude --model opus; }"),
        ("bash", ".bashrc", "alias claude='my-claude --model opus'"),
        ("bash", ".bashrc", "alias claude='cd ~/x && claude'"),
        ("bash", ".bashrc", "alias claude='/opt/missing/claude'"),
        ("bash", ".bashrc", "alias claude='npx claude'"),
        ("bash", ".bashrc", 'alias claude="$(which claude) | tee x"'),
        ("zsh", ".zshrc", "function claude { docker run claude }"),
        ("fish", ".config/fish/config.fish", "function claude\n  command claude $argv\nend"),
        ("fish", ".config/fish/functions/claude.fish", "function claude; end"),
    ],
)
def test_a_redefined_claude_is_a_problem(tree: Tree, shell: str, file: str, text: str) -> None:
    """A function, or an alias to more than one program, hides what really starts."""
    found = search_path.read(tree({f"/home/u/{file}": text}, login=shell))
    assert found.problems == (search_path.REDEFINED,)


@pytest.mark.parametrize(
    ("shell", "alias", "starts", "problems"),
    [
        (
            "bash",
            "alias claude='claude --model opus'",
            "/usr/bin/claude",
            (search_path.ALIAS_ADDS,),
        ),
        ("zsh", "alias claude='noglob claude'", "/usr/bin/claude", ()),
        ("bash", r"alias claude='\claude -c'", "/usr/bin/claude", ()),
        ("bash", "alias claude='claude --dangerously-skip-permissions'", "/usr/bin/claude", ()),
        ("bash", "alias claude=/opt/x/claude", "/opt/x/claude", ()),
        (
            "zsh",
            "alias claude='~/n/claude --bare'",
            "/home/u/n/claude",
            (search_path.ALIAS_ADDS,),
        ),
        (
            "bash",
            "alias claude='CLAUDE_CODE_EFFORT_LEVEL=low claude'",
            "/usr/bin/claude",
            (search_path.ALIAS_ADDS,),
        ),
        ("bash", "alias claude='LANG=C claude'", "/usr/bin/claude", ()),
        (
            "fish",
            "alias claude 'command claude --model opus'",
            "/usr/bin/claude",
            (search_path.ALIAS_ADDS,),
        ),
    ],
)
def test_a_simple_alias_is_followed(
    tree: Tree, shell: str, alias: str, starts: str, problems: tuple[str, ...]
) -> None:
    """It starts the same copy, or another one; what it adds is a problem."""
    rc = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}[shell]
    programs = {"/usr/bin/claude": HERE, "/opt/x/claude": HERE, "/home/u/n/claude": HERE}
    found = search_path.read(tree({f"/home/u/{rc}": alias, **programs}, login=shell))
    assert (str(found.starts), found.problems) == (starts, problems)


@pytest.mark.parametrize(
    ("config", "first"),
    [
        ("fish_add_path ~/.local/bin", "/home/u/.local/bin"),
        ("set -gx PATH $HOME/bin $PATH", "/home/u/bin"),
        ("if test -d ~/x\n  set -x PATH ~/x $PATH\nend", "/home/u/x"),
        ("eval (/home/linuxbrew/.linuxbrew/bin/brew shellenv)", "/home/linuxbrew/.linuxbrew/bin"),
        ("fnm env --use-on-cd | source", "/home/u/.fnm/aliases/default/bin"),
        ("function add\n set PATH /never $PATH\nend\nset PATH /ever $PATH", "/ever"),
        ("set -Ua fish_user_paths ~/u", "/home/u/u"),
    ],
)
def test_fishs_files_are_followed(tree: Tree, config: str, first: str) -> None:
    """Fish has other commands for PATH, and the same answer."""
    host = tree(
        {
            "/home/u/.config/fish/config.fish": config,
            "/home/u/.fnm/aliases/default/bin/node": HERE,
            f"{first}/claude": HERE,
        },
        login="fish",
    )
    found = search_path.read(host)
    assert str(found.starts) == f"{first}/claude"
    assert found.problems == ()


@pytest.mark.parametrize(
    "alias",
    [
        "claude",
        "claude --model opus",
        "command claude",
        r"\claude",
        "LANG=C claude",
        "ANTHROPIC_MODEL=opus claude",
        '"$HOME/bin/claude" --bare',
        "env ANTHROPIC_MODEL=opus ~/bin/claude",
    ],
)
def test_bash_itself_follows_the_alias_to_the_same(tmp_path: Path, alias: str) -> None:
    """The program that it starts sees other words or variables where the alias is said to add."""
    bash = shutil.which("bash") or pytest.fail("bash is not installed")
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s," "$0" "$@" "${ANTHROPIC_MODEL-unset}"\n')
    program.chmod(0o755)
    (tmp_path / ".bashrc").write_text(f"PATH=$HOME/bin:$PATH\nalias claude='{alias}'\n")
    environment = {"HOME": str(tmp_path), "PATH": os.defpath, "SHELL": "/bin/bash", "USER": "u"}
    done = subprocess.run(
        [bash, "-c", "shopt -s expand_aliases; . ~/.bashrc\nclaude -p 'a b'"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    (tmp_path / "root").mkdir()
    host = platforms.live(home=tmp_path, system_root=tmp_path / "root", environment=environment)
    found = search_path.read(host)
    assert found.starts == program
    is_plain = done.stdout == f"{program},-p,a b,unset,"
    assert found.problems == (() if is_plain else (search_path.ALIAS_ADDS,))


def test_fishs_universal_variables_come_first(tree: Tree) -> None:
    """fish_add_path typed at a prompt is kept in fish_variables."""
    stored = r"SETUVAR fish_user_paths:/home/u/\x2elocal/bin\x1e/opt/bin" + "\n"
    host = tree({"/home/u/.config/fish/fish_variables": stored}, login="fish")
    assert _path(host).startswith("/home/u/.local/bin:/opt/bin:")


@pytest.mark.parametrize(
    ("chosen", "starts", "problems"),
    [
        ("nodejs 22.9.0\n", "/home/u/.asdf/installs/nodejs/22.9.0/bin/claude", ()),
        ("", "None", (search_path.SEVERAL,)),
    ],
)
def test_a_managers_shim_leads_to_the_chosen_version(
    tree: Tree, chosen: str, starts: str, problems: tuple[str, ...]
) -> None:
    """Without a global choice among several versions the answer is not known."""
    host = tree(
        {
            "/home/u/.bashrc": "PATH=~/.asdf/shims:$PATH",
            "/home/u/.tool-versions": chosen,
            "/home/u/.asdf/shims/claude": HERE,
            "/home/u/.asdf/installs/nodejs/22.9.0/bin/claude": HERE,
            "/home/u/.asdf/installs/nodejs/24.1.0/bin/claude": HERE,
        }
    )
    found = search_path.read(host)
    assert (str(found.starts), found.problems) == (starts, problems)


def test_links_to_one_version_are_one_choice(tree: Tree) -> None:
    """Mise keeps a version under several names; none of them has to be chosen."""
    installs = "/home/u/.local/share/mise/installs/node"
    host = tree(
        {
            "/home/u/.bashrc": 'eval "$(mise activate bash)"',
            "/home/u/.local/share/mise/shims/claude": HERE,
            f"{installs}/22.9.0/bin/claude": HERE,
            f"{installs}/22": {"link": "./22.9.0"},
            f"{installs}/lts": {"link": "./22.9.0"},
        }
    )
    found = search_path.read(host)
    assert found.starts is not None
    assert host.resolve(found.starts) == PurePosixPath(f"{installs}/22.9.0/bin/claude")
    assert found.problems == ()


def test_files_that_source_each_other_end(tree: Tree) -> None:
    """Each file is followed once."""
    files = {"/home/u/.bashrc": ". ~/.a", "/home/u/.a": ". ~/.bashrc; PATH=/a:$PATH"}
    assert _path(tree(files)).startswith("/a:")


def test_a_file_that_never_ends_is_a_problem(tree: Tree) -> None:
    """A function that calls itself is given up, and told."""
    found = search_path.read(tree({"/home/u/.bashrc": "f() { f; f; }\nf"}))
    assert "the shell's start files are too long to follow" in found.problems


def test_a_start_file_that_may_not_be_read_is_a_problem(tree: Tree) -> None:
    """What it does to PATH is not known."""
    found = search_path.read(tree({"/home/u/.bashrc": {"text": "", "unreadable": True}}))
    assert found.problems == ("a start file of the shell: it may not be read", search_path.COMPUTED)


@pytest.mark.parametrize(("shell", "known"), [("dash", True), ("tcsh", False), ("nu", False)])
def test_a_shell_with_unknown_start_files_is_a_problem(
    tree: Tree, shell: str, *, known: bool
) -> None:
    """Its files could put another copy first; those of POSIX shells are read."""
    found = search_path.read(tree({"/usr/bin/claude": HERE}, login=shell))
    assert (found.problems == ()) is known


def test_a_start_file_that_is_not_there_yet_is_watched(tree: Tree) -> None:
    """A new .bash_profile would take the place of .profile."""
    watch = search_path.read(tree({"/home/u/.profile": ""})).watch
    assert PurePosixPath("/home/u/.bash_profile") in watch
    assert PurePosixPath("/usr/local/bin/claude") in watch


BASH_FILES = [
    {".profile": Path("/etc/skel/.profile"), ".bashrc": Path("/etc/skel/.bashrc")},
    {".bash_profile": "PATH=~/.local/bin:$PATH", ".profile": "PATH=/never:$PATH"},
    {
        ".profile": 'if [ -d "$HOME/bin" ] ; then PATH="$HOME/bin:$PATH"; fi; . "$HOME/.env"',
        ".env": 'case ":${PATH}:" in\n  *:"$HOME/.cargo/bin":*) ;;\n'
        '  *) export PATH="$HOME/.cargo/bin:$PATH" ;;\nesac\n',
    },
    {".profile": 'p="a b"; PATH="$HOME/$p:${PATH:+$PATH:}/x"\nq=\'$HOME\'; PATH=$PATH:/${q#?}'},
    {
        ".profile": 'for d in ~/bin ~/.local/{a,bin} "$HOME/c d"; do\n'
        '[ -d "$d" ] && PATH+=":$d"; done'
    },
    {
        ".profile": "f() { local x=$1; PATH=$x/bin:$PATH; return 0; PATH=/never; }\n"
        "f /opt/f && PATH=/and:$PATH || PATH=/or:$PATH"
    },
    {".profile": "PATH=${PATH//:\\/usr\\/games/}:/end\nPATH=${PATH/sbin/SBIN}"},
    {
        ".profile": "if false; then PATH=/a:$PATH; elif [ 3 -gt 2 -a -d / ]; then\n"
        "PATH=/b:$PATH; else PATH=/c; fi"
    },
    {
        ".profile": "! [ -e /nothing ] && PATH=/not:$PATH\n"
        "[[ abc == a* && ! x = y ]] && PATH=/glob:$PATH"
    },
    {".profile": 'arr=(/one "/two three"); for d in "${arr[@]}"; do PATH="$d:$PATH"; done'},
]


@pytest.mark.parametrize("files", BASH_FILES)
def test_bash_itself_makes_the_same_path(tmp_path: Path, files: dict[str, str | Path]) -> None:
    """A login bash, started in the same scratch home, agrees entry by entry."""
    bash = shutil.which("bash") or pytest.fail("bash is not installed")
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / ".local/bin").mkdir(parents=True)
    for name, text in files.items():
        content = text.read_text() if isinstance(text, Path) else text
        (home / name).write_text(content)
    environment = {"HOME": str(home), "PS1": "$ ", "USER": "root" if os.getuid() == 0 else "u"}
    done = subprocess.run(
        [bash, "-lc", 'printf %s "$PATH"'],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    host = platforms.live(home=home, system_root=None, environment=environment)
    expected = [entry for entry in done.stdout.split(":") if entry]
    assert [str(entry) for entry in search_path.read(host).path] == expected
