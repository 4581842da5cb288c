/*
 * company_match.h - a company's core and branch as they are compared: beyond what company.h strips
 * for showing.
 *
 * Private to rules/.
 */
#ifndef TRIBUTARY_RULES_COMPANY_MATCH_H
#define TRIBUTARY_RULES_COMPANY_MATCH_H

#include "rules/company.h"

/* 瑞安市富春水务 as 瑞安富春水务, 中国银河证券 as 银河证券, "siemens aktiengesellschaft" as
 * "siemens". Never empty unless the core is. */
struct slice company_match_core(struct slice core, struct arena *arena);
/* 上海市分行浦东支行 as 上海浦东支行. */
struct slice company_match_branch(struct slice branch, struct arena *arena);
/* The same branch: 杭州桐庐支行 and 桐庐支行 too. Both as company_match_branch gives them. */
bool company_branches_agree(struct slice a, struct slice b);
/* The core without a place in it, when enough is left: 中粮唐山糖业 beside 中粮（唐山）糖业. */
struct slice company_core_without(struct slice core, struct slice place, struct arena *arena);

#endif
