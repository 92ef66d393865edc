"""What holds for every command: one notation in its help, `~` in every path, a sentence for every mistake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from rnnviz.tui.command_line.help_page import USAGE_ERROR, choices
from rnnviz.tui.command_line.home_path import home_path, home_text
from rnnviz.tui.launch.browse import plain_wishes
from support.command import Command
from support.command_line import commands, parse

COMMANDS = commands()
PATHS = {
    "RUN",
    "DIR",
    "X.zarr",
    "RUN|X.zarr",
    "RUN|X.zarr|DIR",
    "TEXT",
    "FILE",
    "FILE.svg",
    "FILE|TEXT",
    "FILE[:DATASET]",
    "CHECKPOINT",
}
"""Metavars of what names a file or a directory."""
VALUES = {
    "N",
    "P",
    "S",
    "N,…",
    "P,…",
    "S,…",
    "N/N/N",
    "NxN",
    "KEY,…",
    "KIND,…",
    "NAME",
    "NAME,…",
    "NAME=N,…",
    "PATTERN",
    "TOKEN|none",
    "ADDRESS",
    "VIEW",
    "LAYER:UNIT",
}
CHOICE = re.compile(r"[a-z0-9-]+(\|[a-z0-9-]+)+")


def parameters() -> list[Any]:
    return [
        pytest.param(name, parameter, id=f"{name} {parameter.name}")
        for name, command in COMMANDS.items()
        for parameter in command.params
    ]


def value_parameters() -> list[Any]:
    return [each for each in parameters() if not getattr(each.values[1], "is_flag", False)]


@pytest.mark.parametrize(("name", "parameter"), value_parameters())
def test_every_value_has_a_metavar_of_the_one_notation(name: str, parameter: Any) -> None:
    metavar = parameter.metavar or ""
    assert metavar in PATHS | VALUES or CHOICE.fullmatch(metavar), f"{name} {parameter.name}: {metavar!r}"


@pytest.mark.parametrize("columns", [80, 110])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_one_page_that_fits_the_terminal(
    rnnviz: Command, monkeypatch: pytest.MonkeyPatch, name: str, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    done = rnnviz(*name.split(), "--help")
    assert (done.code, done.err) == (0, "")
    usage, *lines = done.out.splitlines()
    assert usage.startswith(f"Usage: rnnviz {name}")
    for line in lines:
        assert len(line) <= columns or line.startswith("  rnnviz "), line
        assert not re.search(r"<(bool|str|int|float|path|int range)>|x<=|BOOLEAN|INTEGER", line)
    # A flag is followed by its sentence, and nothing that is not a name has brackets.
    assert re.search(r"^  -h, --help  +Show this message and exit\.$", done.out, re.MULTILINE)
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "argument":
            assert re.search(rf"^  {re.escape(parameter.metavar)}  ", done.out, re.MULTILINE)
            word = parameter.metavar if parameter.required else f"[{parameter.metavar}]"
            assert word in usage.split()
        elif parameter.required:
            assert f"--{parameter.name} {parameter.metavar}" in usage


def test_usage_names_arguments_then_what_must_be_given(rnnviz: Command) -> None:
    assert rnnviz("ngram", "train", "--help").out.startswith(
        "Usage: rnnviz ngram train TEXT --out DIR [OPTIONS]\n"
    )
    assert rnnviz("eval", "--help").out.startswith("Usage: rnnviz eval RUN [TEXT] [OPTIONS]\n")


def test_a_default_is_told_and_not_twice(rnnviz: Command) -> None:
    page = rnnviz("train", "--help").out
    assert "[default: lstm]" in page
    assert "[default: None]" not in page
    assert "[default: False]" not in page
    assert page.count("[required]") == 1


def test_without_a_command_the_help_is_shown_and_the_code_is_that_of_wrong_usage(rnnviz: Command) -> None:
    done = rnnviz()
    assert (done.code, done.out) == (2, "")
    assert done.err == rnnviz("--help").out


def of_path(hint: Any) -> bool:
    return hint is Path or any(of_path(part) for part in get_args(hint))


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_a_path_in_python_is_one_in_the_help(name: str) -> None:
    command = COMMANDS[name]
    hints = get_type_hints(command.callback.__wrapped__)
    for parameter in command.params:
        if parameter.name in hints and of_path(hints[parameter.name]):
            assert parameter.metavar in PATHS


@pytest.mark.parametrize(
    ("name", "parameter"), [each for each in value_parameters() if each.values[1].metavar in PATHS]
)
def test_every_path_may_begin_with_a_home_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, parameter: Any
) -> None:
    """Also where a shell leaves `~` alone: after `=`, and in quotes."""
    monkeypatch.setenv("HOME", str(tmp_path))
    words: list[str] = []
    for other in COMMANDS[name].params:
        if other is parameter or other.required:
            words += ["~/x"] if other.param_type_name == "argument" else [f"{other.opts[-1]}=~/x"]
        elif other.param_type_name == "argument" and other.opts != parameter.opts:
            words.append("before") if parameter.param_type_name == "argument" else None
    value = parse([*name.split(), *words])[parameter.name]
    values = value if isinstance(value, list | tuple) else [value]
    assert [str(each) for each in values] == [str(tmp_path / "x")]


def test_the_short_way_to_the_explorer_knows_home_directories_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    wishes = plain_wishes(["~/a.zarr", "--run=~/run", "--cell", "0:1"])
    assert wishes is not None
    assert wishes.capture == tmp_path / "a.zarr"
    assert wishes.run == str(tmp_path / "run")


def test_names_that_begin_with_no_user_s_tilde_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home_path("./~/x") == Path("~/x")
    assert home_path("x~") == Path("x~")
    assert home_path("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")
    assert home_path("~root/x").is_absolute()
    assert home_text("python:stdlib") == "python:stdlib"
    assert home_text("~/a.h5:words") == f"{tmp_path}/a.h5:words"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("brows x.zarr", "no such command"),
        ("browse", "missing argument 'X.zarr'"),
        ("train notes.txt", "missing option '--out'"),
        ("train notes.txt --out", "requires an argument"),
        ("train notes.txt --out x --layer 2", "no such option: --layer"),
        ("train notes.txt --out x --layers two", "--layers"),
        ("train notes.txt --out=", "the name of a file or directory is empty"),
        ("train notes.txt --out x --model lstn", "lstn"),
        ("train notes.txt --out x --threads 0", "--threads"),
        ("train a b --out x", "unexpected extra argument"),
        ("snapshot x.zarr --lines 0", "--lines"),
        ("browse x.zarr --color 7", "'7' is not one of"),
        ("ngram", "missing command"),
        ("ngram tran x", "no such command"),
        ("doctor --json=3", "--json"),
        ("--versio", "no such option: --versio"),
    ],
)
def test_a_line_that_cannot_be_parsed_gets_a_sentence_and_the_usage(
    rnnviz: Command, words: str, said: str
) -> None:
    done = rnnviz(*words.split())
    assert (done.code, done.out) == (2, "")
    first, second = done.err.splitlines()
    assert first.startswith("rnnviz: ")
    assert said in first
    assert second.startswith("  Usage: rnnviz ")
    assert "--help says more" in second


def test_the_choices_of_an_option_are_its_metavar() -> None:
    from rnnviz.tui.command_line.options import ColourChoice, MapChoice

    assert choices(ColourChoice) == "auto|16m|256|16|none"
    assert choices(MapChoice).startswith("red-blue|")


def test_all_usage_errors_have_the_class_that_is_caught() -> None:
    """Typer gives it no public name: it is the parent of one that has."""
    with pytest.raises(USAGE_ERROR):
        parse(["browse", "--no-such-option"])
