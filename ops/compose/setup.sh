#!/bin/sh
# `setup.sh FOLDER`: runs once before the other processes; safe to run again.
# The merchants of FOLDER speak to 127.0.0.1; in this network the sandbox and the gateway have names.
set -eu
for file in "$1"/*.toml; do
    sed -e 's#//127\.0\.0\.1:8900#//sandbox:8900#' -e 's#//127\.0\.0\.1:8080#//gateway:8080#' \
        -e 's#^base_url = #plain_http = true\nbase_url = #' "$file" > "$RETURNFLOW_MERCHANTS/$(basename "$file")"
done
returnflow merchants check
returnflow topics apply
returnflow ledger upgrade
