"""How the installed KenLM was built.

KenLM fixes the greatest order of its models when it is compiled (`MAX_ORDER`, 6 unless set). What the paper calls
a 20-gram conditions on 20 symbols, so its model has order 21. The Python module does not tell its order, but the
size of its state does: a state holds MAX_ORDER - 1 words and as many back-offs, four bytes each, and its length.
"""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec

from rnnviz.store.errors import Unavailable

NEEDED_ORDER = 21


def greatest_order() -> int | None:
    """The greatest order of model that the installed KenLM reads, or None where KenLM is not installed."""
    if find_spec("kenlm") is None:
        return None
    import kenlm

    size: int = kenlm.State.__basicsize__ - object.__basicsize__
    return size // 8


def refuse_small_kenlm(order: int, greatest: int | None) -> None:
    """Raise Unavailable unless KenLM is there and reads models of `order`, given its `greatest_order()`."""
    if greatest is None:
        raise Unavailable(
            "KenLM, which scores with n-gram models, is not installed",
            f"It compiles on Python 3.11 and 3.12; there: {rebuild_command(order)}",
        )
    if greatest < order:
        raise Unavailable(
            f"the installed KenLM was built for models up to order {greatest}, and n = {order - 1} needs {order}",
            f"Build it anew: {rebuild_command(order)}",
        )


def rebuild_command(order: int = NEEDED_ORDER) -> str:
    """The exact command that builds KenLM anew for models of `order`, and for NEEDED_ORDER in any case.

    pip's wheel cache ignores MAX_ORDER.
    """
    python = shlex.quote(sys.executable)
    return (
        f"MAX_ORDER={max(order, NEEDED_ORDER)} {python} -m pip install --force-reinstall --no-deps --no-cache-dir "
        "'kenlm>=0.3,<0.4'"
    )
