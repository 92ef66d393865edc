"""How the installed KenLM was built.

KenLM fixes the greatest order of its models when it is compiled (`MAX_ORDER`, 6 unless set). What the paper calls
a 20-gram conditions on 20 symbols, so its model has order 21. The Python module does not tell its order, but the
size of its state does: a state holds MAX_ORDER - 1 words and as many back-offs, four bytes each, and its length.
"""

from __future__ import annotations

from importlib.util import find_spec


def greatest_order() -> int | None:
    """The greatest order of model that the installed KenLM reads, or None where KenLM is not installed."""
    if find_spec("kenlm") is None:
        return None
    import kenlm

    size: int = kenlm.State.__basicsize__ - object.__basicsize__
    return size // 8
