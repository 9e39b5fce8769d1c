# What people do here, as one-liners. `just` lists them.

_default:
    @just --list --unsorted

# The kit against the reference server
run *ARGS:
    cargo run --bin chatspec -- {{ARGS}}

# Everything is tested
test *ARGS:
    cargo test {{ARGS}}

# The reference server, in memory
serve *ARGS:
    cargo run --bin chatspec-server -- --in-memory {{ARGS}}

# The official client, for the playground of the next build
playground:
    scripts/playground.sh

# What CI runs
ci:
    .ci/run

# Formatting and lints
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

# Licences and sources of the dependencies
deny:
    cargo deny check licenses bans sources

# The official JavaScript client and python-socketio against the reference server
clients:
    scripts/clients.sh

# What docs/realtime.md says, and its client programs, two by two
guide *FILTERS:
    scripts/guide.sh {{FILTERS}}

# The HTML report and the server's /docs in Chromium
browser *FILTERS:
    scripts/browser.sh {{FILTERS}}

# What docs/install.md says: files looked over, programs installed, images built and run
packages:
    scripts/lint-packages.sh
    scripts/install.sh
    scripts/images.sh

# What the README's two commands cost from nothing
bench-build *ARGS:
    scripts/bench-build.sh {{ARGS}}

# Suite time over the longest window
bench-suite *ARGS:
    scripts/bench-suite.sh {{ARGS}}

# Every sabotage on the reference server; writes docs/detection.md
sabotage *ARGS:
    scripts/sabotage.sh {{ARGS}}

# Suite time through the proxy over that without
bench-proxy *ARGS:
    scripts/bench-proxy.sh {{ARGS}}

# Changes in the rules of the server, one at a time: do its tests notice?
mutants *ARGS:
    scripts/mutants.sh {{ARGS}}
