/* asset.c - see asset.h. */
#include "daemon/base/asset.h"

struct slice asset_find(const char *name, bool *found)
{
    for (const struct asset *asset = assets; asset->name; asset++) {
        if (strcmp(asset->name, name) == 0) {
            *found = true;
            return asset->data;
        }
    }
    *found = false;
    return SLICE_EMPTY;
}
