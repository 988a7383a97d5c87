//! `loki-client` on a real Loki: see `tests/`.
