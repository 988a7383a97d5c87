//! What a client can be built from.

use std::sync::Arc;

use llm_client::{Error, HttpChat, HttpChatBuilder, Profile, TokenBudget};
use serde_json::json;

use crate::endpoint::{Endpoint, Reply, key};

fn builder(profile: Profile) -> HttpChatBuilder {
    HttpChat::builder(profile, "m").transport(Arc::new(Endpoint::always(Reply::says("ok"))))
}

#[test]
fn a_client_that_could_not_work_is_not_built() {
    let broken = [
        (builder(Profile::OpenAi), "openai needs an API key"),
        (builder(Profile::DeepSeek).key(""), "the API key is empty"),
        (builder(Profile::DeepSeek).key(format!("{}\n", key())), "characters that no key has"),
        (builder(Profile::Ollama).base_url("ftp://h/".parse().expect("a URL")), "not an http or https URL"),
        (builder(Profile::Ollama).budget(Arc::new(TokenBudget::new(9))), "a budget needs max_tokens"),
        (builder(Profile::Ollama).extra("stream", json!(true)), "the extra field stream is the client's own"),
        (HttpChat::builder(Profile::Ollama, " "), "the model has no name"),
    ];
    for (builder, expected) in broken {
        let error = builder.build().expect_err(expected);
        assert!(matches!(error, Error::Config { .. }) && error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("EXAMPLE"), "{error}");
    }
}

#[test]
fn roots_that_are_no_certificates_are_refused() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pem = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n";
    let builder = HttpChat::builder(Profile::Ollama, "m").root_certificates(pem);
    let error = builder.build().expect_err("no certificate");
    assert!(error.to_string().contains("no HTTPS connection can be made"), "{error}");
}

#[test]
fn a_client_is_named_by_its_profile_and_host_unless_told_otherwise() {
    assert_eq!(builder(Profile::Ollama).build().expect("a client").service(), "ollama at localhost:11434");
    assert_eq!(builder(Profile::Ollama).service("mine").build().expect("a client").service(), "mine");
}
