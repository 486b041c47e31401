#pragma once

#include <stddef.h>

/* The files that build a capability, from cmake-module; made by EmbedRecipe.cmake. */
struct lwb_recipe_file {
    const char *name; /* relative path, below the folder of the recipe */
    const unsigned char *bytes;
    size_t len;
};

extern const struct lwb_recipe_file lwb_capability_recipe[];
extern const size_t lwb_capability_recipe_count;
