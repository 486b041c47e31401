#include "tests/support/test.h"

#include <unistd.h>

#include "child/lean/lean_host.h"
#include "child/lean/lean_version.h"
#include "child/lean/olean_file.h"
#include "tests/support/lean_session.h"
#include "tests/support/real_lean.h"

/* The session contract with an installed Lean. */

static struct lwb_toolchain toolchain;

static void open_real(struct lean_session *lean, const char *import)
{
    lean_session_prepare(lean, toolchain.prefix, toolchain.version);
    if (import)
        assert_int_equal(lwb_strvec_append(&lean->imports, import), 0);
    lean_session_open(lean);
}

/* Whether a rejection can be had from a worker of this Lean. */
static bool has_worker_text(void)
{
    struct lwb_lean_version version;

    assert_int_equal(lwb_lean_version_parse(&version, toolchain.version), 0);
    return lwb_lean_version_has(&version, LWB_LEAN_WORKER_TEXT);
}

static void check(struct lean_session *lean, const char *source)
{
    if (lean_session_check(lean, source) < 0)
        fail_msg("%s", lean->err.text);
}

static void check_fresh(struct lean_session *lean, const char *file, const char *source,
                        bool want_artifact)
{
    struct lwb_check_request request = { .module = "A",
                                         .file = file,
                                         .source = lwb_bytes_text(source),
                                         .isolation = LWB_ISOLATION_FRESH,
                                         .want_artifact = want_artifact };

    if (lean_session_check_as(lean, &request) < 0)
        fail_msg("%s", lean->err.text);
}

static void proofs_are_accepted_and_rejected(void **state)
{
    struct lean_session lean;

    (void)state;
    open_real(&lean, NULL);
    check(&lean, "theorem two : 1 + 1 = 2 := rfl\n");
    assert_int_equal(lean.response.verdict, LWB_VERDICT_ACCEPTED);
    assert_false(lean.response.fresh);
    check(&lean, "theorem three : 1 + 1 = 3 := rfl\n");
    assert_int_equal(lean.response.verdict, LWB_VERDICT_REJECTED);
    assert_int_equal(lean.response.fresh, !has_worker_text());
    assert_true(lean.response.storable);
    assert_int_equal(lean.call.diagnostics[0].line, 1);
    check(&lean, "theorem later (p : Prop) : p := sorry\n");
    assert_int_equal(lean.response.verdict, LWB_VERDICT_ACCEPTED);
    assert_string_equal(lean.call.diagnostics[0].code.ptr, "hasSorry");
    lean_session_finish(&lean);
}

/* `lean FILE` exits with 0 and prints nothing, errors that it had found before included. */
static void a_file_that_ends_lean_is_not_accepted(void **state)
{
    static const char *const sources[] = {
        "#eval (IO.Process.exit 0 : IO Unit)\ntheorem x : 1 = 2 := rfl\n",
        "theorem x : 1 = 2 := rfl\n#eval (IO.Process.exit 0 : IO Unit)\n",
    };
    struct lean_session lean;

    (void)state;
    open_real(&lean, NULL);
    for (size_t i = 0; i < LWB_COUNT(sources); i++) {
        check(&lean, sources[i]);
        assert_int_equal(lean.response.verdict, LWB_VERDICT_NONE);
        assert_int_equal(lean.response.reason, LWB_REASON_ARTIFACT);
        assert_false(lean.response.storable);
    }
    lean_session_finish(&lean);
}

static void a_check_that_is_cut_short_leaves_nothing_behind(void **state)
{
    struct lwb_check_request endless = {
        .module = "A",
        .file = "A.lean",
        .source = lwb_bytes_text("partial def f (n : Nat) : IO Nat := f (n + 1)\n#eval f 0\n"),
        .deadline_ms = 300,
    };
    struct lean_session lean;

    (void)state;
    open_real(&lean, NULL);
    check(&lean, "def x := 1\n");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lean_session_check_as(&lean, &endless), LWB_OK);
        assert_int_equal(lean.response.verdict, LWB_VERDICT_NONE);
        assert_int_equal(lean.response.reason, LWB_REASON_TIME);
        check(&lean, "theorem three : 1 + 1 = 3 := rfl\n");
        assert_int_equal(lean.response.verdict, LWB_VERDICT_REJECTED);
        assert_int_equal(lean.call.n_diagnostics, 1);
    }
    lean_session_finish(&lean);
}

static void an_artifact_is_whole_and_the_same_twice(void **state)
{
    static const char source[] = "theorem two : 1 + 1 = 2 := rfl\ndef x := 5\n";
    struct lwb_digest first;
    struct lean_session lean;

    (void)state;
    for (int i = 0; i < 2; i++) {
        open_real(&lean, NULL);
        check_fresh(&lean, "Deep/Down/A.lean", source, true);
        assert_int_equal(lean.response.verdict, LWB_VERDICT_ACCEPTED);
        assert_true(lean.response.fresh);
        assert_true(lean.response.n_artifacts >= 1);
        assert_string_equal(lean.response.artifacts[0].part, "olean");
        if (i == 0)
            first = lean.response.artifacts[0].digest;
        else
            assert_int_equal(lwb_digest_compare(&first, &lean.response.artifacts[0].digest), 0);
        /* A comment at the end is nobody's business. */
        check_fresh(&lean, "Deep/Down/A.lean",
                    "theorem two : 1 + 1 = 2 := rfl\ndef x := 5\n-- done\n", true);
        assert_int_equal(lwb_digest_compare(&first, &lean.response.artifacts[0].digest), 0);
        lean_session_finish(&lean);
    }
}

/* The artifact of the last check becomes `name`.olean in the folder "lib". */
static void keep_artifact(struct lean_session *lean, const char *name)
{
    char path[400];

    assert_int_equal(lean->response.verdict, LWB_VERDICT_ACCEPTED);
    (void)snprintf(path, sizeof(path), "%s/lib/%s.olean", lean->scratch.dir, name);
    assert_int_equal(rename(lean->response.artifacts[0].path, path), 0);
}

static void open_with_lib(struct lean_session *lean, const char *import)
{
    lean_session_prepare(lean, toolchain.prefix, toolchain.version);
    scratch_write(&lean->scratch, "lib/keep", "");
    assert_int_equal(lwb_strvec_append(&lean->search_path, scratch_path(&lean->scratch, "lib")), 0);
    assert_int_equal(lwb_strvec_append(&lean->imports, import), 0);
    lean_session_open(lean);
}

/* A changes, B's artifact stays the same, and C is no longer right. */
static void a_change_is_seen_through_an_unchanged_import(void **state)
{
    static const char c_text[] = "import B\ntheorem c : a = 1 := rfl\n";
    struct lwb_digest before;
    struct lean_session lean;

    (void)state;
    open_with_lib(&lean, "A");
    check_fresh(&lean, "A.lean", "def a := 1\n", true);
    keep_artifact(&lean, "A");
    check_fresh(&lean, "B.lean", "import A\ndef b := 2\n", true);
    before = lean.response.artifacts[0].digest;
    keep_artifact(&lean, "B");
    check_fresh(&lean, "C.lean", c_text, false);
    assert_int_equal(lean.response.verdict, LWB_VERDICT_ACCEPTED);

    check_fresh(&lean, "A.lean", "def a := 3\n", true);
    keep_artifact(&lean, "A");
    check_fresh(&lean, "B.lean", "import A\ndef b := 2\n", true);
    assert_int_equal(lwb_digest_compare(&before, &lean.response.artifacts[0].digest), 0);
    check_fresh(&lean, "C.lean", c_text, false);
    assert_int_equal(lean.response.verdict, LWB_VERDICT_REJECTED);
    lean_session_finish(&lean);
}

/*
 * An imported `initialize` reference lives as long as the worker: a text is
 * accepted because of what was checked before it, and never so when fresh. The
 * other way round, a text that is right once and wrong the next time, is seen
 * where a worker rejects; elsewhere a fresh process has the word by then.
 */
static void a_reference_survives_between_warm_documents(void **state)
{
    static const char state_text[] = "import Lean\n"
                                     "initialize count : IO.Ref Nat ← IO.mkRef 0\n"
                                     "open Lean Elab Command in\n"
                                     "elab \"#once\" : command => do\n"
                                     "  if (← count.get) > 0 then throwError \"twice\"\n"
                                     "  count.modify (· + 1)\n"
                                     "open Lean Elab Command in\n"
                                     "elab \"#twice\" : command => do\n"
                                     "  if (← count.get) == 0 then throwError \"once\"\n";
    static const char once_text[] = "import State\n#once\n";
    static const char twice_text[] = "import State\n#twice\n";
    struct lean_session lean;

    (void)state;
    open_with_lib(&lean, "State");
    check_fresh(&lean, "State.lean", state_text, true);
    keep_artifact(&lean, "State");
    check(&lean, once_text);
    assert_false(lean.response.fresh);
    assert_int_equal(lean.response.verdict, LWB_VERDICT_ACCEPTED);
    check(&lean, twice_text);
    assert_false(lean.response.fresh);
    assert_int_equal(lean.response.verdict, LWB_VERDICT_ACCEPTED);
    check(&lean, once_text);
    assert_int_equal(lean.response.fresh, !has_worker_text());
    assert_int_equal(lean.response.verdict,
                     has_worker_text() ? LWB_VERDICT_REJECTED : LWB_VERDICT_ACCEPTED);
    for (int i = 0; i < 2; i++) {
        check_fresh(&lean, "A.lean", once_text, false);
        assert_int_equal(lean.response.verdict, LWB_VERDICT_ACCEPTED);
        check_fresh(&lean, "A.lean", twice_text, false);
        assert_int_equal(lean.response.verdict, LWB_VERDICT_REJECTED);
    }
    lean_session_finish(&lean);
}

/* A cut file must never be imported: that is SIGSEGV. */
static void a_cut_artifact_is_recognised(void **state)
{
    struct lean_session lean;
    struct lwb_error err;
    uint64_t size;

    (void)state;
    open_real(&lean, NULL);
    check_fresh(&lean, "A.lean", "theorem two : 1 + 1 = 2 := rfl\n", true);
    size = lean.response.artifacts[0].size;
    for (uint64_t cut = 1; cut < size; cut += 1 + size / 50) {
        assert_int_equal(truncate(lean.response.artifacts[0].path, (off_t)(size - cut)), 0);
        assert_int_not_equal(
            lwb_olean_inspect(lean.response.artifacts[0].path, LWB_OLEAN_FIRST, &err),
            LWB_OLEAN_WHOLE);
    }
    lean_session_finish(&lean);
}

/* ---- elaborate, kernel check, declarations --------------------------------------------------- */

static struct lwb_elaborate_response elaborate(struct lean_session *lean, const char *text,
                                               const char *name_space, uint64_t heartbeats)
{
    struct lwb_elaborate_request request = { .label = "text",
                                             .namespace_context = name_space,
                                             .heartbeats = heartbeats,
                                             .source = lwb_bytes_text(text) };
    struct lwb_elaborate_response response = { 0 };

    recording_call_clear(&lean->call);
    if (lwb_host_lean.elaborate(lean->session, &request, &lean->call, &response, &lean->err) < 0)
        fail_msg("%s", lean->err.text);
    return response;
}

static void text_is_elaborated_in_a_name_space(void **state)
{
    struct lean_session lean;

    (void)state;
    open_real(&lean, NULL);
    assert_true(elaborate(&lean, "theorem x : succ 1 = 2 := rfl\n", "Nat", 0).success);
    assert_false(elaborate(&lean, "\n  example : succ 1 = 3 := rfl\n", "Nat", 0).success);
    assert_int_equal(lean.call.diagnostics[0].line, 2);
    assert_false(elaborate(&lean, "example : succ 1 = 2 := rfl\n", NULL, 0).success);
    /* Nothing of one text is left for the next. */
    assert_true(elaborate(&lean, "theorem x : 1 = 1 := rfl\n", NULL, 0).success);
    lean_session_finish(&lean);
}

static void heartbeats_are_limited(void **state)
{
    static const char slow[] =
        "theorem slow : (List.iota 200).foldl (· + ·) 0 = 20100 := by decide\n";
    struct lean_session lean;

    (void)state;
    open_real(&lean, NULL);
    assert_false(elaborate(&lean, slow, NULL, 50).success);
    assert_non_null(strstr(lean.call.diagnostics[0].message.ptr, "heartbeats"));
    lean_session_finish(&lean);
}

static enum lwb_kernel_status kernel_check(struct lean_session *lean, const char *text)
{
    struct lwb_elaborate_request request = { .label = "text", .source = lwb_bytes_text(text) };
    struct lwb_kernel_response response = { 0 };

    recording_call_clear(&lean->call);
    if (lwb_host_lean.kernel_check(lean->session, &request, &lean->call, &response, &lean->err) < 0)
        fail_msg("%s", lean->err.text);
    return response.status;
}

static void the_kernel_is_asked_about_declarations(void **state)
{
    struct lean_session lean;

    (void)state;
    open_real(&lean, NULL);
    assert_int_equal(kernel_check(&lean, "theorem x : 1 = 1 := rfl"), LWB_KERNEL_CHECKED);
    assert_int_equal(kernel_check(&lean, "theorem x : 1 = 2 := rfl"), LWB_KERNEL_REJECTED);
    assert_int_equal(kernel_check(&lean, "theorem x : 1 = 1 := )"), LWB_KERNEL_UNAVAILABLE);
    assert_int_equal(kernel_check(&lean, "theorem x : 1 = 2 := sorry"), LWB_KERNEL_UNAVAILABLE);
    assert_int_equal(kernel_check(&lean, "#check Nat"), LWB_KERNEL_UNSUPPORTED);
    lean_session_finish(&lean);
}

static void declarations_have_kinds(void **state)
{
    static const char *const names[] = { "Nat",          "Nat.succ", "Nat.rec",   "Nat.add",
                                         "Nat.add_comm", "propext",  "Quot.lift", "no.such",
                                         "«no such».x",  "Nat.\"x\\" };
    static const char *const kinds[] = {
        "inductive", "constructor", "recursor", "definition", "theorem",
        "axiom",     "quotient",    "",         "",           ""
    };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec asked = { 0 };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec answer = { 0 };
    struct lean_session lean;

    (void)state;
    open_real(&lean, "Lean");
    for (size_t i = 0; i < LWB_COUNT(names); i++)
        assert_int_equal(lwb_strvec_append(&asked, names[i]), 0);
    if (lwb_host_lean.declaration_kinds(lean.session, &asked, &lean.call, &answer, &lean.err) < 0)
        fail_msg("%s", lean.err.text);
    assert_int_equal(answer.count, LWB_COUNT(kinds));
    for (size_t i = 0; i < LWB_COUNT(kinds); i++)
        assert_string_equal(answer.items[i], kinds[i]);
    lean_session_finish(&lean);
}

static bool holds(const struct lwb_strvec *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], name) == 0)
            return true;
    return false;
}

static void declarations_are_listed_by_prefix(void **state)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec names = { 0 };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec all = { 0 };
    struct lean_session lean;

    (void)state;
    open_real(&lean, "Lean");
    if (lwb_host_lean.declaration_names(lean.session, "Nat.add_c", &lean.call, &names, &lean.err) <
        0)
        fail_msg("%s", lean.err.text);
    assert_true(holds(&names, "Nat.add_comm"));
    for (size_t i = 0; i < names.count; i++)
        assert_int_equal(strncmp(names.items[i], "Nat.add_c", 9), 0);
    if (lwb_host_lean.declaration_names(lean.session, "", &lean.call, &all, &lean.err) < 0)
        fail_msg("%s", lean.err.text);
    assert_true(all.count > 10000);
    lean_session_finish(&lean);
}

static void declarations_need_lean_among_the_imports(void **state)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec names = { 0 };
    struct lean_session lean;

    (void)state;
    open_real(&lean, NULL);
    assert_int_equal(
        lwb_host_lean.declaration_names(lean.session, "", &lean.call, &names, &lean.err),
        LWB_ERR_UNSUPPORTED);
    lean_session_finish(&lean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proofs_are_accepted_and_rejected),
        cmocka_unit_test(a_file_that_ends_lean_is_not_accepted),
        cmocka_unit_test(a_check_that_is_cut_short_leaves_nothing_behind),
        cmocka_unit_test(an_artifact_is_whole_and_the_same_twice),
        cmocka_unit_test(a_change_is_seen_through_an_unchanged_import),
        cmocka_unit_test(a_reference_survives_between_warm_documents),
        cmocka_unit_test(a_cut_artifact_is_recognised),
        cmocka_unit_test(text_is_elaborated_in_a_name_space),
        cmocka_unit_test(heartbeats_are_limited),
        cmocka_unit_test(the_kernel_is_asked_about_declarations),
        cmocka_unit_test(declarations_have_kinds),
        cmocka_unit_test(declarations_are_listed_by_prefix),
        cmocka_unit_test(declarations_need_lean_among_the_imports),
    };
    int failed;

    real_lean_find(&toolchain);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    lwb_toolchain_release(&toolchain);
    return failed;
}
