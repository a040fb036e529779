# The two commands of the README (demo, test), and what maintainers run (bench, models). Everything lives in $(VENV).
PYTHON ?= python3
VENV ?= .venv
BOARD ?= qemu-cortex-m4
JOBS ?= 2
BIN := $(VENV)/bin
APT_PACKAGES := gcc gcc-arm-none-eabi gcc-riscv64-unknown-elf gcc-avr avr-libc arduino-core-avr gcc-xtensa-lx106 qemu-system-arm \
	qemu-system-misc simavr avrdude hunspell hunspell-en-gb hunspell-en-us hunspell-de-de hunspell-fr
PROGRAMS := gcc arm-none-eabi-gcc riscv64-unknown-elf-gcc avr-gcc xtensa-lx106-elf-gcc qemu-system-arm \
	qemu-system-avr qemu-system-xtensa simavr avrdude hunspell
DICTIONARIES := /usr/share/hunspell/en_GB.dic /usr/share/hunspell/en_US.dic /usr/share/hunspell/de_DE.dic /usr/share/hunspell/fr.dic

.PHONY: demo test lint bench models compilers clean

# Builds the shipped model for an emulated board, boots it and types three messages. Needs nothing but PyPI.
demo: $(VENV)/.toolchain
	$(BIN)/tinylm build --board $(BOARD) --output build/demo
	$(BIN)/tinylm type --board $(BOARD) --build build/demo --lines examples/demo.txt

# Everything, with every compiler and emulator; a skip for a missing tool is a failure under TINYLM_REQUIRE=all.
test: compilers $(VENV)/.all lint
	$(BIN)/python -m pytest -n $(JOBS) tests

lint: $(VENV)/.all
	$(BIN)/ruff check tinylm tests benchmarks
	$(BIN)/ruff format --check tinylm tests benchmarks

# Slow proofs: figures in benchmarks/results, from the texts in DATA.
bench: compilers $(VENV)/.all
	$(BIN)/python benchmarks/run.py --data $(DATA)

# Trains the shipped models again (hours): make models DATA=FOLDER
models: $(VENV)/.all
	PATH="$(CURDIR)/$(BIN):$$PATH" bash benchmarks/shipped_models.sh $(DATA)

# Debian's compilers and emulators, where they are missing and we may install them.
compilers:
	@missing=; for p in $(PROGRAMS); do command -v $$p >/dev/null || missing="$$missing $$p"; done; \
	if command -v apt-get >/dev/null; then for d in $(DICTIONARIES); do [ -e $$d ] || missing="$$missing $$d"; done; fi; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "Missing:$$missing. 'tinylm doctor' says how to install them; tests that need them are skipped."; exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo=sudo; \
	else echo "Missing:$$missing. Install them: sudo apt-get install $(APT_PACKAGES)"; echo "Tests that need them are skipped."; exit 0; fi; \
	$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $(APT_PACKAGES) >/dev/null

$(VENV)/.toolchain: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[toolchain]'
	touch $@

$(VENV)/.all: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[toolchain,flash,train,plot,test]'
	touch $@ $(VENV)/.toolchain

# Builds and the environment; trained runs stay.
clean:
	rm -rf build $(VENV)
