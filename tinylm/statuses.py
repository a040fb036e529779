"""What the firmware's error numbers mean. Reads `enum tlm_err` in tinylm.h, so that each is named in one place only."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from tinylm.errors import TinylmError
from tinylm.resources import firmware_dir


@dataclass(frozen=True)
class Status:
    """One error of the C API: its number (below 0), its name (`TLM_ERR_FULL`) and what it says."""

    code: int
    name: str
    text: str


@functools.cache
def load_statuses() -> dict[int, Status]:
    """Every error of `enum tlm_err`, by number."""
    header = firmware_dir() / "include" / "tinylm.h"
    enum = re.search(r"enum tlm_err \{(.*?)\};", header.read_text(encoding="utf-8"), re.DOTALL)
    rows = re.findall(r"(TLM_ERR_\w+)\s*=\s*(-\d+),?\s*/\*\s*(.*?)\s*\*/", enum.group(1), re.DOTALL) if enum else []
    if not rows:
        raise TinylmError(f"{header} holds no 'enum tlm_err' with a comment a line.", "Install tinylm again.")
    return {int(code): Status(int(code), name, " ".join(text.split())) for name, code, text in rows}


def describe_status(code: int) -> str:
    """'the line is longer than the engine can hold (TLM_ERR_FULL)'; also for a number that the table lacks."""
    status = load_statuses().get(code)
    return f"{status.text} ({status.name})" if status else f"error {code}, which this tinylm does not know"


def status_code(name: str) -> int:
    """The number of `TLM_ERR_...` (KeyError when there is none)."""
    return {status.name: code for code, status in load_statuses().items()}[name]
