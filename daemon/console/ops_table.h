/*
 * ops_table.h - the operations themselves, one family a file. For daemon/console/op*.c only.
 */
#ifndef TRIBUTARY_CONSOLE_OPS_TABLE_H
#define TRIBUTARY_CONSOLE_OPS_TABLE_H

#include "daemon/console/ops.h"

typedef enum status op_function(struct engine *engine, const json_t *args, json_t **result,
                                struct err *err);

op_function op_explain;
op_function op_customer_show, op_customer_history, op_customer_find;
op_function op_customer_assign, op_customer_split, op_customer_merge, op_decision_list, op_decision_undo;
op_function op_review_list, op_review_decide;
op_function op_rejects_list, op_rejects_retry, op_rejects_drop;
op_function op_events_list, op_events_replay;
op_function op_sources_list, op_sources_pause, op_sources_resume;
op_function op_sinks_list, op_sinks_pause, op_sinks_enable, op_sinks_dead, op_sinks_drop;
op_function op_rematch_list, op_rematch_preview, op_rematch_apply, op_rematch_progress;
op_function op_quality;
op_function op_load, op_load_progress, op_status;
#endif
