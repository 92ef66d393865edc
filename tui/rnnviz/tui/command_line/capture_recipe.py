"""How a capture is made, kept in the capture itself: `rnnviz capture --resume --out X` needs nothing else.

A recipe says how the text and the further models are named and where they are relative to the capture; never an
absolute path. What has moved since is looked for as `whereabouts` does, and known by its SHA-256.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, get_args

from rnnviz.store.errors import InvalidRequest, InvalidRun, InvalidText, NotFound
from rnnviz.store.portable_path import is_portable, portable_path
from rnnviz.store.reader import Capture
from rnnviz.tui.command_line.capture_notes import weights_of
from rnnviz.tui.command_line.options import DeviceChoice
from rnnviz.tui.view.user_state import known_places, ngrams_identity

if TYPE_CHECKING:
    from rnnviz.engine.ngram.directory import NgramModels
    from rnnviz.engine.runs.run import Run
    from rnnviz.engine.text.text import Text
    from rnnviz.engine.text.text_record import TextRecord

Recipe = dict[str, Any]
"""JSON: {text: {spec, place, glob, seed}, device, unknown, signals, predictions, next,
runs: [{name, weights, place}], ngrams: {name, text, place}}. Of these `signals`, `predictions` and `next` are as they
were given, also for what is to be added when the rest is whole."""

Found = dict[str, Any]
"""Values of parameters of `rnnviz capture`, by their names there."""


def recipe_of(
    out: Path,
    text: Text,
    *,
    spec: str | None,
    glob: str,
    seed: int,
    runs: Sequence[Run],
    ngrams: NgramModels | None,
    options: Mapping[str, object],
) -> Recipe:
    """The recipe that the capture at `out` keeps. `spec`, `glob` and `seed` open the text again; `options` are device,
    unknown, signals, predictions and next, as they were given."""
    place = None if text.origin is None else portable_path(text.origin, out)
    return {
        "text": {"spec": spec, "place": place, "glob": glob, "seed": seed},
        **options,
        "runs": [
            {"name": run.name, "weights": weights_of(run), "place": portable_path(run.path, out)}
            for run in runs
        ],
        "ngrams": None
        if ngrams is None
        else {
            "name": ngrams.path.resolve().name,
            "text": ngrams.text.sha256,
            "place": portable_path(ngrams.path, out),
        },
    }


def run_of(capture: Capture) -> Path:
    """The run that a capture is made with. Raises NotFound where it is not to be found."""
    from rnnviz.tui.playground.model_locations import find_run, find_trained_on

    name, model = next(iter(capture.models.items()))
    if model.kind == "states":
        raise InvalidRequest(
            f"{capture.path} came from `rnnviz import`",
            "Import it again, with --force where it is incomplete.",
        )
    found = find_run(capture, name, Path.cwd())
    if found is None and (trained_on := find_trained_on(capture, name, Path.cwd())) is not None:
        raise InvalidRun(
            f"{trained_on.path} has been trained on since {capture.path} was begun: its weights are not the capture's",
            f"Capture it anew: {trained_on.anew(capture.path)}",
        )
    if found is None:
        raise NotFound(
            f"the run {name} that {capture.path} is made with is not to be found",
            f"Give its path: rnnviz capture RUN --resume --out {quote(str(capture.path))}",
        )
    return found.path


def text_record(capture: Capture) -> tuple[TextRecord, int] | None:
    """What a capture says of where its text was, and the seed of its files' order; None where it says nothing."""
    from rnnviz.engine.text.text_record import TextRecord

    match capture.schema.recipe.get("text"):
        case {"spec": spec, "place": place, "glob": str(glob), "seed": int(seed)}:
            spec, place = (path if is_portable(path) else None for path in (spec, place))
            schema = capture.schema
            return TextRecord(schema.text_name, schema.text_sha256, 1, spec, glob, place), seed
    return None


def text_of(capture: Capture, run: Path) -> Found:
    """The text that a capture is made of, where it says anything of it. Raises NotFound where it is not to be found,
    and InvalidText where only a text with another SHA-256 is."""
    from rnnviz.engine.text.text import STANDARD_LIBRARY

    recorded = text_record(capture)
    if recorded is None:
        return {}
    record, seed = recorded
    hint = f"Give it: rnnviz capture {quote(str(run))} TEXT --resume --out {quote(str(capture.path))}"
    try:
        opened = record.open(capture.path, None, None, seed, known_places(record.sha256))
    except InvalidText as error:
        raise InvalidText(error.message, hint) from error
    except InvalidRequest as error:
        raise NotFound(error.message, hint) from error
    return {
        "text": STANDARD_LIBRARY if opened.origin is None else str(opened.origin),
        "glob": record.glob,
        "seed": seed,
    }


def options_of(capture: Capture) -> Found:
    """What a capture's own attributes and its recipe say of how it is made."""
    schema, recipe = capture.schema, capture.schema.recipe
    model, options = schema.models[0], capture.schema.options
    found: Found = {
        "split": schema.part,
        "streams": options.get("streams"),
        "first": options.get("first"),
        "signals": ",".join(model.signals),
        "predictions": "all" if model.next else "surprisal" if model.surprisal else "none",
        "unknown": "replace" if _replaced(options.get("unknown")) else "refuse",
    }
    allowed: dict[str, tuple[object, ...]] = {
        "device": get_args(DeviceChoice),
        "unknown": ("refuse", "replace"),
        "predictions": ("all", "surprisal", "none"),
    }
    found |= {name: recipe[name] for name, values in allowed.items() if recipe.get(name) in values}
    if "signals" in recipe:
        found["signals"] = recipe["signals"] if isinstance(recipe["signals"], str) else None
    if isinstance(recipe.get("next"), str):
        found["predict"] = recipe["next"]
    return found


def further_of(capture: Capture) -> Found:
    """The further runs and the n-gram models that a capture is to have. Raises NotFound for one that is not to be
    found; those that are in the capture already are left out where they are not."""
    from rnnviz.tui.playground.model_locations import Sought, find_ngrams_of, find_weights

    there = {
        identity for model in capture.models.values() for identity in _identities(model.attributes["run"])
    }
    runs: list[Path] = []
    for record in _mappings(capture.schema.recipe.get("runs")):
        weights = record.get("weights")
        if isinstance(weights, str):
            sought = Sought(capture.path, record.get("name"), _place(record), weights)
            folder = find_weights(weights, sought, Path.cwd())
            if folder is not None:
                runs.append(folder)
            elif weights not in there:
                raise _lost(capture, "the run", record, "--run RUN")
    found: Found = {"runs": runs} if runs else {}
    for record in _mappings([capture.schema.recipe.get("ngrams")]):
        text = record.get("text")
        if isinstance(text, str):
            identity = ngrams_identity(text)
            models = find_ngrams_of(
                text, Sought(capture.path, record.get("name"), _place(record), identity), Path.cwd()
            )
            if models is not None:
                found["ngram"] = models.path
            elif identity not in there:
                raise _lost(capture, "the n-gram models", record, "--ngram DIR")
    if "ngram" not in found:
        found["predict"] = None
    return found


def _identities(record: object) -> list[str]:
    match record:
        case {"n": _, "text": {"sha256": str() as text}}:
            return [ngrams_identity(text)]
        case {"weights": str() as weights}:
            return [weights]
    return []


def _lost(capture: Capture, what: str, record: Mapping[str, object], option: str) -> NotFound:
    return NotFound(
        f"{what} {ascii(record.get('name'))[:60]} that {capture.path} is to have cannot be found",
        f"Give its path: rnnviz capture --resume --out {quote(str(capture.path))} {option}",
    )


def _mappings(values: object) -> list[Mapping[str, object]]:
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []


def _place(record: Mapping[str, object]) -> str | None:
    place = record.get("place")
    return place if isinstance(place, str) and is_portable(place) else None


def _replaced(unknown: object) -> bool:
    return isinstance(unknown, Mapping) and bool(unknown.get("symbols"))
