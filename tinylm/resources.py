"""Where the files that travel with the package are. The only module that knows."""

from __future__ import annotations

from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent
# A wheel carries firmware/ and templates/ under tinylm/_share; a checkout has them beside the package.
_SHARE = _PACKAGE / "_share" if (_PACKAGE / "_share").is_dir() else _PACKAGE.parent


def firmware_dir() -> Path:
    """The C sources: include/, runtime/, predict/, link/, app/, port/, boards/."""
    return _SHARE / "firmware"


def templates_dir() -> Path:
    """The Jinja templates of generated C and of projects."""
    return _SHARE / "templates"


def boards_dir() -> Path:
    """One TOML a board."""
    return firmware_dir() / "boards"


def shipped_models_dir() -> Path:
    """One folder a shipped model."""
    return _PACKAGE / "models"


def cache_dir() -> Path:
    """Where compiled host engines are kept between calls (made when missing)."""
    path = Path(platformdirs.user_cache_dir("tinylm"))
    path.mkdir(parents=True, exist_ok=True)
    return path
