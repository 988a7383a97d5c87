//! What stands behind the ports in production: the API server, HTTP probes, watches. Thin; tested on a
//! real API server in `tests/e2e`.

mod event_series;
mod http_prober;
mod kube_store;
mod watch;

pub use http_prober::HttpProber;
pub use kube_store::KubeStore;
pub use watch::hints;
