"""The texts under examples/texts stay what they are: clean, varied, spelled right, and apart from every dev set.

The spelling check runs the program hunspell (for the lead: apt-get install hunspell hunspell-en-gb hunspell-en-us
hunspell-de-de hunspell-fr). Two checks compare with texts that do not travel with the project: they look under the
folder that TINYLM_DATA names (train/<language>/tatoeba.txt, dev/<language>/) and are skipped without it.
"""

from __future__ import annotations

import importlib.util
import os
import random
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from conftest import INSTALL

ROOT = Path(__file__).resolve().parent.parent
_spec = importlib.util.spec_from_file_location("benchmark_texts", ROOT / "benchmarks" / "texts.py")
texts = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = texts
_spec.loader.exec_module(texts)

SET_ASIDE = re.compile(r"192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|127\.|10\.|192\.168\.|0\.0")
SPOKEN = ("en", "de", "fr")
REGISTERS = ("conversation", "messages", "radio", "requests", "speech", "work")
WORDS_A_LINE = {"en": (2, 30), "de": (2, 30), "fr": (2, 30), "shell": (1, 25)}
DICTIONARIES = {"en": "en_GB,en_US", "de": "de_DE", "fr": "fr"}
# Each list of exceptions is for names and for words that a dictionary of written language leaves out.
MOST_EXCEPTIONS = {"en": 70, "de": 150, "fr": 30}
MOST_ALIKE_OPENINGS = 0.015
LEAST_BIGRAMS = 0.90  # of Tatoeba's at the same number of words
SEED = 0  # of the shuffle of Tatoeba, which is sorted by length; another one changes the count by about 1 %

load = cache(texts.load_texts)
languages = pytest.mark.parametrize("language", texts.LANGUAGES)
spoken_languages = pytest.mark.parametrize("language", SPOKEN)


def data_dir() -> Path:
    """Where the training and dev texts are; skips the test when nobody says (under TINYLM_REQUIRE too)."""
    if not os.environ.get("TINYLM_DATA"):
        pytest.skip("TINYLM_DATA is not set: name the folder that holds train/ and dev/")
    return Path(os.environ["TINYLM_DATA"])


def located(language: str):
    """(file:line, line as written, words) of every line of a language."""
    for text in load(language):
        for number, (line, words) in enumerate(zip(text.lines, text.words), 1):
            yield f"{text.path.name}:{number}", line, words


@languages
def test_every_file_is_utf8_with_one_trimmed_line_each(language: str) -> None:
    for text in load(language):
        whole = text.path.read_bytes().decode("utf-8")
        assert whole.endswith("\n") and not re.search(r"[\r\t\0\ufeff\ufffd\u00ad]", whole), text.path
    bad = [f"{place} {line!r}" for place, line, _ in located(language) if not line or line != line.strip()]
    assert not bad


@spoken_languages
def test_every_register_is_there_and_no_other(language: str) -> None:
    assert tuple(text.path.stem for text in load(language)) == REGISTERS


def test_there_are_as_many_lines_as_promised() -> None:
    assert all(len(text.lines) >= 2500 for text in load("en"))
    assert sum(texts.count_words(text.words) for text in load("en")) >= 150_000
    assert sum(len(text.lines) for text in load("de")) >= 4000
    assert sum(len(text.lines) for text in load("fr")) >= 4000
    assert sum(len(text.lines) for text in load("shell")) >= 3000


@languages
def test_no_line_comes_twice_in_a_language(language: str) -> None:
    longest_free = 0 if language == "shell" else 3  # "Yes please." may come again
    seen: dict[tuple[str, ...], str] = {}
    twice = []
    for place, line, words in located(language):
        if len(words) > longest_free:
            first = seen.setdefault(words, place)
            if first != place:
                twice.append(f"{place} is {first}: {line}")
    assert not twice


@languages
def test_every_line_is_of_the_length_that_people_send(language: str) -> None:
    fewest, most = WORDS_A_LINE[language]
    assert not [f"{place} {line}" for place, line, words in located(language) if not fewest <= len(words) <= most]


@spoken_languages
def test_no_opening_of_three_words_comes_too_often(language: str) -> None:
    for text in load(language):
        (opening, lines), *_ = texts.count_openings(text).most_common(1)
        assert lines <= MOST_ALIKE_OPENINGS * len(text.lines), f"{text.path}: {lines} lines begin '{' '.join(opening)}'"


@spoken_languages
def test_about_a_third_of_the_lines_ask(language: str) -> None:
    share = texts.share_of_questions(tuple(line for _, line, _ in located(language)))
    assert 0.25 <= share <= 0.45


# --- spelling


def exceptions(language: str) -> list[str]:
    """The words of the language's list, without its comments."""
    path = ROOT / "tests" / "texts" / f"exceptions-{language}.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    return [word for line in lines for word in line.partition("#")[0].split()]


def misspelled(words: set[str], language: str) -> set[str]:
    """Those that the dictionary does not know."""
    done = subprocess.run(
        ["hunspell", "-i", "utf-8", "-d", DICTIONARIES[language], "-l"],
        input="\n".join(sorted(words)).encode(),
        capture_output=True,
    )
    if done.returncode or b"Can't open" in done.stderr:
        message = f"hunspell has no dictionary {DICTIONARIES[language]}: {INSTALL['hunspell']}"
        (pytest.fail if os.environ.get("TINYLM_REQUIRE") == "all" else pytest.skip)(message)
    return set(done.stdout.decode().split())


def write_out(word: str, language: str) -> str:
    """A form that dictionaries leave out, as the form that they have: whatever's -> whatever, raus -> heraus."""
    if language == "en":
        return word.removesuffix("'s")
    if language == "de":  # raus -> heraus, drum -> darum; a first person or an imperative without its e: nehm -> nehme
        full = re.sub(r"^r(?=auf|aus|ein|über|um|unter|an)", "her", word, flags=re.IGNORECASE)
        full = re.sub(r"^dr(?=auf|aus|an|über|um)", "dar", full, flags=re.IGNORECASE)
        return full if full != word else word + "e"
    return word


def spelled_words(language: str) -> set[str]:
    """What stands between spaces and signs, as written; a compound with hyphens is one word."""
    lines = "\n".join(line for _, line, _ in located(language))
    return set(re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", lines))


@pytest.mark.needs("hunspell")
@spoken_languages
def test_every_word_is_spelled_right_or_is_a_listed_exception(language: str) -> None:
    listed = set(exceptions(language))
    wrong = misspelled(spelled_words(language), language) - listed
    still = misspelled({write_out(word, language) for word in wrong} - listed, language)
    assert not sorted(word for word in wrong if write_out(word, language) in still)


@spoken_languages
def test_the_list_of_exceptions_is_short_and_holds_nothing_that_is_not_used(language: str) -> None:
    listed = exceptions(language)
    assert len(listed) == len(set(listed)) <= MOST_EXCEPTIONS[language]
    words = spelled_words(language)
    assert not set(listed) - words - {write_out(word, language) for word in words}


# --- nothing private, nothing real


@languages
def test_no_line_holds_an_address_a_long_number_or_a_secret(language: str) -> None:
    host = r"(?:[\w-]+\.)*(?:example\.(?:org|com|net)|localhost|local|test|invalid)"
    allowed = re.compile(rf"@{host}\b|://{host}\b|\bgit@{host}")
    for place, line, _ in located(language):
        assert not re.search(r"AKIA|ghp_|BEGIN [A-Z ]*PRIVATE|xox[bp]-", line), place
        if language != "shell":
            assert not re.search(r"@|https?:|www\.|\d{5}", line), f"{place} {line}"
        else:
            # An address that a command names is one of those set aside for documents, or of a home network.
            for site in re.findall(r"(?:https?|ssh|ftp|wss?)://(?:[\w.-]+@)?([\w.-]+\w)", line):
                assert allowed.search(f"://{site}") or is_set_aside(site), f"{place} {line}"


def is_set_aside(site: str) -> bool:
    """Whether a host is a bare name or a number that belongs to nobody."""
    return "." not in site or bool(SET_ASIDE.match(site))


# --- beside the texts that do not travel with the project


@spoken_languages
def test_no_line_of_more_than_three_words_is_in_a_dev_set(language: str) -> None:
    split = texts.words_of(language)
    mine = {words: place for place, _, words in located(language) if len(words) > 3}
    found = set()
    for path in sorted((data_dir() / "dev" / language).rglob("*.txt")):
        with path.open(encoding="utf-8") as lines:
            found.update(mine[words] for line in lines if (words := tuple(split(line))) in mine)
    assert not sorted(found)


@spoken_languages
def test_the_text_does_not_go_round_in_circles(language: str) -> None:
    split = texts.words_of(language)
    mine = [words for _, _, words in located(language)]
    total = texts.count_words(mine)
    lines = (data_dir() / "train" / language / "tatoeba.txt").read_text(encoding="utf-8").splitlines()
    random.Random(SEED).shuffle(lines)
    theirs = texts.count_bigrams((tuple(split(line)) for line in lines), total)
    assert texts.count_bigrams(mine) >= LEAST_BIGRAMS * theirs


# --- their README


def test_the_table_of_the_readme_is_what_the_texts_hold() -> None:
    readme = (texts.TEXTS / "README.md").read_text(encoding="utf-8")
    assert texts.replace_table(readme, texts.render_table()) == readme, "run: python benchmarks/texts.py"
