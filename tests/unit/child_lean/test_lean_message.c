#include "tests/support/test.h"

#include "child/lean/lean_judge.h"

/* "E 1:2 text|" for every message, so that a whole list can be compared. */
static const char *describe(const struct lwb_lean_messages *messages, struct lwb_buf *out)
{
    lwb_buf_clear(out);
    for (size_t i = 0; i < messages->count; i++) {
        const struct lwb_diagnostic *message = &messages->items[i];

        lwb_buf_format(out, "%c %lld:%lld ", "IWE"[message->severity], (long long)message -> line,
                       (long long)message -> column);
        lwb_buf_append_bytes(out, message->message);
        lwb_buf_append_char(out, '|');
    }
    return lwb_buf_text(out);
}

static void text_is_cut_at_positions(void **state)
{
    static const struct {
        const char *output;
        const char *messages;
    } cases[] = {
        { "", "" },
        { "A.lean:1:2: error: no\n", "E 1:2 no|" },
        { "A.lean:1:2: warning: hm\nA.lean:3:4: error: a\n  b\n", "W 1:2 hm|E 3:4 a\n  b|" },
        { "A.lean:1:2-3:4: error: no\n", "E 1:2 no|" },
        { "42\n", "I -1:-1 42|" },
        { "42\nA.lean:1:0: error: x\n43\n", "I -1:-1 42|E 1:0 x\n43|" },
        { "\n", "I -1:-1 |" },
        { "x\n\n", "I -1:-1 x\n\n|" },
        { "B.lean:1:2: error: not ours\n", "I -1:-1 B.lean:1:2: error: not ours|" },
        { "A.lean:1: error: x\n", "I -1:-1 A.lean:1: error: x|" },
        { "A.lean:1:2: info: x\n", "I -1:-1 A.lean:1:2: info: x|" },
        { "A.lean:1:2: error: cut", "E 1:2 cut|" },
        { "A.lean:1:2: error: \n", "E 1:2 |" },
        { "A.lean:1:2: error: \xff\n", "E 1:2 \xef\xbf\xbd|" },
        { "on its way A.lean:1:2: warning: x\n", "I -1:-1 on its way |W 1:2 x|" },
        { "A.lean A.lean:1:2: error: x\n", "I -1:-1 A.lean |E 1:2 x|" },
        { "A.lean:1:2: warning: x\nyA.lean:3:4: error: z", "W 1:2 x\ny|E 3:4 z|" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages messages = { 0 };
        LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
        struct lwb_error err;

        assert_int_equal(lwb_lean_messages_add_text(&messages, lwb_bytes_text(cases[i].output),
                                                    "A.lean", true, &err),
                         LWB_OK);
        assert_string_equal(describe(&messages, &out), cases[i].messages);
    }
}

static void a_run_that_went_well_has_no_errors(void **state)
{
    LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages messages = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
    struct lwb_error err;

    (void)state;
    assert_int_equal(
        lwb_lean_messages_add_text(&messages,
                                   lwb_bytes_text("A.lean:1:0: error: x\nA.lean:2:0: warning: y\n"),
                                   "A.lean", false, &err),
        LWB_OK);
    assert_string_equal(describe(&messages, &out), "I -1:-1 A.lean:1:0: error: x|W 2:0 y|");
}

static void json_lines_are_messages(void **state)
{
    static const char output[] =
        "{\"severity\":\"error\",\"pos\":{\"line\":1,\"column\":2},\"endPos\":null,\"data\":\"no\"}"
        "\n"
        "native code says hello\n"
        "{\"not\":\"a message\"}\n"
        "{\"data\":\"b\",\"caption\":\"c\",\"pos\":{\"column\":0,\"line\":3},\"severity\":"
        "\"warning\",\"kind\":\"some.kind\",\"endPos\":{\"line\":4,\"column\":5}}\n"
        "{\"severity\":\"information\",\"data\":\"42\\n\",\"kind\":\"[anonymous]\"}\n"
        "on its way {\"x\":1} "
        "{\"pos\":{\"line\":5,\"column\":6},\"severity\":\"warning\",\"data\":\"w\"}\n"
        "{\"severity\":\"warning\",\"data\":\"a NUL: \\u0000\"}\n"
        "{\"severity\":\"error\",\"data\":\"cut";
    LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages messages = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
    struct lwb_error err;

    (void)state;
    assert_int_equal(lwb_lean_messages_add_json(&messages, lwb_bytes_text(output), &err), LWB_OK);
    assert_string_equal(describe(&messages, &out),
                        "E 1:2 no|W 3:0 c:\nb|I -1:-1 42\n|W 5:6 w|"
                        "W -1:-1 {\"severity\":\"warning\",\"data\":\"a NUL: \\u0000\"}|"
                        "E -1:-1 {\"severity\":\"error\",\"data\":\"cut|");
    assert_int_equal(messages.items[0].end_line, -1);
    assert_int_equal(messages.items[1].end_line, 4);
    assert_string_equal(messages.items[1].code.ptr, "some.kind");
    assert_string_equal(messages.items[2].code.ptr, "");
}

static void a_sorry_is_known_whatever_its_quotes(void **state)
{
    static const struct {
        const char *output;
        const char *code;
    } cases[] = {
        { "A.lean:1:0: warning: declaration uses 'sorry'\n", "hasSorry" },
        { "A.lean:1:0: warning: declaration uses `sorry`\n", "hasSorry" },
        { "A.lean:1:0: warning: declaration uses \xe2\x80\x98sorry\xe2\x80\x99\n", "hasSorry" },
        { "A.lean:1:0: warning: declaration uses 'sorry' twice\n", "" },
        { "A.lean:1:0: warning: declaration uses 'x'\n", "" },
        { "A.lean:1:0: error: declaration uses 'sorry'\n", "" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages messages = { 0 };
        struct lwb_error err;

        assert_int_equal(lwb_lean_messages_add_text(&messages, lwb_bytes_text(cases[i].output),
                                                    "A.lean", true, &err),
                         LWB_OK);
        assert_string_equal(messages.items[0].code.ptr, cases[i].code);
    }
}

static void roots_are_replaced_in_texts(void **state)
{
    LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages messages = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
    struct lwb_error err;

    (void)state;
    assert_int_equal(lwb_lean_messages_add_text(&messages,
                                                lwb_bytes_text("/s/1/A and /s/1 but /s/2\n/s/1\n"),
                                                "A", true, &err),
                     LWB_OK);
    assert_int_equal(lwb_lean_messages_reroot(&messages, "/s/1", "/tree", &err), LWB_OK);
    assert_string_equal(describe(&messages, &out), "I -1:-1 /tree/A and /tree but /s/2\n/tree|");
}

static void what_a_worker_may_word_otherwise(void **state)
{
    static const struct {
        const char *output;
        bool may;
    } cases[] = {
        { "", false },
        { "x : Nat\n", false },
        { "[1, 2]\n", false },
        { "[1]\n", false },
        { "[] x\n", false },
        { "[a b] x\n", false },
        { "[Meta.debug", false },
        { "A:1:0: warning: declaration uses 'sorry'\n", false },
        { "A:1:0: warning: declaration uses 'sorry' twice\n", true },
        { "A:1:0: warning: x\n", true },
        { "A:1:0: error: x\n", true },
        { "x : Nat\nA:1:0: warning: declaration uses 'sorry'\nA:2:0: error: x\n", true },
        { "[Meta.debug] x\n", true },
        { "seen: [Meta.isDefEq] (trace hidden)\n", true },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages messages = { 0 };
        struct lwb_error err;

        assert_int_equal(
            lwb_lean_messages_add_text(&messages, lwb_bytes_text(cases[i].output), "A", true, &err),
            LWB_OK);
        assert_int_equal(lwb_lean_messages_may_be_reworded(&messages), cases[i].may);
    }
}

/* The words of all years; a name that is none is an error of the file itself. */
static void imports_are_blamed_by_the_words_of_the_first_error(void **state)
{
    static const struct {
        const char *output;
        bool blamed;
    } cases[] = {
        { "A:1:0: error: unknown package 'B'\n", true },
        { "A:1:0: error: unknown package '[anonymous]'\n", false },
        { "A:1:0: error: unknown module prefix 'B'\n\nNo directory 'B'\n", true },
        { "A:1:0: error: object file '/l/B.olean' of module B does not exist\n", true },
        { "A:1:0: error: failed to open file '/l/B.olean': Permission denied\n", true },
        { "A:1:0: error: failed to read file '/l/B.olean', incompatible header\n", true },
        { "A:1:0: error: failed to stat file '/l/B.olean': Input/output error\n", true },
        { "A:1:0: error: import B failed, environment already contains 'x' from C\n", false },
        { "A:1:0: error: expected command\nA:1:0: error: unknown package 'B'\n", false },
        { "A:1:0: warning: unknown package 'B'\nA:2:0: error: x\n", false },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages messages = { 0 };
        struct lwb_error err;

        assert_int_equal(
            lwb_lean_messages_add_text(&messages, lwb_bytes_text(cases[i].output), "A", true, &err),
            LWB_OK);
        if (lwb_lean_messages_blame_imports(&messages) != cases[i].blamed)
            fail_msg("%s", cases[i].output);
    }
}

static void judgement_follows_the_rules(void **state)
{
#define DONE(code)                                                                                 \
    {                                                                                              \
        .finished = true, .exit_code = (code)                                                      \
    }
    static const struct {
        const char *output;
        struct lwb_lean_ending ending;
        enum lwb_verdict verdict;
        enum lwb_reason reason;
        bool storable;
    } cases[] = {
        { "", DONE(0), LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true },
        { "A:1:0: warning: x\n", DONE(0), LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true },
        { "A:1:0: error: x\n", DONE(1), LWB_VERDICT_REJECTED, LWB_REASON_NONE, true },
        { "A:1:0: error: x\n", DONE(0), LWB_VERDICT_REJECTED, LWB_REASON_NONE, true },
        { "", DONE(1), LWB_VERDICT_NONE, LWB_REASON_NO_MESSAGE, false },
        { "A:1:0: warning: x\n", DONE(1), LWB_VERDICT_NONE, LWB_REASON_NO_MESSAGE, false },
        { "A:1:0: error: x\n", DONE(2), LWB_VERDICT_NONE, LWB_REASON_CRASH, false },
        { "A:1:0: error: x\n", { .signal = 6 }, LWB_VERDICT_NONE, LWB_REASON_CRASH, false },
        { "", { .finished = true, .signal = 11 }, LWB_VERDICT_NONE, LWB_REASON_CRASH, false },
        { "", { .timed_out = true }, LWB_VERDICT_NONE, LWB_REASON_TIME, false },
        { "", { .overflow = true }, LWB_VERDICT_NONE, LWB_REASON_OVERFLOW, false },
        { "A:1:0: error: maximum recursion depth has been reached (use ...)\n", DONE(1),
          LWB_VERDICT_REJECTED, LWB_REASON_LIMIT, false },
        { "A:1:0: error: x\nA:2:0: error: (deterministic) timeout at 'whnf'\n", DONE(1),
          LWB_VERDICT_REJECTED, LWB_REASON_LIMIT, false },
        { "A:1:0: error: excessive memory consumption detected at 'x'\n", DONE(1), LWB_VERDICT_NONE,
          LWB_REASON_MEMORY, false },
        { "A:1:0: error: unknown package 'B'\nA:2:0: error: unknown identifier\n", DONE(1),
          LWB_VERDICT_NONE, LWB_REASON_IMPORT, false },
        { "A:1:0: error: object file 'B.olean' of module B does not exist\n", DONE(1),
          LWB_VERDICT_NONE, LWB_REASON_IMPORT, false },
        /* A header that does not parse is the file's own fault. */
        { "A:2:0: error: expected identifier\nA:1:0: error: unknown package '[anonymous]'\n",
          DONE(1), LWB_VERDICT_REJECTED, LWB_REASON_NONE, true },
        { "",
          { .finished = true, .panicked = true },
          LWB_VERDICT_ACCEPTED,
          LWB_REASON_PANIC,
          false },
        { "A:1:0: error: x\n",
          { .finished = true, .exit_code = 1, .panicked = true },
          LWB_VERDICT_REJECTED,
          LWB_REASON_PANIC,
          false },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages messages = { 0 };
        struct lwb_lean_judgement got;
        struct lwb_error err;

        assert_int_equal(
            lwb_lean_messages_add_text(&messages, lwb_bytes_text(cases[i].output), "A", true, &err),
            LWB_OK);
        got = lwb_lean_judge(&messages, &cases[i].ending);
        assert_int_equal(got.verdict, cases[i].verdict);
        assert_int_equal(got.reason, cases[i].reason);
        assert_int_equal(got.storable, cases[i].storable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_at_positions),
        cmocka_unit_test(a_run_that_went_well_has_no_errors),
        cmocka_unit_test(json_lines_are_messages),
        cmocka_unit_test(a_sorry_is_known_whatever_its_quotes),
        cmocka_unit_test(roots_are_replaced_in_texts),
        cmocka_unit_test(what_a_worker_may_word_otherwise),
        cmocka_unit_test(imports_are_blamed_by_the_words_of_the_first_error),
        cmocka_unit_test(judgement_follows_the_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
