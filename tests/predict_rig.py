"""Builds and talks to tests/c/predict/probe.c: the C of firmware/predict with a stand-in network, sanitizers on."""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path

from tinylm.lexicon import PackedLexicon
from tinylm.ngram import PackedNgram
from tinylm.resources import firmware_dir

SOURCES = (
    "tlm_engine",
    "tlm_line",
    "tlm_lexicon",
    "tlm_list",
    "tlm_lse",
    "tlm_mixture",
    "tlm_memory",
    "tlm_taught",
    "tlm_bits",
    "tlm_ngram",
    "tlm_suggest_words",
    "tlm_suggest_spelling",
    "tlm_suggest_ngram",
    "tlm_suggest_mixture",
    "tlm_words",
    "tlm_passed",
)
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")


def predict_arguments(sizes: Path = Path(__file__).parent / "c" / "predict") -> list[str]:
    """Include folders and sources of the typing engine."""
    firmware = firmware_dir()
    folders = (sizes, firmware / "include", firmware / "port" / "mapped", firmware / "predict")
    return [f"-I{folder}" for folder in folders] + [str(firmware / "predict" / f"{name}.c") for name in SOURCES]


def build_probe(folder: Path, *defines: str) -> Path:
    """Compile the probe into `folder`."""
    program = folder / "probe"
    probe = Path(__file__).parent / "c" / "predict" / "probe.c"
    sanitizers = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    subprocess.run(
        ["cc", "-std=c99", *WARNINGS, *sanitizers, *defines, *predict_arguments(), str(probe), "-o", str(program)],
        check=True,
    )
    return program


def render_language(packed: PackedLexicon, model_hash: int) -> tuple[bytes, tuple[int, int, int]]:
    """A language of nothing but the lexicon, and where its index, stream and codes are.

    The stream comes last and nothing follows it: a read past its end is one past the language's.
    """
    sections = (("index", packed.index), ("codes", packed.codes), ("stream", packed.stream))
    language, places = _render(sections, model_hash)
    return language, (places["index"], places["stream"], places["codes"])


def _render(sections: tuple[tuple[str, bytes], ...], model_hash: int) -> tuple[bytes, dict[str, int]]:
    content, places = b"", {}
    for name, section in sections:
        content += bytes(-len(content) % 4)
        places[name] = 16 + len(content)
        content += section
    head = b"TLM2" + (16 + len(content)).to_bytes(4, "little")
    head += zlib.crc32(content).to_bytes(4, "little") + model_hash.to_bytes(4, "little")
    return head + content, places


class Probe:
    """A running probe; every question is a line and so is its answer."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *question: object) -> str:
        """The answer to one line; fails with the sanitizer's word when the probe dies."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write((" ".join(map(str, question)) + "\n").encode())
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer.endswith(b"\n"), f"the probe died at: {question[0]}"
        return answer[:-1].decode()

    def load(
        self,
        packed: PackedLexicon,
        alphabet: str,
        kind: str = "word",
        top: int = 0,
        level: int = 500,
        units: int = 1000,
        spread: int = 5000,
        language: bytes | None = None,
        model_hash: int = 7,
    ) -> str:
        """Start an engine on a lexicon; scores are in 0..spread-1. Returns what init and the CRC check answer."""
        rendered, places = render_language(packed, 7)
        points = ",".join(str(ord(letter)) for letter in alphabet)
        return self.ask(
            "load", int(kind == "character"), packed.words, packed.rows, packed.block_words, packed.letters, *places,
            top, level, units, spread, model_hash, points, (language or rendered).hex(),
        )  # fmt: skip

    def load_ngram(self, packed: PackedLexicon, ngram: PackedNgram, alphabet: str, top: int, level: int) -> str:
        """Start an engine on an n-gram, whose stream is the language's end. Returns what init answers."""
        return self._load_ngram("ngram", packed, ngram, alphabet, (top, level, 1, 1))

    def load_mixture(
        self, packed: PackedLexicon, ngram: PackedNgram, alphabet: str, scores: tuple[int, ...], share_units: int
    ) -> str:
        """Start an engine on the stand-in network with an n-gram beside it; `scores`: top, level, units, spread."""
        return self._load_ngram("mixture", packed, ngram, alphabet, scores, share_units)

    def _load_ngram(
        self, kind: str, packed: PackedLexicon, ngram: PackedNgram, alphabet: str, scores: tuple[int, ...], *more: int
    ) -> str:
        sections = (("index", packed.index), ("codes", packed.codes), ("stream", packed.stream))
        sections += (("costs", ngram.costs), ("blocks", ngram.index), ("records", ngram.stream))
        language, places = _render(sections, 7)
        points = ",".join(str(ord(letter)) for letter in alphabet)
        lexicon = places["index"], places["stream"], places["codes"]
        assert self.ask(
            "load", 0, packed.words, packed.rows, packed.block_words, packed.letters, *lexicon,
            *scores, 7, points, language.hex(),
        ) == "0 0"  # fmt: skip
        bits = ngram.pair_bits, ngram.triple_bits, ngram.backoff_bits
        at = places["costs"], places["blocks"], places["records"]
        return self.ask(kind, ngram.rows, ngram.blocks, *bits, len(ngram.stream), *at, *more)

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(10)
