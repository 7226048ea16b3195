# The few daily commands. `just ci` is exactly what CI runs.

# all checks
ci:
    ./tests/run

# the bundled scenarios
drill *ARGS:
    cargo run --release -- run {{ARGS}}

# write golden files anew; read them before committing
golden:
    UPDATE_GOLDEN=1 cargo test --test golden

# against Postfix's tools and HAProxy
bench:
    ./benches/run
