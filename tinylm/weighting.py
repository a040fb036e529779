"""How much each text should count: the weights with which the texts together foretell a held-out part of the first one best.

Knows counts of words and pairs; trains nothing and knows no bytes. What is judged is pooled counts, because training pools
lines: with w[i] the weight of text i, c[i] its counts, n[i] its words, h the word before x and M = STRENGTH

    p(x | h) = (sum w[i] c[i](h x) + M p(x)) / (sum w[i] c[i](h) + M),    p(x) = sum w[i] c[i](x) / sum w[i] n[i]

So a small text that is repeated too often is found out: its pairs become too sure of themselves on lines that it has not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from tinylm.preparation import Source, WeightedText

HELD_OUT_EVERY = 10  # every tenth line of the first text judges; it is learned all the same when training begins
MOST_JUDGES = 5_000  # lines
STRENGTH = 200.0  # words that a context's pairs are mixed with; 10 to 1,000 give the same weights to a tenth
CAUTION = 0.5  # the power of the weights that fit best: a person types other things too (docs/EXPERIMENTS.md)
PRIOR_WORDS = 100.0  # a weight of 1 is worth so many judging words: a handful of lines decides little
LEAST_WEIGHT, MOST_WEIGHT = 0.1, 10.0
STEPS = 300
_START = ""  # the word before a line's first


@dataclass(frozen=True)
class Weighing:
    """What was found. `words` and `weights`: of each text; `lines`: how many lines of the first one judged."""

    words: tuple[int, ...]
    weights: tuple[float, ...]
    lines: int


@dataclass(frozen=True)
class Evidence:
    """Of each judging word x after h, and each text i: float64 [words, texts]. `sizes`: words of each text [texts]."""

    pairs: np.ndarray  # c[i](h x)
    words: np.ndarray  # c[i](x)
    contexts: np.ndarray  # c[i](h), as often as a word follows it
    sizes: np.ndarray


def find_weights(
    texts: Sequence[Sequence[Path]],
    alphabet: str,
    held_out: Sequence[Path] = (),
    progress: Callable[[int], None] | None = None,
    left_out: frozenset[str] = frozenset(),
) -> Weighing:
    """A weight for each text (of one or more files), LEAST_WEIGHT to MOST_WEIGHT; together they keep the number of words.

    Lines of `held_out`, and those with a word of `left_out`, take no part. The same texts give the same weights.
    """
    files = [(number, path) for number, paths in enumerate(texts) for path in paths]
    source = Source(tuple(WeightedText(path) for _, path in files), alphabet, tuple(held_out), left_out)
    judges = _choose_judges(source, sum(1 for number, _ in files if number == 0))
    evidence = count_evidence(source, [number for number, _ in files], len(texts), judges, progress)
    weights = balance(fit_weights(evidence) ** CAUTION, evidence.sizes)
    sizes = evidence.sizes.astype(int)
    sizes[0] += sum(map(len, judges.values()))
    return Weighing(tuple(sizes.tolist()), tuple(round_weight(w) for w in weights), len(judges))


def _choose_judges(source: Source, files: int) -> dict[int, list[str]]:
    """Number of the line -> its words, of every tenth line of the first text, which is the first `files` of the source."""
    first = replace(source, texts=source.texts[:files])
    tenth = [(i, words) for i, (_, words) in enumerate(first.lines()) if i % HELD_OUT_EVERY == HELD_OUT_EVERY - 1]
    return dict(tenth[:: -(-len(tenth) // MOST_JUDGES) or 1])


def count_evidence(
    source: Source,
    text_of_file: Sequence[int],
    texts: int,
    judges: dict[int, list[str]],
    progress: Callable[[int], None] | None = None,
) -> Evidence:
    """Count what the judging lines ask for in all other lines. Memory grows with the judges, not with the texts."""
    asked = [pair for words in judges.values() for pair in pairwise((_START, *words))]
    place = {pair: i for i, pair in enumerate(dict.fromkeys(asked))}
    words_asked = {word for pair in asked for word in pair}
    pairs = [Counter() for _ in range(texts)]
    words = [Counter() for _ in range(texts)]
    contexts = [Counter() for _ in range(texts)]
    sizes = np.zeros(texts)
    for number, (file, line) in enumerate(source.numbered_lines(progress)):
        if number in judges:
            continue
        text = text_of_file[file]
        sizes[text] += len(line)
        words[text].update(w for w in line if w in words_asked)
        before = (_START, *line[:-1])
        contexts[text].update(w for w in before if w in words_asked)
        pairs[text].update(pair for pair in zip(before, line) if pair in place)

    def table(counters: list[Counter], keys: Sequence) -> np.ndarray:
        return np.array([[counter[key] for counter in counters] for key in keys], np.float64).reshape(-1, texts)

    known = [pair for pair in asked if any(counter[pair[1]] for counter in words)]
    return Evidence(
        table(pairs, known), table(words, [x for _, x in known]), table(contexts, [h for h, _ in known]), sizes
    )


def log_likelihood(evidence: Evidence, weights: np.ndarray) -> float:
    """Nats of the judging words, and of the prior: what `fit_weights` makes as large as it can."""
    one = evidence.words @ weights / (evidence.sizes @ weights)
    whole = (evidence.pairs @ weights + STRENGTH * one) / (evidence.contexts @ weights + STRENGTH)
    return float(np.log(whole).sum() + PRIOR_WORDS * (np.log(weights) - weights).sum())


def fit_weights(evidence: Evidence) -> np.ndarray:
    """The weights of greatest likelihood, by steps each of which raises it (minorize-maximize: Hunter 2004, Annals of
    Statistics 32: a sum inside a logarithm is shared out by Jensen's inequality, a sum in a denominator is replaced by its tangent).
    """
    weights = np.ones(len(evidence.sizes))
    if not len(evidence.pairs):  # no text has a word of the judges
        return weights
    for _ in range(STEPS):
        pair, word = evidence.pairs @ weights, evidence.words @ weights
        whole = pair + STRENGTH * word / (evidence.sizes @ weights)
        backed_off = 1.0 - pair / whole
        credit = (evidence.pairs / whole[:, None]).sum(0) + (evidence.words * (backed_off / word)[:, None]).sum(0)
        debit = (evidence.contexts / (evidence.contexts @ weights + STRENGTH)[:, None]).sum(0)
        debit += evidence.sizes * backed_off.sum() / (evidence.sizes @ weights)
        new = (weights * credit + PRIOR_WORDS) / (debit + PRIOR_WORDS)
        done = np.abs(np.log(new / weights)).max() < 1e-4
        weights = new
        if done:
            break
    return weights


def balance(weights: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Scaled so that the weighted texts have as many words as the texts, then held within the bounds."""
    return np.clip(weights * sizes.sum() / max(weights @ sizes, 1e-9), LEAST_WEIGHT, MOST_WEIGHT)


def round_weight(weight: float) -> float:
    """Two digits: more would pretend to know."""
    return float(f"{weight:.2g}")
