# The graph's bench: see tests/bench/bench_graph.c.
$(BUILD)/bench/bench_graph: tests/bench/bench_graph.c $(LIBS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(LDFLAGS) $(LINK_LIBS)
