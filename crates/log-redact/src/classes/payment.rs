//! Payment providers and shops.

use super::{Alphabet, Class, between, exactly, literal};
use crate::class::{Group, Rule};
use crate::shape::Shape;
use crate::wrap::Length;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::Payment, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "stripe-key",
        "Secret or restricted key of Stripe",
        "https://docs.stripe.com/keys",
        Rule::Shapes(&[Shape::new(
            &["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
            &[between(Alphabet::ALNUM, 16, 247)],
        )]),
    ),
    class(
        "stripe-webhook-secret",
        "Signing secret of a webhook of Stripe",
        "https://docs.stripe.com/webhooks/signature",
        Rule::Shapes(&[Shape::new(&["whsec_"], &[between(Alphabet::STD64_PADDED, 24, 96)])]),
    )
    // The document promises no length.
    .length(Length::AtLeast(38)),
    class(
        "square-token",
        "Access token or application secret of Square",
        "https://developer.squareup.com/docs/build-basics/access-tokens",
        Rule::Shapes(&[
            Shape::new(&["sq0atp-"], &[between(Alphabet::URL64, 22, 24)]),
            Shape::new(&["sq0csp-"], &[exactly(Alphabet::URL64, 43)]),
            Shape::new(&["EAAA"], &[exactly(Alphabet::URL64, 60)]),
        ]),
    ),
    class(
        "shopify-token",
        "Token or shared secret of Shopify",
        "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens",
        Rule::Shapes(&[Shape::new(
            &["shpat_", "shpca_", "shppa_", "shpss_", "shpua_"],
            &[exactly(Alphabet::HEX, 32)],
        )]),
    ),
    class(
        "braintree-token",
        "Access token of PayPal Braintree",
        "https://developer.paypal.com/braintree/docs/guides/extend/oauth/access-tokens",
        Rule::Shapes(&[Shape::new(
            &["access_token$production$", "access_token$sandbox$"],
            &[exactly(Alphabet::LOWER_DIGITS, 16), literal("$"), exactly(Alphabet::HEX_LOWER, 32)],
        )]),
    ),
    class(
        "razorpay-key-id",
        "API key of Razorpay",
        "https://razorpay.com/docs/api/authentication/",
        Rule::Shapes(&[Shape::new(&["rzp_live_", "rzp_test_"], &[exactly(Alphabet::ALNUM, 14)])]),
    ),
    class(
        "plaid-access-token",
        "Access token of Plaid",
        "https://plaid.com/docs/api/items/",
        Rule::Shapes(&[Shape::new(
            &["access-production-", "access-sandbox-", "access-development-"],
            &[
                exactly(Alphabet::HEX, 8),
                literal("-"),
                exactly(Alphabet::HEX, 4),
                literal("-"),
                exactly(Alphabet::HEX, 4),
                literal("-"),
                exactly(Alphabet::HEX, 4),
                literal("-"),
                exactly(Alphabet::HEX, 12),
            ],
        )]),
    ),
    class(
        "flutterwave-key",
        "Secret key of Flutterwave",
        "https://developer.flutterwave.com/docs/authentication",
        Rule::Shapes(&[
            Shape::new(&["FLWSECK-"], &[between(Alphabet::HEX_LOWER, 12, 32), literal("-X")]),
            Shape::new(&["FLWSECK_TEST-"], &[between(Alphabet::SLACK, 12, 40)]),
        ]),
    ),
    class(
        "easypost-api-key",
        "API key of EasyPost",
        "https://docs.easypost.com/docs/authentication",
        Rule::Shapes(&[Shape::new(&["EZAK", "EZTK"], &[exactly(Alphabet::ALNUM, 54)])]),
    ),
    class(
        "shippo-api-token",
        "API token of Shippo",
        "https://docs.goshippo.com/docs/guides_general/authentication/",
        Rule::Shapes(&[Shape::new(&["shippo_live_", "shippo_test_"], &[exactly(Alphabet::HEX_LOWER, 40)])]),
    ),
    class(
        "duffel-access-token",
        "Access token of Duffel",
        "https://duffel.com/docs/api/overview/making-requests",
        Rule::Shapes(&[Shape::new(
            &["duffel_test_", "duffel_live_"],
            &[between(Alphabet::URL64_EQUALS, 43, 43)],
        )]),
    ),
];
