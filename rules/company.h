/*
 * company.h - the parts of a company's name.
 *
 * 上海华信科技有限公司 and 华信科技（上海）有限公司 have the same core 华信科技 and region 上海; a branch
 * (上海华信科技有限公司北京分公司) keeps its marker 北京分公司 and is another company.
 */
#ifndef TRIBUTARY_RULES_COMPANY_H
#define TRIBUTARY_RULES_COMPANY_H

#include "daemon/base/arena.h"
#include "daemon/base/slice.h"

struct company_parts {
    struct slice core;    /* folded, simplified, without region, legal form and brackets */
    struct slice region;  /* "上海"; without 省 市 区; empty when none */
    struct slice legal;   /* canonical: "有限公司", "股份有限公司", "gmbh", "ltd", "inc" ... */
    struct slice branch;  /* "北京分公司", "branch shanghai"; empty for the company itself */
    struct slice note;    /* any other text in brackets */
    bool is_han;
};

void company_parse(struct slice name, struct arena *arena, struct company_parts *parts);

#endif
