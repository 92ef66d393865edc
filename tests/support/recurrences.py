"""The paper's recurrences step by step in float64, in plain NumPy and independent of the engine's code."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def lstm_step(x: Array, h: Array, c: Array, w: Mapping[str, Array]) -> dict[str, Array]:
    i, f, g, o = np.split(x @ w["ih"].T + w["bih"] + h @ w["hh"].T + w["bhh"], 4, axis=-1)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
    c = f * c + i * g
    return {"c": c, "h": o * np.tanh(c), "i": i, "f": f, "o": o, "g": g}


def gru_step(x: Array, h: Array, w: Mapping[str, Array]) -> dict[str, Array]:
    W_r, W_z, W_x = np.split(w["ih"], 3)
    U_r, U_z, W_g = np.split(w["hh"], 3)
    b_r, b_z, b_n = np.split(w["bih"] + w["bhh"], 3)
    r = sigmoid(x @ W_r.T + h @ U_r.T + b_r)
    z = sigmoid(x @ W_z.T + h @ U_z.T + b_z)
    n = np.tanh(x @ W_x.T + (r * h) @ W_g.T + b_n)
    return {"h": (1 - z) * h + z * n, "r": r, "z": z, "n": n}


def torch_gru_step(x: Array, h: Array, w: Mapping[str, Array]) -> dict[str, Array]:
    """PyTorch's documentation of `torch.nn.GRU`."""
    x_r, x_z, x_n = np.split(x @ w["ih"].T + w["bih"], 3, axis=-1)
    h_r, h_z, h_n = np.split(h @ w["hh"].T + w["bhh"], 3, axis=-1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    return {"h": (1 - z) * n + z * h, "r": r, "z": z, "n": n}


def rnn_step(x: Array, h: Array, w: Mapping[str, Array]) -> dict[str, Array]:
    return {"h": np.tanh(x @ w["ih"].T + w["bih"] + h @ w["hh"].T + w["bhh"])}


def run(
    kind: str, parameters: Mapping[str, Array], layers: int, symbols: NDArray[np.int64]
) -> tuple[list[dict[str, Array]], Array]:
    """All signals of every layer, [time, batch, H] each, and the logits, from zero state."""
    x = np.eye(parameters["decoder.weight"].shape[0])[symbols]
    batch, hidden = symbols.shape[1], parameters["decoder.weight"].shape[1]
    results = []
    for layer in range(layers):
        names = {"ih": "weight_ih", "hh": "weight_hh", "bih": "bias_ih", "bhh": "bias_hh"}
        w = {short: parameters[f"rnn.{name}_l{layer}"] for short, name in names.items()}
        h, c = np.zeros((batch, hidden)), np.zeros((batch, hidden))
        steps: list[dict[str, Array]] = []
        for x_t in x:
            if kind == "lstm":
                steps.append(lstm_step(x_t, h, c, w))
                c = steps[-1]["c"]
            elif kind == "gru":
                steps.append(gru_step(x_t, h, w))
            elif kind == "gru-torch":
                steps.append(torch_gru_step(x_t, h, w))
            else:
                steps.append(rnn_step(x_t, h, w))
            h = steps[-1]["h"]
        results.append({name: np.stack([step[name] for step in steps]) for name in steps[0]})
        x = results[-1]["h"]
    return results, x @ parameters["decoder.weight"].T + parameters["decoder.bias"]
