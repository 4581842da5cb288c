# The cleaners' bench: see tests/bench/bench_clean.c.
$(BUILD)/bench/bench_clean: tests/bench/bench_clean.c $(LIBS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(LDFLAGS) $(LINK_LIBS)
