# All configurations share one check.
file(WRITE "${source}/a.ndjson" "fine\n")
project("add_lean_check(proofs ALL EXPORTS a.ndjson)")
configure()
build(--config Debug)
expect_runs(1)
build(--config Release)
expect_runs(0)
file(WRITE "${source}/a.ndjson" "changed\n")
build(--config Release)
expect_runs(1)
build(--config Debug)
expect_runs(0)

# What depends on the configuration cannot be checked once for all of them.
project("add_lean_check(proofs EXPORTS a.ndjson ALLOW_AXIOMS \$<IF:\$<CONFIG:Debug>,*,propext>)")
configure_fails()
expect_output("add_lean_check\\(proofs\\): .* behind ALLOW_AXIOMS depends on the configuration, and all share one check; make a target")
