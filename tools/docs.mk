# Documents generated from the declarations in the code, and the part of docs/golden.md that is read from a database.
docs: $(BUILD)/tributary
	$(BUILD)/tributary config-doc >docs/configuration.md
	$(BUILD)/tributary config-doc --metrics >docs/metrics.md
	$(PYTHON) tools/messages.py >docs/messages.md
	TRIBUTARY_WRITE_DOCS=1 TRIBUTARY_BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -q -p no:cacheprovider tests/e2e/test_docs.py
