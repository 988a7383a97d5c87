//! Monitoring, logging, error tracking.

use super::{Alphabet, Class, between, exactly, key, key_of, literal};
use crate::class::{Code, Group, Rule};
use crate::shape::Shape;
use crate::wrap::Length;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::Observability, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "grafana-service-account-token",
        "Service account token of Grafana",
        "https://grafana.com/docs/grafana/latest/administration/service-accounts/",
        Rule::Shapes(&[Shape::new(
            &["glsa_"],
            &[exactly(Alphabet::ALNUM, 32), literal("_"), exactly(Alphabet::HEX, 8)],
        )]),
    ),
    class(
        "grafana-cloud-token",
        "Access policy token of Grafana Cloud",
        "https://grafana.com/docs/grafana-cloud/account-management/authentication-and-permissions/access-policies/",
        Rule::Shapes(&[Shape::new(&["glc_"], &[between(Alphabet::STD64_PADDED, 32, 400)])]),
    )
    .length(Length::Groups),
    class(
        "grafana-api-key",
        "API key of Grafana before version 9",
        "https://grafana.com/docs/grafana/latest/administration/service-accounts/migrate-api-keys/",
        Rule::Shapes(&[Shape::new(&["eyJrIjoi"], &[between(Alphabet::STD64_PADDED, 60, 160)])]),
    ),
    class(
        "newrelic-key",
        "Key of New Relic",
        "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/",
        Rule::Shapes(&[
            Shape::new(&["NRAK-", "NRAL-", "NRRA-"], &[between(Alphabet::UPPER_DIGITS, 27, 42)]),
            Shape::new(&["NRII-"], &[between(Alphabet::URL64, 32, 36)]),
            Shape::new(&["NRJS-"], &[between(Alphabet::HEX_LOWER, 19, 19)]),
            Shape::new(&["NRAL"], &[]).before(Alphabet::HEX_LOWER, 36, 36),
        ]),
    )
    .length(Length::Exactly(&[32])),
    class(
        "datadog-key",
        "API or application key of Datadog",
        "https://docs.datadoghq.com/account_management/api-app-keys/",
        Rule::Keys(&[
            key_of("dd", "apikey"),
            key_of("dd", "appkey"),
            key_of("datadog", "apikey"),
            key_of("datadog", "appkey"),
            key_of("dd", "applicationkey"),
            key_of("datadog", "applicationkey"),
        ]),
    )
    // The document promises no length: keys of the API have 32, those of applications 40.
    .length(Length::AtLeast(32)),
    class(
        "sentry-token",
        "Auth token of Sentry",
        "https://docs.sentry.io/account/auth-tokens/",
        Rule::Shapes(&[
            Shape::new(&["sntrys_"], &[between(Alphabet::STD64_TOKEN, 60, 600)]),
            Shape::new(&["sntryu_", "sntrya_", "sntryi_"], &[exactly(Alphabet::HEX_LOWER, 64)]),
        ]),
    ),
    class(
        "sentry-dsn",
        "Client key in a DSN of Sentry",
        "https://docs.sentry.io/concepts/key-terms/dsn-explainer/",
        Rule::Code(Code::SentryDsn),
    ),
    class(
        "dynatrace-token",
        "Token of Dynatrace",
        "https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients/access-tokens",
        Rule::Shapes(&[Shape::new(
            &["dt0c01.", "dt0s01.", "dt0s02.", "dt0s16."],
            &[exactly(Alphabet::UPPER_DIGITS, 24), literal("."), exactly(Alphabet::UPPER_DIGITS, 64)],
        )]),
    ),
    class(
        "honeycomb-key",
        "Ingest or configuration key of Honeycomb",
        "https://docs.honeycomb.io/get-started/configure/environments/manage-api-keys/",
        Rule::ShapesAndKeys(
            &[Shape::new(
                &["hcaik_", "hcbik_", "hcalk_", "hcxik_", "hcamk_"],
                &[between(Alphabet::LOWER_DIGITS, 58, 64)],
            )],
            &[key_of("honeycomb", "apikey")],
        ),
    ),
    class(
        "posthog-key",
        "Personal API key of PostHog",
        "https://posthog.com/docs/api#authentication",
        Rule::Shapes(&[Shape::new(&["phx_"], &[between(Alphabet::ALNUM, 40, 64)])]),
    )
    .length(Length::Exactly(&[47])),
    class(
        "pagerduty-key",
        "Key of PagerDuty",
        "https://support.pagerduty.com/main/docs/api-access-keys",
        Rule::Keys(&[
            key_of("pagerduty", "token"),
            key_of("pagerduty", "apikey"),
            key_of("pagerduty", "integrationkey"),
            key("routingkey"),
        ]),
    )
    // The document: keys of the REST API are 20-character strings. Those of the events API have 32.
    .length(Length::Exactly(&[20, 32])),
];
