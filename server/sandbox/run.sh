#!/usr/bin/env bash
# Starts the sandbox and Belay on the addresses of the local run, says where to go, and stops both on
# ctrl-c. Everything they remember is in .sandbox/; `make reset` forgets it. `make run` builds first.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-target}
data=.sandbox
# Bounds for getting ready. Both take a second or two on a laptop; the rest is for a machine that is
# busy compiling something else.
sandbox_ready_s=30
belay_ready_s=60

say() { printf '%s\n' "$*"; }

stop_with() {
    say "$1" >&2
    exit 1
}

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# $1 port, $2 path: whether it answers 200.
answers() {
    local line
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET %s HTTP/1.1\r\nHost: localhost:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
    IFS= read -r -t 5 line <&3 || line=
    exec 3>&-
    [[ $line == *" 200 "* ]]
} 2>/dev/null

# $1 name, $2 pid, $3 seconds, then the condition: waits for it, or shows why it will not come.
wait_for() {
    local name=$1 pid=$2 limit=$3 began=$SECONDS
    shift 3
    until "$@"; do
        if ! kill -0 "$pid" 2>/dev/null || [ $((SECONDS - began)) -ge "$limit" ]; then
            say "$name is not ready after $((SECONDS - began)) s. The end of $data/$name.log:" >&2
            tail -n 20 "$data/$name.log" >&2
            exit 1
        fi
        sleep 0.2
    done
}

for program in sandbox belay; do
    [ -x "$target/debug/$program" ] || stop_with "$target/debug/$program is not built; use \`make run\`"
done
[ -f "$target/site/manifest.json" ] || stop_with "$target/site is not built; use \`make run\`"

for use in "8000 portal" "8001 sandbox's-AWS" "8002 sandbox's-sign-in" "8009 sandbox's-control-door" "9464 metrics"; do
    read -r port what <<<"$use"
    if is_open "$port"; then
        stop_with "Port $port (${what//-/ }) is in use. Is another \`make run\` still going? \`lsof -i :$port\` or \`ss -ltnp\` says who."
    fi
done

mkdir -p "$data"
sandbox='' belay=''
stop() {
    trap - EXIT INT TERM
    # Belay first: it may finish what it is telling AWS.
    for pid in $belay $sandbox; do
        kill -TERM "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
    done
}
trap stop EXIT
trap 'say; say "Stopping."; stop; exit 0' INT TERM

# Nothing of the caller's own AWS or Belay set-up may leak in: not a profile, not a token.
for name in $(compgen -e | grep -E '^(BELAY|AWS)_' || true); do unset "$name"; done

"$target/debug/sandbox" serve --data "$data" >"$data/sandbox.log" 2>&1 &
sandbox=$!
wait_for sandbox "$sandbox" "$sandbox_ready_s" is_open 8009

export AWS_ENDPOINT_URL=http://127.0.0.1:8001 AWS_REGION=eu-central-1
export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox AWS_EC2_METADATA_DISABLED=true
export BELAY_PUBLIC_URL=http://localhost:8000
export BELAY_POLICY=server/sandbox/policy.toml
export BELAY_TABLE=belay BELAY_AUDIT_BUCKET=belay-audit
export BELAY_INSTANCE_ARN=arn:aws:sso:::instance/ssoins-6987a1b2c3d4e5f6
export BELAY_IDENTITY_STORE_ID=d-99670a1b2c
export BELAY_ACCESS_PORTAL_URL=https://d-99670a1b2c.awsapps.com
# The management account and the log archive: no policy can open them.
export BELAY_PROTECTED_ACCOUNTS=100000000001,666677778888
export BELAY_OIDC_ISSUER=http://localhost:8002
export BELAY_OIDC_CLIENT_ID=belay BELAY_OIDC_CLIENT_SECRET=belay-sandbox-secret
export BELAY_API_AUDIENCE=https://belay.example.com/api/v1
export LEPTOS_SITE_ROOT=$target/site

"$target/debug/belay" serve --role all >"$data/belay.log" 2>&1 &
belay=$!
wait_for belay "$belay" "$belay_ready_s" answers 8000 /readyz

cat <<'END'

  Belay is at    http://localhost:8000

  Sign in as     ana.silva, ben.okafor       on call: they ask for access
                 emma.lindqvist, farid.haddad security: they approve it
                 grace.chen                   platform: sees everything, approves nothing by that
                 hugo.martin                  audit: reads the history
                 (a page lets you pick; there is no password)

  To see the whole loop in a minute, ask for ReadOnlyAccess in Payments Production for 20 seconds as
  ana.silva, and approve it as emma.lindqvist in a private window (Safari may refuse the cookie of a
  page without TLS; Chrome, Edge and Firefox do not).

  To go in first and be signed for afterwards (break-glass), open AdministratorAccess in Payments
  Production as ben.okafor, and sign or reject it as emma.lindqvist.

  Logs           .sandbox/belay.log, .sandbox/sandbox.log
  AWS, pretend   aws --endpoint-url http://127.0.0.1:8001 sso-admin list-instances
                 (any region, access key and secret both `sandbox`)
  What AWS has   http://127.0.0.1:8009/state

  ctrl-c stops both; what they remember stays in .sandbox/ until `make reset`.

END

# One without the other is no use: if either ends, say which and stop.
while kill -0 "$sandbox" 2>/dev/null && kill -0 "$belay" 2>/dev/null; do sleep 1; done
name=belay
kill -0 "$belay" 2>/dev/null && name=sandbox
say "$name has stopped. The end of $data/$name.log:" >&2
tail -n 20 "$data/$name.log" >&2
exit 1
