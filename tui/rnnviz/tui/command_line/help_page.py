"""The page that `--help` prints, in one notation for all commands.

Typer's own page changes with its release, names the Python type of every argument, and gives flags a `<bool>`. This one
needs of a parameter only what Typer documents: its names, its metavar, its help and its default.

A metavar says what stands in its place: capital letters for a value (`N` a whole number, `TEXT` a text), `X.zarr` for a
capture, choices with `|` between them, and `,…` where several may be given with commas between.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from enum import Enum
from shutil import get_terminal_size
from typing import Any, Final, get_args

import typer
from typer.core import TyperCommand, TyperGroup

USAGE_ERROR: Final[type[Exception]] = typer.BadParameter.__mro__[1]
"""What Typer raises for every line that it cannot parse: it has no public name, its child has one."""

WIDEST: Final = 110
"""Columns of the page on a terminal that has more: longer lines are hard to read."""
_NAMES_WIDTH: Final = 30
"""Columns for the names of options; a longer one has a line of its own."""
_UNBROKEN: Final = "\N{NO-BREAK SPACE}"
"""A space at which a line does not end."""


def choices(of: Any) -> str:
    """The metavar of an option with these choices, a `Literal` or a `StrEnum`: `lstm|gru|rnn`."""
    values = (
        [str(each.value) for each in of] if isinstance(of, type) and issubclass(of, Enum) else get_args(of)
    )
    return "|".join(values)


class Command(TyperCommand):
    """A command with our page of help and our line of usage."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except USAGE_ERROR as error:
            if getattr(error, "ctx", None) is None:  # so that the command's usage can be told
                error.__dict__["ctx"] = ctx
            raise

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return usage_pieces(self.get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(page(self, ctx))


class Group(TyperGroup):
    """A command with commands below it."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return ["COMMAND"]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(page(self, ctx))


def usage_pieces(parameters: Iterable[Any]) -> list[str]:
    """The words after the command's name: arguments, options that must be given, `[OPTIONS]` for the others."""
    arguments, required, others = [], [], False
    for parameter in parameters:
        if parameter.param_type_name == "argument":
            name = parameter.metavar or parameter.name
            arguments.append(name if parameter.required else f"[{name}]")
        elif parameter.required:
            required.append(f"{_longest(parameter.opts)} {parameter.metavar}")
        else:
            others = True
    return [*arguments, *required, *(["[OPTIONS]"] if others else [])]


def page(command: Any, context: Any) -> str:
    """The whole page of a command, as wide as the terminal, up to WIDEST columns."""
    width = min(get_terminal_size().columns, WIDEST)
    parts = [f"Usage: {context.command_path} {' '.join(command.collect_usage_pieces(context))}"]
    parts += _paragraphs(command.help or "", width)
    if isinstance(command, TyperGroup):
        parts.append(_commands(command, context, width))
    panels: dict[str, list[Any]] = {}
    for parameter in command.get_params(context):
        if not getattr(parameter, "hidden", False):
            is_argument = parameter.param_type_name == "argument"
            title = getattr(parameter, "rich_help_panel", None) or ("Arguments" if is_argument else "Options")
            panels.setdefault(title, []).append(parameter)
    parts += [_panel(title, parameters, width) for title, parameters in sorted(panels.items(), key=_order)]
    return "\n\n".join(parts) + "\n"


def _order(panel: tuple[str, list[Any]]) -> int:
    """Arguments come first, then options, then the named groups of options as the command has them."""
    return {"Arguments": 0, "Options": 1}.get(panel[0], 2)


def _paragraphs(text: str, width: int) -> Iterator[str]:
    """Prose is wrapped anew. What is indented, an example, stays as it is written, and examples stand together."""
    examples: list[str] = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("    "):
            examples.append("  " + paragraph.strip())
            continue
        if examples:
            yield "\n".join(examples)
            examples.clear()
        yield "\n".join(textwrap.wrap(_plain(paragraph), width, break_on_hyphens=False))
    if examples:
        yield "\n".join(examples)


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("`", "")


def _commands(group: Any, context: Any, width: int) -> str:
    rows = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        paragraph = inspect.cleandoc(command.help or "").split("\n\n")[0]
        rows.append((name, _plain(paragraph)))
    return "\n".join(["Commands:", *_table(rows, max(len(name) for name, _ in rows), width)])


def _panel(title: str, parameters: Iterable[Any], width: int) -> str:
    return "\n".join([f"{title}:", *_table(map(_row, parameters), _NAMES_WIDTH, width)])


def _row(parameter: Any) -> tuple[str, str]:
    help_text = _plain(parameter.help or "")
    if parameter.param_type_name == "argument":
        return parameter.metavar or parameter.name, help_text
    names = ", ".join(sorted(parameter.opts, key=len)) + "".join(
        f", {name}" for name in parameter.secondary_opts
    )
    if not parameter.is_flag and parameter.metavar:
        names += f" {parameter.metavar}"
    return names, help_text + _default(parameter)


def _default(parameter: Any) -> str:
    """What holds if an option is left out. A flag that is left out is off, which needs no word."""
    if parameter.required:
        return " [required]"
    value = parameter.default
    if parameter.is_flag or not parameter.show_default or value in (None, "", ()) or callable(value):
        return ""
    said = value.value if isinstance(value, Enum) else value
    return f" [default:{_UNBROKEN}{said}]"


def _table(rows: Iterable[tuple[str, str]], names_width: int, width: int) -> Iterator[str]:
    """Names at the left and sentences beside them."""
    for name, sentence in rows:
        wrapped = textwrap.wrap(sentence, max(20, width - names_width - 4), break_on_hyphens=False)
        if len(name) > names_width:
            yield f"  {name}"
            name = ""
        for line in wrapped or [""]:
            yield f"  {name:{names_width}}  {line.replace(_UNBROKEN, ' ')}".rstrip()
            name = ""


def _longest(names: Iterable[str]) -> str:
    return max(names, key=len)


def sentence(message: str) -> str:
    """A parser's message as one line in our style: it begins small and ends without a full stop."""
    line = re.sub(r"\s+", " ", message).strip().removesuffix(".")
    # Newer releases of Typer pass on how pydantic says it.
    line = line.replace("Value error, ", "").replace("Input should be", "it should be")
    line = re.sub(r", unable to parse .*", "", line).replace("a valid integer", "a whole number")
    # Of a mistyped option and of a mistyped command Typer says it in two ways.
    line = re.sub(r" \(Possible options: (.*)\)$", r"; did you mean \1?", line)
    line = re.sub(
        r"\. Did you mean (.*)\?$", lambda names: f"; did you mean {names[1].replace(chr(39), '')}?", line
    )
    return line[:1].lower() + line[1:]
