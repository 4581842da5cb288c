# Tables of Chinese characters, letters and names, made at build time by host tools (nothing is checked in).
RULES_GENERATED_OBJ += $(BUILD)/obj/gen/han_table.o $(BUILD)/obj/gen/name_table.o $(BUILD)/obj/gen/place_table.o

$(BUILD)/tools/gen_tables: tools/gen_tables.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O1 -Wall $(PKG_CFLAGS) -o $@ $< $(shell pkg-config --libs icu-i18n icu-uc)
$(BUILD)/gen/han_table.c: $(BUILD)/tools/gen_tables
	@mkdir -p $(@D)
	$(Q)$< $@
$(BUILD)/tools/gen_names: tools/gen_names.c rules/name_facts.h rules/name_table.h daemon/base/utf8.c $(BUILD)/gen/han_table.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -I. -O1 -Wall -o $@ $(filter %.c,$^)
$(BUILD)/gen/name_table.c: $(BUILD)/tools/gen_names
	@mkdir -p $(@D)
	$(Q)$< $@
$(BUILD)/tools/gen_places: tools/gen_places.c rules/place_facts.h rules/place_table.h
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -I. -O1 -Wall $(PKG_CFLAGS) -o $@ $< $(shell pkg-config --libs icu-uc)
$(BUILD)/gen/place_table.c: $(BUILD)/tools/gen_places
	@mkdir -p $(@D)
	$(Q)$< $@
