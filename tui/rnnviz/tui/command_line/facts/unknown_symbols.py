"""What a capture's models read in place of symbols that they have never seen, in words."""

from __future__ import annotations

from collections.abc import Mapping

from rnnviz.store.reader import Capture, CapturedModel


def unknown_notes(capture: Capture) -> list[str]:
    """A line for each model that had symbols replaced: how many they were, and what it read in their place."""
    notes = []
    for number, (name, model) in enumerate(capture.models.items()):
        run = model.attributes["run"]
        own = run.get("unknown") if isinstance(run, Mapping) else None
        match capture.schema.options.get("unknown") if number == 0 else own:
            case {"symbols": int(count), "read_as": int(read_as)} if count > 0:
                notes.append(
                    f"{name} has never seen {count:,} of the text's {capture.symbols:,} {capture.unit}s: "
                    f"{'it' if count == 1 else 'each'} was read as {_name(model, read_as)}"
                )
    return notes


def _name(model: CapturedModel, read_as: int) -> str:
    tokens = model.tokens
    if tokens is None:
        token = chr(read_as) if 0 <= read_as < 256 else "?"
    else:
        token = tokens[read_as] if 0 <= read_as < len(tokens) else "?"
    return "a space" if token == " " else ascii(token)
