# The matcher's bench: see tests/bench/bench_match.c.
$(BUILD)/bench/bench_match: tests/bench/bench_match.c $(LIBS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(LDFLAGS) $(LINK_LIBS)
