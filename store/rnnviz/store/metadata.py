"""The JSON documents of a capture, read with suspicion: nothing of a stranger's reaches zarr unchecked.

Every function raises `InvalidCapture` with one line that says which document is wrong and how. Strings of the
document appear in messages only escaped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from shlex import join
from typing import Final

from rnnviz.store.bounds import (
    LONGEST_TOKEN,
    MOST_LAYERS,
    MOST_MODELS,
    MOST_ROWS,
    MOST_SEGMENTS,
    MOST_SYMBOLS,
    MOST_TOKENS,
    MOST_UNITS,
)
from rnnviz.store.disk import free_name
from rnnviz.store.errors import InvalidCapture, NotFound
from rnnviz.store.portable_path import is_portable
from rnnviz.store.schema import (
    ATTRIBUTE,
    FORMAT,
    ITEM_BYTES,
    MODEL_NAME,
    SYMBOL_UNITS,
    ArraySchema,
    CaptureSchema,
    ModelSchema,
    SymbolUnit,
)
from rnnviz.store.signals import SIGNALS

DOCUMENT: Final = "zarr.json"
_LARGEST_DOCUMENT: Final = 16 << 20
_LARGEST_CHUNK: Final = 64 << 20
_LARGEST_SHARD: Final = 1 << 30
_MOST_CHUNKS_IN_SHARD: Final = 1 << 16
_CODECS: Final = frozenset({"bytes", "blosc", "zstd", "gzip", "crc32c"})
_ASK_FOR_ANOTHER: Final = "Capture the text again, or ask whoever made it for a whole copy."


def damaged(reason: str) -> InvalidCapture:
    """The error for a capture that is one but cannot be used."""
    return InvalidCapture(reason, _ASK_FOR_ANOTHER)


def read_document(path: Path) -> dict[str, object]:
    """The JSON object in the file `path`."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_DOCUMENT + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise damaged(f"{path} is missing") from error
    if len(content) > _LARGEST_DOCUMENT:
        raise damaged(f"{path} is too large to be metadata")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise damaged(f"{path} is not JSON") from error
    if not isinstance(document, dict):
        raise damaged(f"{path} does not hold a JSON object")
    return document


def read_attributes(directory: Path) -> dict[str, object]:
    """The attributes of the group in `directory`."""
    path = directory / DOCUMENT
    document = read_document(path)
    if document.get("zarr_format") != 3 or document.get("node_type") != "group":
        raise damaged(f"{path} does not describe a Zarr v3 group")
    return _mapping({"attributes": {}} | document, "attributes", str(path))


def is_capture(directory: Path) -> bool:
    """Whether a directory is recognisably a capture, whole or damaged, of any format."""
    try:
        return ATTRIBUTE in read_attributes(directory)
    except (InvalidCapture, OSError):
        return False


def check_is_capture(path: Path) -> None:
    """Raise `NotFound` where nothing is at `path`, `InvalidCapture` where it is no capture."""
    make_one = "Make a capture with `rnnviz capture RUN TEXT --out X.zarr`."
    if not path.exists():
        raise NotFound(f"there is no capture {path}", f"Look for a mistyped name. {make_one}")
    if not path.is_dir():
        raise InvalidCapture(f"{path} is a file; a capture is a directory", make_one)
    if (path / "run.json").is_file():
        out = free_name(path.resolve().name)
        raise InvalidCapture(
            f"{path} is a run, not a capture",
            f"Capture it: {join(['rnnviz', 'capture', str(path), '--out', out])}",
        )
    if not (path / DOCUMENT).exists():
        raise InvalidCapture(f"{path} is no capture: it has no {DOCUMENT}", make_one)
    if ATTRIBUTE not in read_attributes(path):
        raise InvalidCapture(f"{path} is a Zarr group but not a capture", make_one)


def read_schema(directory: Path) -> tuple[CaptureSchema, bool]:
    """What a capture's groups say it holds, and whether they say that it is complete.

    The arrays are not looked at: see `check_array`.
    """
    where = str(directory / DOCUMENT)
    root = _mapping(read_attributes(directory), ATTRIBUTE, where)
    format_number = _integer(root, "format", 1, MOST_SYMBOLS, where)
    if format_number != FORMAT:
        raise InvalidCapture(
            f"{directory} has capture format {format_number}; this rnnviz reads format {FORMAT}",
            "Update rnnviz: `pip install --upgrade rnnviz`.",
        )
    complete = root.get("complete")
    if not isinstance(complete, bool):
        raise damaged(f"{where} does not say whether the capture is complete")
    text = _mapping(root, "text", where)
    names = root.get("models")
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_MODELS:
        raise damaged(f"{where} lists no models")
    for name in names:
        if not isinstance(name, str) or not MODEL_NAME.fullmatch(name):
            raise damaged(f"{where} names a model {ascii(name)[:60]}")
    if len(set(names)) != len(names):
        raise damaged(f"{where} names a model twice")
    models = tuple(_read_model(directory / "models" / name) for name in names)
    rows = sum(model.layers * model.hidden * len(model.signals) for model in models)
    if rows > MOST_ROWS:
        raise damaged(f"{where}: {rows} rows of signals are more than a capture can hold")
    unit = _unit(text, where)
    if any((model.tokens is None) != (unit == "byte") for model in models):
        raise damaged(f"{where}: the models' symbols are not the text's")
    schema = CaptureSchema(
        symbols=_integer(root, "symbols", 1, MOST_SYMBOLS, where),
        segments=_segment_count(directory),
        text_name=_name(text, "name", where),
        text_sha256=_name(text, "sha256", where),
        part=_name(text, "part", where),
        models=models,
        generator=_name(root, "generator", where),
        options=_mapping(root, "options", where),
        unit=unit,
        token_bytes=0 if unit == "byte" else _integer(text, "bytes", 1, MOST_SYMBOLS, where),
        recipe=_mapping({"recipe": {}} | root, "recipe", where),
    )
    return schema, complete


def check_array(directory: Path, array: ArraySchema) -> None:
    """Refuse an array that is not of the shape, type and dimensions the schema gives it, that would take much
    memory to read a piece of, or that is encoded in a way that is not known."""
    where = str(directory / array.path / DOCUMENT)
    document = read_document(directory / array.path / DOCUMENT)
    expected: dict[str, object] = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(array.shape),
        "data_type": array.dtype,
        "dimension_names": list(array.dimensions),
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
    }
    for key, value in expected.items():
        if document.get(key) != value:
            raise damaged(f"{where}: {key} is {ascii(document.get(key))[:60]}, not {value!a}")
    if document.get("storage_transformers", []) != []:
        raise damaged(f"{where} asks for storage transformers")
    grid = _mapping(document, "chunk_grid", where)
    if grid.get("name") != "regular":
        raise damaged(f"{where}: the chunks are not a regular grid")
    outer = _chunk_shape(_mapping(grid, "configuration", where), array, where)
    inner = _check_codecs(document.get("codecs"), array, where)
    item = ITEM_BYTES[array.dtype]
    if inner is None:
        if math.prod(outer) * item > _LARGEST_CHUNK:
            raise damaged(f"{where}: chunks of {list(outer)} are too large")
        return
    if math.prod(inner) * item > _LARGEST_CHUNK or math.prod(outer) * item > _LARGEST_SHARD:
        raise damaged(f"{where}: chunks of {list(inner)} in shards of {list(outer)} are too large")
    if any(size % part for size, part in zip(outer, inner, strict=True)):
        raise damaged(f"{where}: shards of {list(outer)} are not made of whole chunks of {list(inner)}")
    if math.prod(outer) // math.prod(inner) > _MOST_CHUNKS_IN_SHARD:
        raise damaged(f"{where}: there are too many chunks in a shard")


def file_shape(directory: Path, array: ArraySchema) -> tuple[int, ...]:
    """The shape of one file of a checked array."""
    document = read_document(directory / array.path / DOCUMENT)
    grid = _mapping(document, "chunk_grid", array.path)
    return _chunk_shape(_mapping(grid, "configuration", array.path), array, array.path)


def _read_model(directory: Path) -> ModelSchema:
    where = str(directory / DOCUMENT)
    attributes = read_attributes(directory)
    tokens = _tokens(attributes["tokens"], where) if "tokens" in attributes else None
    vocabulary = _vocabulary(attributes.get("vocabulary"), where) if tokens is None else b""
    signals = attributes.get("signals")
    if not isinstance(signals, list) or not all(type(signal) is str for signal in signals):
        raise damaged(f"{where}: the signals are not a list of names")
    unknown = [signal for signal in signals if signal not in SIGNALS]
    if unknown or len(set(signals)) != len(signals):
        raise damaged(f"{where}: the signals {ascii(signals)[:60]} are not known")
    layers = _integer(attributes, "layers", 0, MOST_LAYERS, where)
    hidden = _integer(attributes, "hidden", 1 if layers else 0, MOST_UNITS, where)
    if bool(layers) != bool(signals):
        raise damaged(f"{where}: layers and signals do not fit each other")
    has_next, has_surprisal = attributes.get("next"), attributes.get("surprisal")
    if not isinstance(has_next, bool) or not isinstance(has_surprisal, bool):
        raise damaged(f"{where} does not say whether there are predictions")
    if not (layers or has_next or has_surprisal):
        raise damaged(f"{where} says that nothing of the model is there")
    return ModelSchema(
        name=directory.name,
        kind=_name(attributes, "kind", where),
        vocabulary=vocabulary,
        layers=layers,
        hidden=hidden,
        signals=tuple(signals),
        next=has_next,
        run=_mapping(attributes, "run", where),
        tokens=tokens,
        surprisal=has_surprisal,
        place=_place(attributes.get("place")),
    )


def _place(value: object) -> str | None:
    """A relative path; None for anything else, because a place only helps to find something."""
    return value if isinstance(value, str) and is_portable(value) else None


def _vocabulary(value: object, where: str) -> bytes:
    if not isinstance(value, list) or not 1 <= len(value) <= 256:
        raise damaged(f"{where}: the vocabulary is not a list of 1 to 256 bytes")
    if not all(type(item) is int and 0 <= item <= 255 for item in value):
        raise damaged(f"{where}: the vocabulary holds something that is no byte")
    if len(set(value)) != len(value):
        raise damaged(f"{where}: the vocabulary holds a byte twice")
    return bytes(value)


def _tokens(value: object, where: str) -> tuple[str, ...]:
    """Strings that may hold any character: whoever shows them makes them visible."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_TOKENS:
        raise damaged(f"{where}: the tokens are not a list of 1 to {MOST_TOKENS} strings")
    if not all(type(item) is str and len(item) <= LONGEST_TOKEN for item in value):
        raise damaged(f"{where}: the tokens hold something that is no string, or a very long one")
    if len(set(value)) != len(value):
        raise damaged(f"{where}: the tokens hold a string twice")
    return tuple(value)


def _unit(text: Mapping[str, object], where: str) -> SymbolUnit:
    unit = text.get("unit", "byte")
    if not isinstance(unit, str) or unit not in SYMBOL_UNITS:
        raise damaged(f"{where}: the unit {ascii(unit)[:60]} is not known")
    return SYMBOL_UNITS[SYMBOL_UNITS.index(unit)]


def _segment_count(directory: Path) -> int:
    where = str(directory / "segments" / DOCUMENT)
    shape = read_document(directory / "segments" / DOCUMENT).get("shape")
    if not isinstance(shape, list) or len(shape) != 2:
        raise damaged(f"{where}: the segments are not a table")
    return _integer({"shape": shape[0]}, "shape", 1, MOST_SEGMENTS, where)


def _mapping(holder: Mapping[str, object], key: str, where: str) -> dict[str, object]:
    value = holder.get(key)
    if not isinstance(value, dict):
        raise damaged(f"{where} has no {key}")
    return value


def _integer(holder: Mapping[str, object], key: str, least: int, most: int, where: str) -> int:
    value = holder.get(key)
    if type(value) is not int or not least <= value <= most:
        raise damaged(f"{where}: {key} is {ascii(value)[:60]}, not a number from {least} to {most}")
    return value


def _name(holder: Mapping[str, object], key: str, where: str) -> str:
    """A string that is safe to print: no control, bidirectional or other unprintable character."""
    value = holder.get(key)
    if not isinstance(value, str) or len(value) > 4096 or not value.isprintable():
        raise damaged(f"{where}: {key} is {ascii(value)[:60]}, not a printable string")
    return value


def _chunk_shape(configuration: Mapping[str, object], array: ArraySchema, where: str) -> tuple[int, ...]:
    shape = configuration.get("chunk_shape")
    if (
        not isinstance(shape, list)
        or len(shape) != len(array.shape)
        or not all(type(size) is int and 1 <= size <= MOST_SYMBOLS for size in shape)
    ):
        raise damaged(f"{where}: the chunk shape is {ascii(shape)[:60]}")
    return tuple(shape)


def _check_codecs(codecs: object, array: ArraySchema, where: str) -> tuple[int, ...] | None:
    """The inner chunk shape where the array is sharded, None where it is not."""
    names = _codec_names(codecs, where)
    assert isinstance(codecs, list)
    if names != ["sharding_indexed"]:
        _refuse_unknown(names, where)
        return None
    configuration = _mapping(codecs[0], "configuration", where)
    _refuse_unknown(_codec_names(configuration.get("codecs"), where), where)
    _refuse_unknown(_codec_names(configuration.get("index_codecs"), where), where)
    return _chunk_shape(configuration, array, where)


def _codec_names(codecs: object, where: str) -> list[object]:
    if not isinstance(codecs, list) or not codecs or not all(isinstance(codec, dict) for codec in codecs):
        raise damaged(f"{where}: the codecs are not a list")
    return [codec.get("name") for codec in codecs]


def _refuse_unknown(names: list[object], where: str) -> None:
    for name in names:
        if name not in _CODECS:
            raise damaged(f"{where}: the codec {ascii(name)[:60]} is not known")
