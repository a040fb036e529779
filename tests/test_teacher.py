"""Distillation: a teacher's chances in the student's rows, what is kept of them, the loss, and who cannot teach."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from cli_rig import run_cli
from models import TEXT, VECTORS, tiny_lines, tiny_mixture_model, tiny_word_model

from tinylm import teacher
from tinylm.base import open_base
from tinylm.corpus import ENGLISH_ALPHABET
from tinylm.model import FIRST_WORD_ROW, UNKNOWN_ROW, Model, load_model
from tinylm.network import NetworkShape, build_trainer, initial_weights
from tinylm.ngram import UNITS_PER_NAT
from tinylm.preparation import Source, WeightedText, encode_words, row_frequency, write_tokens
from tinylm.quantize import float_steps
from tinylm.training import TokenFile, TrainingPlan, train
from tinylm.vocabulary import Vocabulary, choose_vocabulary

pytestmark = pytest.mark.needs("tensorflow", "keras")
MODELS = [tiny_word_model, tiny_mixture_model]


def student_words(rows: int = 60) -> Vocabulary:
    """The commonest words of the tiny models' text, and two that no teacher knows."""
    counts = Counter(word for line in tiny_lines() for word in line)
    return choose_vocabulary(counts | Counter({"zyzzyva": 1000, "qoph": 900}), rows, rows + 50)


def words_and_chances(model: Model, words: tuple[str, ...]) -> tuple[dict[str, float], float]:
    """P of every word of the model after a line's first `words`, and of the line's end, by the rule of docs/SPEC-mixture.md."""
    base = open_base(model)
    numbers = [0, *(model.numbers.get(word, UNKNOWN_ROW) for word in words)]
    rows = [number if number < base.shape.rows else UNKNOWN_ROW for number in numbers]
    logits = float_steps(base.shape, base.weights, np.array([rows]))["logits"][-1].astype(np.float64)
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    of = dict(zip(base.words, chances[FIRST_WORD_ROW:].tolist()))
    of |= {word: chances[UNKNOWN_ROW] * share for word, share in zip(base.lexicon, base.lexicon_share.tolist())}
    end, total = float(chances[0]), 1.0
    if base.ngram:
        before, last = numbers[-2] if words else 0, numbers[-1]
        for number, cost in base.ngram.ngram.followers(before, last).items():
            more = base.ngram.share * math.exp(-cost / UNITS_PER_NAT)
            total += more
            if number == 0:
                end += more
            elif number != UNKNOWN_ROW:
                of[base.spelled[number]] += more
    return {word: chance / total for word, chance in of.items()}, end / total


def tokens_of(model: Model, lines: list[tuple[str, ...]]) -> TokenFile:
    ids, starts = [], []
    for line in lines:
        starts.append(len(ids))
        ids += [0, *(model.numbers.get(word, UNKNOWN_ROW) for word in line)]
    return TokenFile(np.array(ids, np.uint16), np.array(starts, np.int64), np.ones(len(starts), np.float32))


@pytest.mark.parametrize("make", MODELS, ids=["word", "mixture"])
def test_the_teachers_chances_are_the_students_rows_and_sum_to_one(make: object) -> None:
    model, vocabulary = make(), student_words()
    rows = vocabulary.row_ids()
    reader = teacher.Reader(open_base(model), vocabulary)
    for words in (*tiny_lines()[:8], ("zyzzyva", *tiny_lines()[0])):
        h = np.zeros((1, reader.base.shape.hidden), np.float32)
        before = last = np.zeros(1, np.int64)
        for at in range(len(words) + 1):
            if at:
                before, last = last, np.array([model.numbers.get(words[at - 1], UNKNOWN_ROW)])
            found, h = reader.chances(before, last, h, 1)
            of, end = words_and_chances(model, words[:at])
            wanted = np.zeros(len(rows) + FIRST_WORD_ROW)
            wanted[0] = end
            for word, row in rows.items():
                wanted[row] = of.get(word, 0.0)
            wanted[UNKNOWN_ROW] = 1 - wanted.sum()
            assert np.allclose(found[0], wanted, atol=2e-5) and abs(found.sum() - 1) < 1e-5
    assert found[0, rows["zyzzyva"]] == 0 and wanted[UNKNOWN_ROW] > 0


def test_of_each_place_the_likeliest_rows_are_kept_in_the_texts_order() -> None:
    model, vocabulary, lines = tiny_mixture_model(), student_words(), list(tiny_lines()[:20])
    reader, tokens = teacher.Reader(open_base(model), vocabulary), tokens_of(model, lines)
    kept = reader.read(tokens, 3, 17)
    assert len(kept) == tokens.starts[17] - tokens.starts[3]
    last = lines[16]
    of, end = words_and_chances(model, last)
    chances = {row: of.get(word, 0.0) for word, row in vocabulary.row_ids().items()} | {0: end}
    chances[UNKNOWN_ROW] = 1 - sum(chances.values())
    best = sorted(chances.values())[-teacher.KEPT :]
    assert np.allclose(np.sort(kept["chances"][-1].astype(float)), best, rtol=2e-3)
    for row, chance in zip(kept["rows"][-1].tolist(), kept["chances"][-1].tolist()):
        assert chance == pytest.approx(chances[row], rel=2e-3)


def test_shares_of_targets_drawn_from_the_teacher_are_its_chances_in_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher, "SHARE", 1.0)
    rng = np.random.default_rng(4)
    chances = rng.dirichlet(np.full(40, 0.4)).astype(np.float32)
    kept = teacher._likeliest(chances[None])
    places, mean = np.zeros((1, 40), np.int64), np.zeros(40)
    rows, shares = teacher.shares_of(kept, places, np.arange(40)[None])
    for target in range(40):
        wanted = np.zeros(40)
        np.add.at(wanted, rows[0, target], shares[0, target])
        wanted[target] += 1 - shares[0, target].sum()
        assert wanted.sum() == pytest.approx(1)
        mean += chances[target] * wanted
    assert np.allclose(mean, chances, atol=1e-3)


def some_batch(shape: NetworkShape) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    weights = initial_weights(shape, 1, np.log(rng.dirichlet(np.ones(shape.rows)) + 1e-5))
    ids, targets = (rng.integers(0, shape.rows, (3, 5)).astype(np.int32) for _ in range(2))
    return weights, ids, targets


@pytest.mark.parametrize("negatives", [0, 1], ids=["full", "sampled"])
def test_a_teacher_sure_of_the_texts_word_changes_no_loss(negatives: int) -> None:
    shape = NetworkShape("word", 90, 8, 12)
    weights, ids, targets = some_batch(shape)
    rows = np.random.default_rng(6).permutation(90).astype(np.int32)[:40]
    sampled = np.tile(rows, (3, 1)), np.zeros((3, 40), np.float32)
    trainer = build_trainer(shape, 5, weights, negatives)
    sure = np.repeat(targets[..., None], 4, -1), np.zeros((3, 5, 4), np.float32)
    sure[1][..., 2] = teacher.SHARE
    alone, taught = (np.asarray(trainer((ids, targets, *sampled, *more))) for more in ((), sure))
    assert np.allclose(alone, taught, atol=1e-6) and alone.min() > 0


def test_the_taught_loss_is_the_cross_entropy_with_the_shares() -> None:
    shape = NetworkShape("word", 30, 8, 12)
    weights, ids, targets = some_batch(shape)
    rng = np.random.default_rng(7)
    rows = np.argsort(rng.random((3, 5, 30)), -1)[..., :6].astype(np.int32)
    shares = (0.7 * rng.dirichlet(np.ones(6), (3, 5))).astype(np.float32)
    nothing = np.zeros((3, 1), np.int32), np.zeros((3, 1), np.float32)
    loss = np.asarray(build_trainer(shape, 5, weights, 0)((ids, targets, *nothing, rows, shares)))[..., 0]
    logits = float_steps(shape, weights, ids)["logits"].reshape(5, 3, -1).transpose(1, 0, 2)
    costs = np.log(np.exp(logits).sum(-1, keepdims=True)) - logits
    hard = np.take_along_axis(costs, targets[..., None], -1)[..., 0]
    soft = (np.take_along_axis(costs, rows, -1) * shares).sum(-1)
    assert np.allclose(loss, 0.3 * hard + soft, atol=1e-4)


def source_of(folder: Path, lines: int = 400) -> Source:
    (folder / "text.txt").write_text("\n".join(TEXT.read_text().splitlines()[:lines]))
    return Source((WeightedText(folder / "text.txt"),), ENGLISH_ALPHABET)


def teach_there(folder: Path, source: Source, report: object = lambda *_: None, hidden: int = 8) -> tuple[str, bytes]:
    """The lesson's digest and file."""
    vocabulary = student_words()
    tokens, _ = write_tokens(source, encode_words(vocabulary), folder)
    larger = teacher.open_teacher(tiny_mixture_model(), "word", "en")
    shape = NetworkShape("word", len(vocabulary.row_ids()) + FIRST_WORD_ROW, 8, hidden)
    digest, _ = teacher.teach(larger, source, vocabulary, tokens, shape, folder, report)
    return digest, (folder / teacher.FILE).read_bytes()


def test_a_reading_that_was_stopped_goes_on_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher, "CHUNK_LINES", 64)
    folders = [tmp_path / name for name in ("whole", "stopped")]
    for folder in folders:
        folder.mkdir()
    source = source_of(tmp_path)
    whole = teach_there(folders[0], source)
    told: list[int] = []

    def stop(_: str, done: int, total: int, note: str) -> None:
        told.append(done)
        assert total * teacher._KEPT.itemsize + 32 == len(whole[1]) and note == "tiny-mixture reads the text"
        if len(told) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teach_there(folders[1], source, stop)
    half = (folders[1] / teacher.FILE).read_bytes()
    assert 0 < len(half) < len(whole[1])
    (folders[1] / teacher.FILE).write_bytes(half[:-100] if len(half) > 200 else half)  # the disk had not everything yet
    told.clear()
    again: list[int] = []
    assert teach_there(folders[1], source, lambda _, done, *rest: again.append(done)) == whole
    assert again[0] > 0  # not from the start
    again.clear()
    assert teach_there(folders[1], source, lambda _, done, *rest: again.append(done)) == whole
    assert len(again) == 1  # nothing was left to read
    notes: list[tuple[int, str]] = []
    shorter = source_of(tmp_path, lines=300)
    other = teach_there(folders[1], shorter, lambda _, done, total, note: notes.append((done, note)), hidden=99)
    assert other[0] != whole[0] and len(other[1]) < len(whole[1])
    assert notes[0] == (0, "tiny-mixture reads the text, which is no larger than what it teaches")  # said, not refused


def test_a_student_comes_nearer_to_its_teacher_than_one_that_read_the_text_alone(tmp_path: Path) -> None:
    source, vocabulary, model = source_of(tmp_path, lines=600), student_words(), tiny_mixture_model()
    tokens, _ = write_tokens(source, encode_words(vocabulary), tmp_path)
    shape = NetworkShape("word", len(vocabulary.row_ids()) + FIRST_WORD_ROW, 8, 16)
    larger = teacher.open_teacher(model, "word", "en")
    _, lesson = teacher.teach(larger, source, vocabulary, tokens, shape, tmp_path, lambda *_: None)
    reader = teacher.Reader(larger.base, vocabulary)
    plan, away = TrainingPlan(epochs=6, batch=8, steps=16, negatives=0), []
    for given in (None, lesson):
        folder = tmp_path / str(given is None)
        folder.mkdir()
        trained = train(shape, tokens, row_frequency(tokens, shape.rows), plan, folder, lesson=given)
        away.append(_nats_away(reader, model, vocabulary, shape, trained.weights))
    assert away[1] < 0.95 * away[0]


def _nats_away(
    reader: teacher.Reader, model: Model, vocabulary: Vocabulary, shape: NetworkShape, weights: dict[str, np.ndarray]
) -> float:
    """Mean divergence of a student from its teacher, of the rows that the teacher knows, on lines of another text."""
    rows, sums = vocabulary.row_ids(), []
    for words in tiny_lines(TEXT.with_name("work.txt"))[:40]:
        h, before, last = np.zeros((1, reader.base.shape.hidden), np.float32), np.zeros(1, int), np.zeros(1, int)
        logits = float_steps(shape, weights, np.array([[0, *encode_words(vocabulary)(list(words))]]))["logits"]
        for at, given in enumerate(logits):
            if at:
                before, last = last, np.array([model.numbers.get(words[at - 1], UNKNOWN_ROW)])
            wanted, h = reader.chances(before, last, h, 1)
            there = wanted[0] > 0
            student = given - np.log(np.exp(given).sum())
            sums.append(np.sum(wanted[0, there] * (np.log(wanted[0, there]) - student[there])))
    assert rows and np.isfinite(sums).all()
    return float(np.mean(sums))


def copy_model(name: str, folder: Path, **changes: str) -> Path:
    """A tiny model with another model.json."""
    shutil.copytree(VECTORS / name, folder)
    info = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(info | changes))
    return folder


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--teacher", "en-17m"], 1, "no model 'en-17m'"),
        (["--teacher", VECTORS / "tiny-ngram"], 1, "'tiny-ngram' is of the kind 'ngram'"),
        (["--teacher", VECTORS / "tiny-character"], 1, "'tiny-character' is of the kind 'character'"),
        (["--teacher", VECTORS / "tiny-word", "--kind", "ngram"], 1, "the kind here is 'ngram'"),
        (["--teacher", VECTORS / "tiny-word", "--kind", "character"], 1, "the kind here is 'character'"),
        (["--teacher", VECTORS / "tiny-word", "--language", "de"], 1, "Give --language en"),
        (["--teacher", VECTORS / "tiny-word", "--from", "en-24k"], 2, "exclude each other"),
        (["--teacher", "shared"], 1, "has the letters abc"),
        (["--teacher", "alike", "--licence", "MIT"], 1, "under CC-BY-SA-4.0, and so is what learns from it"),
    ],
)
def test_a_teacher_that_cannot_teach_is_refused_and_nothing_is_left(
    arguments: list, status: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    copy_model("tiny-word", tmp_path / "alike", licence="CC-BY-SA-4.0")
    copy_model("tiny-word", tmp_path / "shared", alphabet="'abcdefghijklmnopqrstuvwxyz\u00e9")
    if "shared" in arguments:
        says = "has the letters 'abc"
    shown = run_cli("train", TEXT, "--budget", "10K", *arguments)
    assert shown.status == status and says in shown.err and "Traceback" not in shown.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["alike", "shared"]


def test_a_taught_model_names_its_teacher_and_takes_over_licence_and_credits(tmp_path: Path) -> None:
    larger = copy_model("tiny-word", tmp_path / "larger", licence="CC-BY-SA-4.0", attribution=["A text, by somebody"])
    text, run = tmp_path / "text.txt", tmp_path / "run"
    text.write_text("\n".join(TEXT.read_text().splitlines()[:300]))
    arguments = ["train", text, "--budget", "10K", "--epochs", "1", "--attribution", "Mine", "--teacher", larger]
    shown = run_cli(*arguments, "-o", run)
    assert shown.status == 0, shown.err
    assert "tiny-word reads the text" in shown.err
    model = load_model(run)
    assert model.info.licence == "CC-BY-SA-4.0" and model.info.attribution == ("Mine", "A text, by somebody")
    assert json.loads((run / "run.json").read_text())["teacher"] == f"tiny-word {tiny_word_model().hash:08x}"
    assert json.loads((run / "metrics.json").read_text())["taught_by"] == "tiny-word (CC-BY-SA-4.0)"
    assert "| taught by | tiny-word (CC-BY-SA-4.0) |" in (run / "README.md").read_text()
    shown = run_cli(*arguments[:-2], "--licence", "CC-BY-SA-4.0", "--attribution", "A text, by somebody", "-o", run)
    assert shown.status == 1 and f"teacher was 'tiny-word {tiny_word_model().hash:08x}', now None" in shown.err
