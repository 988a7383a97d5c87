//! Sending of mail and short messages.

use super::{Alphabet, Class, between, exactly, key, key_of, literal};
use crate::class::{Group, Rule};
use crate::shape::Shape;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::Messaging, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "sendgrid-api-key",
        "API key of SendGrid",
        "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
        Rule::Shapes(&[Shape::new(
            &["SG."],
            &[exactly(Alphabet::URL64, 22), literal("."), exactly(Alphabet::URL64, 43)],
        )]),
    ),
    class(
        "mailgun-api-key",
        "API key of Mailgun",
        "https://documentation.mailgun.com/docs/mailgun/api-reference/mg-auth",
        Rule::ShapesAndKeys(
            &[Shape::new(&["key-"], &[exactly(Alphabet::HEX_LOWER, 32)])],
            &[key_of("mailgun", "apikey"), key_of("mailgun", "signingkey")],
        ),
    ),
    class(
        "hubspot-token",
        "Access token of a private app of HubSpot",
        "https://developers.hubspot.com/docs/guides/apps/private-apps/overview",
        Rule::Shapes(&[Shape::new(&["pat-na1-", "pat-na2-", "pat-eu1-"], &[exactly(Alphabet::SLACK, 36)])]),
    ),
    class(
        "mailchimp-api-key",
        "API key of Mailchimp",
        "https://mailchimp.com/developer/marketing/guides/quick-start/",
        Rule::Shapes(&[Shape::new(&["-us"], &[between(Alphabet::DIGITS, 1, 2)]).before(
            Alphabet::HEX_LOWER,
            32,
            32,
        )]),
    ),
    class(
        "mandrill-api-key",
        "API key of Mailchimp Transactional",
        "https://mailchimp.com/developer/transactional/guides/quick-start/",
        Rule::Shapes(&[Shape::new(&["md-"], &[exactly(Alphabet::URL64, 22)])]),
    ),
    class(
        "brevo-api-key",
        "API or SMTP key of Brevo",
        "https://developers.brevo.com/docs/getting-started",
        Rule::Shapes(&[Shape::new(
            &["xkeysib-", "xsmtpsib-"],
            &[exactly(Alphabet::HEX_LOWER, 64), literal("-"), exactly(Alphabet::ALNUM, 16)],
        )]),
    ),
    class(
        "resend-api-key",
        "API key of Resend",
        "https://resend.com/docs/dashboard/api-keys/introduction",
        Rule::Shapes(&[Shape::new(
            &["re_"],
            &[exactly(Alphabet::ALNUM, 8), literal("_"), exactly(Alphabet::ALNUM, 24)],
        )]),
    ),
    class(
        "twilio-api-key",
        "API key of Twilio",
        "https://www.twilio.com/docs/iam/api-keys",
        Rule::ShapesAndKeys(
            &[Shape::new(&["SK"], &[exactly(Alphabet::HEX_LOWER, 32)])],
            &[key_of("twilio", "authtoken")],
        ),
    ),
    class(
        "twilio-account-sid",
        "Account id of Twilio",
        "https://www.twilio.com/docs/iam/api/account",
        Rule::Shapes(&[Shape::new(&["AC"], &[exactly(Alphabet::HEX_LOWER, 32)])]),
    ),
    class(
        "postmark-token",
        "Server token of Postmark",
        "https://postmarkapp.com/developer/api/overview",
        Rule::Keys(&[key("postmarkservertoken"), key("postmarkaccounttoken"), key_of("postmark", "token")]),
    ),
];
