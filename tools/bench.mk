# make bench: what a load costs beside what COPY needs; see tests/bench/run.py and docs/performance.md.
BENCH_RECORDS ?= 200000
BENCH_RUNS    ?= 1

$(BUILD)/bench/generate $(BUILD)/bench/evaluate: $(BUILD)/bench/%: tests/bench/%.c $(wildcard tests/bench/*.h)
	@mkdir -p $(@D)
	$(CC) -O2 -o $@ $< -lm

bench: all $(BUILD)/bench/generate $(BUILD)/bench/evaluate
	@$(PYTHON) tests/bench/run.py --build $(BUILD) --records $(BENCH_RECORDS) --runs $(BENCH_RUNS)

bench-latency: all $(BUILD)/bench/generate
	@$(PYTHON) tests/bench/latency.py --build $(BUILD)
.PHONY: bench-latency

# How well records are recognised, beside Splink (tests/bench/accuracy.py); BENCH_ACCURACY=--no-splink for the quick half.
bench-accuracy: all $(BUILD)/bench/generate $(BUILD)/bench/bench_match
	@$(PYTHON) tests/bench/accuracy.py --build $(BUILD) $(BENCH_ACCURACY)
.PHONY: bench-accuracy

# Speed as promised, in ratios (tests/bench/speed.py); a million records unless BENCH_RECORDS says otherwise;
# BENCH_SPEED="--only load --runs 1" for a part of it.
bench-speed: all $(BUILD)/bench/generate $(BUILD)/bench/evaluate
	@$(PYTHON) tests/bench/speed.py --build $(BUILD) $(BENCH_SPEED) \
	    --records $(if $(filter file,$(origin BENCH_RECORDS)),1000000,$(BENCH_RECORDS))
.PHONY: bench-speed
