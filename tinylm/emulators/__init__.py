"""One module a way to run an image. Each serves the board's serial line on a TCP port; tinylm/emulator.py chooses."""
