"""npm's own configuration, read as text in npm's order."""

from pathlib import Path

import pytest

from server.releases.npmrc import authorization, registry_url


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home without any npm."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def _npm(tmp_path: Path, builtin: str = "", global_: str = "") -> str:
    """An npm as packagers lay it out; returns its PATH."""
    package = tmp_path / "usr/lib/node_modules/npm"
    (package / "bin").mkdir(parents=True)
    (package / "bin/npm-cli.js").write_text("#!/usr/bin/env node\n")
    (package / "bin/npm-cli.js").chmod(0o755)
    (package / "npmrc").write_text(builtin)
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
    (tmp_path / "usr/etc").mkdir()
    (tmp_path / "usr/etc/npmrc").write_text(global_)
    return str(tmp_path / "usr/bin")


def test_nothing_names_a_registry(home: Path) -> None:
    """Then none is guessed."""
    assert registry_url({}, home) is None
    assert authorization({}, home, "https://r.example/") is None


def test_each_layer_goes_before_the_next(home: Path, tmp_path: Path) -> None:
    """Environment, user, global, builtin: taken away one by one."""
    path = _npm(tmp_path, "registry=https://builtin.example/\n", "registry=https://global.example/")
    (home / ".npmrc").write_text("registry = https://user.example/\n")
    environment = {"PATH": path, "npm_config_registry": "https://variable.example/"}
    assert registry_url(environment, home) == "https://variable.example/"
    del environment["npm_config_registry"]
    assert registry_url(environment, home) == "https://user.example/"
    (home / ".npmrc").unlink()
    assert registry_url(environment, home) == "https://global.example/"
    (tmp_path / "usr/etc/npmrc").unlink()
    assert registry_url(environment, home) == "https://builtin.example/"


def test_variables_count_in_either_case_and_empty_ones_do_not(home: Path) -> None:
    """So does npm: it reads ``NPM_CONFIG_REGISTRY`` too."""
    environment = {"NPM_CONFIG_REGISTRY": "https://a.example"}
    assert registry_url(environment, home) == "https://a.example"
    assert registry_url({"npm_config_registry": ""}, home) is None


def test_files_elsewhere_are_found_by_their_variables(home: Path, tmp_path: Path) -> None:
    """``NPM_CONFIG_USERCONFIG`` and ``NPM_CONFIG_GLOBALCONFIG`` name them."""
    (tmp_path / "user").write_text("a=b\n")
    (tmp_path / "global").write_text("registry=https://g.example/\n")
    environment = {
        "NPM_CONFIG_USERCONFIG": str(tmp_path / "user"),
        "NPM_CONFIG_GLOBALCONFIG": str(tmp_path / "global"),
    }
    (home / ".npmrc").write_text("registry=https://not-read.example/\n")
    assert registry_url(environment, home) == "https://g.example/"


def test_a_prefix_of_the_user_moves_the_global_file(home: Path, tmp_path: Path) -> None:
    """``prefix=`` is where ``etc/npmrc`` lies."""
    (tmp_path / "mine/etc").mkdir(parents=True)
    (tmp_path / "mine/etc/npmrc").write_text("registry=https://mine.example/\n")
    (home / ".npmrc").write_text(f"prefix={tmp_path / 'mine'}\n")
    assert registry_url({}, home) == "https://mine.example/"


def test_the_scope_has_its_own_registry(home: Path) -> None:
    """It is asked for scoped packages whatever the general one is."""
    (home / ".npmrc").write_text(
        "registry=https://all.example/\n@anthropic-ai:registry=https://scope.example/\n"
    )
    environment = {"npm_config_registry": "https://variable.example/"}
    assert registry_url(environment, home) == "https://scope.example/"


def test_comments_quotes_and_variables_are_read_as_npm_reads_them(home: Path) -> None:
    """``${NAME}`` is replaced where it is set."""
    (home / ".npmrc").write_text(
        '; registry=https://no.example\n# registry=https://no.example\n[x]\nregistry="${AT}/${NO}"\n'
    )
    assert registry_url({"AT": "https://r.example"}, home) == "https://r.example/${NO}"


def test_a_token_is_taken_for_its_own_address_only(home: Path) -> None:
    """As npm does: the address, or a folder above it; never another host or port."""
    (home / ".npmrc").write_text(
        "//r.example/npm/:_authToken=${SECRET}\n//r.example:81/:_auth=cGFpcg==\n"
    )
    environment = {"SECRET": "s3"}
    assert authorization(environment, home, "https://r.example/npm") == "Bearer s3"
    assert authorization(environment, home, "https://r.example/npm/deeper/") == "Bearer s3"
    assert authorization(environment, home, "https://r.example:81/npm/") == "Basic cGFpcg=="
    for other in ("https://r.example/", "https://x.r.example/npm", "https://r.example/npmx/"):
        assert authorization(environment, home, other) is None


def test_a_file_that_cannot_be_read_says_nothing(home: Path) -> None:
    """As for npm: a folder in its place, bytes that are no text."""
    (home / ".npmrc").mkdir()
    assert registry_url({}, home) is None
    (home / ".npmrc").rmdir()
    (home / ".npmrc").write_bytes(b"\xff\xfe\n=\nregistry=https://r.example\n")
    assert registry_url({}, home) == "https://r.example"
