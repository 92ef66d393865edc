"""Capturing: a model reads a text, and every signal of every unit goes to disk.

Zero state at the start of each segment, dropout off, symbols one after the other. `blocks` has the order of the
work, `ahead` and `reading` the computation, `rnnviz.store.writer` the disk. Memory is bounded by one block (two of a
chain), the columns that wait to be written and the states read ahead. The same run, text, options, machine and
number of threads give the same bytes on disk, interrupted or not.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import Final, Literal

import torch

from rnnviz.engine.capture.block_reader import BlockReader
from rnnviz.engine.capture.plan import Block, Plan, chain, plan
from rnnviz.engine.capture.read_ahead import ReadAhead
from rnnviz.engine.capture.run_stream import source_of
from rnnviz.engine.models.kinds.registry import KINDS
from rnnviz.engine.models.parallel_readers import Readers
from rnnviz.engine.models.recurrent import RecurrentModel
from rnnviz.engine.progress import Progress
from rnnviz.engine.runs.run import MODEL_FILE, Run
from rnnviz.engine.symbols.byte_vocabulary import Vocabulary
from rnnviz.engine.symbols.token_vocabulary import TokenVocabulary
from rnnviz.engine.text.segments import CapturedPart, Segments, Source
from rnnviz.engine.text.text import Text
from rnnviz.store.errors import InvalidRequest, InvalidRun
from rnnviz.store.portable_path import portable_path
from rnnviz.store.schema import CaptureSchema, ModelSchema, model_name
from rnnviz.store.writer import CaptureWriter, create_capture, resume_capture

BLOCK_BYTES: Final = 128 << 20
"""What the values of a block take if they can."""
MOST_BLOCK_BYTES: Final = 640 << 20
"""What they take at most, where a batch worth the while needs more."""
STATE_BYTES: Final = 128 << 20
"""What the states read ahead may take, roughly."""
CPU_TOGETHER: Final = 50
CUDA_TOGETHER: Final = 128
"""Pieces that make a batch worth the while, on a CPU for each reader: one with 8 streams takes 3 times as long a symbol
as one with 50 (1×64; 3×241 1.3 times) where the steps are not compiled. Where they are, 6 would do; but with smaller
blocks captures of 3×241 reached 0.38 to 0.40 of bare inference, and 0.43 to 0.49 with these. On a GPU a step is launch
latency, whatever the batch."""
COLUMNS: Final = 4
"""That are written at once. After the last of its files a thread has nothing to do until the others are done, too."""
UNCUT: Final = 16
COMPILED_UNCUT: Final = 3
"""Segments are not cut as long as so many of them lie in the largest block, of compiled steps for each reader: reading
ahead costs as much as reading them in batches that small."""
FEW_SEGMENTS: Final = 8
"""Fewer segments than this are cut, if they can be: alone, a stream takes 3 (3×241) to 14 times (1×64) as long a
symbol as among fifty, where the steps are not compiled. Where they are, a single segment is chained: read ahead and
then once more side by side it would take longer on two cores, and on many cores no less."""

Predictions = Literal["all", "surprisal", "none"]
"""What is kept of a model's predictions: the whole distribution after each symbol, only the surprisal, or nothing."""


def capture(
    run: Run,
    text: Text,
    target: Path,
    *,
    part: CapturedPart = "all",
    signals: Sequence[str] | None = None,
    streams: int | None = None,
    first: int | None = None,
    replace_unknown: bool = False,
    force: bool = False,
    resume: bool = False,
    device: torch.device | None = None,
    predictions: Predictions = "all",
    recipe: Mapping[str, object] | None = None,
) -> Generator[Progress, None, None]:
    """Capture a part of a text (see `segments_of`) at `target`, yielding how many symbols are behind.

    `signals` are the names to keep, all of the model's kind where None. Of the model's predictions, `all` keeps
    the probability of every symbol of the vocabulary, `surprisal` only that of the one that came, `none` neither.
    Bytes (of a model over tokens: characters, words) that the model has never seen are refused, or with
    `replace_unknown` read as a symbol it knows: see `Source`. The text then keeps them, and what is predicted of them
    is NaN. `resume` goes on with an incomplete capture of the same, does nothing for a complete one, and begins where
    there is none. `recipe` is kept in the capture, see `rnnviz.store.schema`.

    Raises InvalidRequest, InvalidText, InvalidRun, AlreadyExists before anything is written; InvalidRequest
    for a `resume` of something else; StorageFailure where the disk refuses, with what is there still valid.
    """
    model = load_model(run, device)
    schema_of_model = placed(model_schema(run, signals, predictions), run.path, target)
    source, unknown = yield from source_of(
        run, text, part, streams, first=first, replace_unknown=replace_unknown
    )
    segments, read_as = source.segments, source.read_as if unknown else None
    schema = CaptureSchema(
        symbols=segments.symbols,
        segments=len(segments.table),
        text_name=text.name,
        text_sha256=text.sha256(),
        part=part,
        models=(schema_of_model,),
        generator=f"rnnviz {version('rnnviz')}",
        options={
            "streams": streams,
            **({} if first is None else {"first": first}),
            "unknown": {"symbols": unknown, "read_as": read_as},
        },
        unit=source.unit,
        token_bytes=0 if source.unit == "byte" else sum(map(len, source.text())),
        recipe=recipe or {},
    )
    with _open_writer(target, schema, source, force=force, resume=resume) as writer:
        yield from record(model, source, segments, writer)


def load_model(run: Run, device: torch.device | None) -> RecurrentModel:
    """The run's model, on the CPU where None. Raises InvalidRun, also for weights that are no numbers, and
    InvalidRequest for what is no recurrent model."""
    model = run.model(device or torch.device("cpu"))
    if not all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
        raise InvalidRun(f"{run.path} has weights that are no numbers", "Train it again, with a lower rate.")
    return model


def record(
    model: RecurrentModel, source: Source, segments: Segments, writer: CaptureWriter
) -> Iterator[Progress]:
    """Read the segments from where the writer is to their end, and finish it. The writer's one model is `model`."""
    yield Progress(writer.captured, writer.schema.symbols)
    if not writer.complete:
        with Readers(model) as readers:
            work = _plan(readers, segments, writer.schema)
            yield from (_record_chained if work.chained else _record)(readers, source, work, writer)
            writer.finish()


def _record(readers: Readers, source: Source, work: Plan, writer: CaptureWriter) -> Iterator[Progress]:
    total = writer.schema.symbols
    reader = BlockReader(readers, source, writer.schema, work.longest)
    for group in work.groups:
        if group.stop <= writer.position:
            continue
        ahead = ReadAhead(readers, source, group, work.piece)
        read = 0
        for symbols in ahead.read():
            read += symbols
            yield Progress(writer.position, total, f"reading ahead, {read / ahead.symbols:.0%}")
        for block in group.blocks:
            if block.stop <= writer.position:
                continue
            done = block.start
            for symbols in reader.read(block, ahead):
                done += symbols
                yield Progress(max(done, writer.position), total)
            for _ in _write(reader, block, writer):
                yield Progress(block.stop, total)


def _write(reader: BlockReader, block: Block, writer: CaptureWriter) -> Iterator[None]:
    """Write what the writer lacks of the block that was read last, some columns at a time."""
    step = COLUMNS * writer.schema.column
    for start in range(writer.position, block.stop, step):
        stop = min(start + step, block.stop)
        writer.append(reader.values(start - block.start, stop - block.start))
        yield


def _record_chained(
    readers: Readers, source: Source, work: Plan, writer: CaptureWriter
) -> Iterator[Progress]:
    """The same for a single segment. One thread reads it; meanwhile what it read before is written.

    What an interrupted process has written is read once more, block by block as it did, to come to the same state to
    the last bit.
    """
    total, written = writer.schema.symbols, writer.position
    (group,) = work.groups
    ahead = ReadAhead(readers, source, group, work.piece)
    reader, other = (BlockReader(readers, source, writer.schema, work.longest) for _ in range(2))
    with ThreadPoolExecutor(1, "rnnviz-chain") as behind:
        writing: Future[None] | None = None
        for block in group.blocks:
            done = block.start
            for symbols in reader.read(block, ahead):
                done += symbols
                again = f"reading again, {done / written:.0%}" if done < written else ""
                yield Progress(max(done, written), total, again)
                if writing and writing.done():
                    writing.result()  # raises what the disk refused, at once
            ahead.keep(block.pieces[0], reader.after)
            if writing:
                writing.result()
            if block.stop > written:
                writing = behind.submit(_exhaust, _write(reader, block, writer))
            reader, other = other, reader
        if writing:
            writing.result()


def _exhaust(work: Iterator[None]) -> None:
    for _ in work:
        pass


def placed(schema: ModelSchema, directory: Path, capture: Path) -> ModelSchema:
    """The schema of a model that lies in a directory, for the capture at a path."""
    return replace(schema, place=portable_path(directory, capture))


def model_schema(run: Run, signals: Sequence[str] | None, predictions: Predictions = "all") -> ModelSchema:
    """How a capture describes the run's model. Raises InvalidRequest for signals that its kind does not have."""
    config = run.config
    known = KINDS[config.kind].signal_names
    wanted = known if signals is None else tuple(signals)
    if not wanted or not set(wanted) <= set(known) or len(set(wanted)) != len(wanted):
        raise InvalidRequest(
            f"the signals {','.join(wanted)!r} are not those of {config.kind} layers, each at most once",
            f"{config.kind} layers have {', '.join(known)}.",
        )
    provenance = {
        "name": run.name,
        "weights": _sha256(run.path / MODEL_FILE),
        "parameters": sum(prod(shape) for shape in run.parameter_shapes().values()),
        **_origin(run),
        "validation_loss": run.best.validation if run.best else None,
        "test_loss": run.test.loss if run.test else None,
    }
    return ModelSchema(
        name=model_name(run.name),
        kind=config.kind,
        vocabulary=run.vocabulary.symbols if isinstance(run.vocabulary, Vocabulary) else b"",
        tokens=run.vocabulary.tokens if isinstance(run.vocabulary, TokenVocabulary) else None,
        layers=config.layers,
        hidden=config.hidden,
        signals=tuple(signal for signal in known if signal in wanted),
        next=predictions == "all",
        surprisal=predictions != "none",
        run=provenance,
    )


def _origin(run: Run) -> dict[str, object]:
    """What the model was made from."""
    if run.text is None:
        return {"source": asdict(run.source) if run.source else None}
    return {
        "text": {"name": run.text.name, "sha256": run.text.sha256, "length": run.text.length},
        "split": run.config.split.shares,
        "streams": run.config.split.streams,
        "unroll": run.config.split.unroll,
        "dropout": run.config.dropout,
        "epochs": len(run.history),
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plan(readers: Readers, segments: Segments, schema: CaptureSchema) -> Plan:
    lengths = segments.lengths
    enough = max(1, BLOCK_BYTES // schema.bytes_per_symbol)
    most = max(1, MOST_BLOCK_BYTES // schema.bytes_per_symbol)
    if len(lengths) == 1 and readers.quick_alone:
        return chain(lengths[0], min(schema.column, most))
    together = CUDA_TOGETHER if readers.device.type == "cuda" else CPU_TOGETHER * len(readers)
    state_bytes = sum(part.numel() * part.element_size() for part in readers.model.zero_state(1))
    piece = min(most, max(enough // together, sum(lengths) * state_bytes // STATE_BYTES, 1))
    in_block = COMPILED_UNCUT * len(readers) if readers.quick_alone else UNCUT
    uncut = max(piece, most // in_block) if len(lengths) >= FEW_SEGMENTS else piece
    return plan(lengths, enough=enough, most=most, together=together, piece=piece, uncut=uncut)


def _open_writer(
    target: Path, schema: CaptureSchema, source: Source, *, force: bool, resume: bool
) -> CaptureWriter:
    table = source.table()
    if resume and target.exists():
        return resume_capture(target, schema, table)
    _refuse_full_disk(target, schema)
    after = source.segments.after
    return create_capture(target, schema, source.text(), table, after, ends=source.ends(), force=force)


def _refuse_full_disk(target: Path, schema: CaptureSchema) -> None:
    """Raise InvalidRequest where the predictions alone are more than the disk has room for."""
    (model,) = schema.models
    if not model.next:
        return
    place = next((parent for parent in target.resolve().parents if parent.exists()), Path("/"))
    size, free = 2 * model.vocabulary_size * schema.symbols, shutil.disk_usage(place).free
    if size > free:
        raise InvalidRequest(
            f"the predictions of {model.vocabulary_size:,} symbols at each of {schema.symbols:,} would take "
            f"{size / 1e9:,.1f} GB, and the disk has {free / 1e9:,.1f} GB free",
            "Give --predictions surprisal to keep only the surprisal of each symbol.",
        )
