#include "tests/support/lean_frames.h"

#include <stdio.h>
#include <stdlib.h>

bool lean_read_frame(struct lwb_buf *body)
{
    char line[128];
    size_t length = 0;

    lwb_buf_clear(body);
    while (fgets(line, sizeof(line), stdin)) {
        char *room;

        if (strncmp(line, "Content-Length: ", 16) == 0)
            length = strtoul(line + 16, NULL, 10);
        if (strcmp(line, "\r\n") != 0)
            continue;
        room = lwb_buf_reserve(body, length);
        if (!room || fread(room, 1, length, stdin) != length)
            return false;
        body->len += length;
        room[length] = '\0';
        return true;
    }
    return false;
}

void lean_send_frame(struct lwb_bytes body)
{
    (void)printf("Content-Length: %zu\r\n\r\n", body.len);
    (void)fwrite(body.ptr, 1, body.len, stdout);
    (void)fflush(stdout);
}
