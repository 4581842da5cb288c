# Documents generated from the declarations in the code.
docs: $(BUILD)/tributary
	$(BUILD)/tributary config-doc > docs/configuration.md
	python3 tools/messages.py > docs/messages.md
