"""tinylm: predictive text for microcontrollers."""

__version__ = "0.1.0"
