//! Hosting, edge and network providers.

use super::{Alphabet, Class, between, exactly, key_of, literal};
use crate::class::{Group, Rule};
use crate::shape::Shape;
use crate::wrap::Length;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::Hosting, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "heroku-api-key",
        "API key of Heroku",
        "https://devcenter.heroku.com/articles/authentication",
        Rule::ShapesAndKeys(
            &[
                Shape::new(&["HRKU-AA"], &[between(Alphabet::URL64, 58, 60)]),
                Shape::new(
                    &["HRKU-"],
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
                ),
            ],
            &[key_of("heroku", "apikey")],
        ),
    )
    .length(Length::Exactly(&[65])),
    class(
        "netlify-token",
        "Personal access token of Netlify",
        "https://docs.netlify.com/api/get-started/#authentication",
        Rule::Shapes(&[Shape::new(&["nfp_", "nfc_", "nfo_", "nfu_"], &[between(Alphabet::ALNUM, 36, 40)])]),
    )
    .length(Length::Exactly(&[40])),
    class(
        "fly-token",
        "Access token of Fly.io",
        "https://fly.io/docs/security/tokens/",
        Rule::Shapes(&[
            Shape::new(&["fm1r_", "fm1a_", "fm2_"], &[between(Alphabet::STD64_PADDED, 60, 4096)]),
            Shape::new(&["fo1_"], &[exactly(Alphabet::URL64, 43)]),
        ]),
    )
    .length(Length::Groups),
    class(
        "neon-api-key",
        "API key of Neon",
        "https://neon.com/docs/manage/api-keys",
        Rule::Shapes(&[Shape::new(&["napi_"], &[between(Alphabet::LOWER_DIGITS, 56, 72)])]),
    )
    .length(Length::Exactly(&[69])),
    class(
        "zoho-token",
        "Access or refresh token of Zoho",
        "https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html",
        Rule::Shapes(&[Shape::new(
            &["1000."],
            &[exactly(Alphabet::HEX_LOWER, 32), literal("."), exactly(Alphabet::HEX_LOWER, 32)],
        )]),
    ),
    class(
        "jenkins-api-token",
        "API token of Jenkins",
        "https://github.com/jenkinsci/jenkins/blob/master/core/src/main/java/jenkins/security/apitoken/ApiTokenStore.java",
        Rule::Shapes(&[Shape::new(&["11"], &[exactly(Alphabet::HEX_LOWER, 32)])]),
    ),
    class(
        "supabase-token",
        "Access token or secret key of Supabase",
        "https://supabase.com/docs/guides/api/api-keys",
        Rule::Shapes(&[
            Shape::new(&["sbp_"], &[exactly(Alphabet::HEX_LOWER, 40)]),
            Shape::new(&["sb_secret_"], &[between(Alphabet::URL64, 20, 64)]),
        ]),
    ),
    class(
        "planetscale-token",
        "Password or token of PlanetScale",
        "https://planetscale.com/docs/concepts/service-tokens",
        Rule::Shapes(&[Shape::new(
            &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
            &[between(Alphabet::URL64, 32, 64)],
        )]),
    )
    .length(Length::Exactly(&[53, 54, 56])),
    class(
        "tailscale-key",
        "Key of Tailscale",
        "https://tailscale.com/kb/1277/key-prefixes",
        Rule::Shapes(&[Shape::new(
            &["tskey-auth-", "tskey-api-", "tskey-client-", "tskey-scim-", "tskey-webhook-"],
            &[between(Alphabet::ALNUM, 8, 24), literal("-"), between(Alphabet::ALNUM, 24, 64)],
        )]),
    )
    .length(Length::Exactly(&[61])),
    class(
        "databricks-token",
        "Personal access token of Databricks",
        "https://docs.databricks.com/en/dev-tools/auth/pat.html",
        Rule::Shapes(&[
            Shape::new(&["dapi"], &[exactly(Alphabet::HEX_LOWER, 32)]),
            Shape::new(&["dose"], &[exactly(Alphabet::HEX_LOWER, 32)]),
        ]),
    ),
    class(
        "terraform-token",
        "API token of HCP Terraform",
        "https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens",
        Rule::Shapes(&[Shape::new(&[".atlasv1."], &[between(Alphabet::URL64, 60, 80)]).before(
            Alphabet::ALNUM,
            14,
            14,
        )]),
    )
    .length(Length::Exactly(&[90])),
    class(
        "pulumi-token",
        "Access token of Pulumi",
        "https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/",
        Rule::Shapes(&[Shape::new(&["pul-"], &[exactly(Alphabet::HEX_LOWER, 40)])]),
    ),
    class(
        "contentful-token",
        "Personal access token of Contentful",
        "https://www.contentful.com/developers/docs/references/authentication/",
        Rule::Shapes(&[Shape::new(&["CFPAT-"], &[exactly(Alphabet::URL64, 43)])]),
    ),
    class(
        "launchdarkly-key",
        "SDK or API key of LaunchDarkly",
        "https://launchdarkly.com/docs/home/account/api",
        Rule::Shapes(&[Shape::new(
            &["sdk-", "api-"],
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
        "dropbox-token",
        "Short-lived access token of Dropbox",
        "https://developers.dropbox.com/oauth-guide",
        Rule::Shapes(&[Shape::new(&["sl."], &[between(Alphabet::URL64, 120, 1400)])]),
    ),
    class(
        "render-api-key",
        "API key of Render",
        "https://render.com/docs/api",
        Rule::Shapes(&[Shape::new(&["rnd_"], &[between(Alphabet::ALNUM, 24, 40)])]),
    )
    .length(Length::Exactly(&[32])),
    class(
        "scalingo-token",
        "API token of Scalingo",
        "https://developers.scalingo.com/tokens",
        Rule::Shapes(&[Shape::new(&["tk-us-"], &[exactly(Alphabet::URL64, 48)])]),
    ),
    class(
        "mapbox-token",
        "Access token of Mapbox",
        "https://docs.mapbox.com/help/dive-deeper/access-tokens/",
        Rule::Shapes(&[Shape::new(
            &["sk.eyJ", "pk.eyJ", "tk.eyJ"],
            &[between(Alphabet::URL64, 20, 200), literal("."), between(Alphabet::URL64, 20, 40)],
        )]),
    )
    // A signature of 16 bytes; the document promises no length.
    .length(Length::Ending(b'.', 22)),
    class(
        "clickhouse-cloud-key",
        "Secret of an API key of ClickHouse Cloud",
        "https://clickhouse.com/docs/cloud/manage/openapi",
        Rule::Shapes(&[Shape::new(&["4b1d"], &[exactly(Alphabet::ALNUM, 38)])]),
    ),
    class(
        "openshift-token",
        "OAuth access token of OpenShift",
        "https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/authentication_and_authorization/managing-oauth-access-tokens",
        Rule::Shapes(&[Shape::new(&["sha256~"], &[between(Alphabet::URL64, 43, 43)])]),
    ),
    class(
        "docker-swarm-token",
        "Join token of a Docker swarm",
        "https://docs.docker.com/reference/cli/docker/swarm/join-token/",
        Rule::Shapes(&[Shape::new(
            &["SWMTKN-1-"],
            &[between(Alphabet::LOWER_DIGITS, 49, 50), literal("-"), between(Alphabet::LOWER_DIGITS, 24, 26)],
        )]),
    )
    .length(Length::Exactly(&[85])),
    class(
        "prefect-api-key",
        "API key of Prefect",
        "https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/api-keys",
        Rule::Shapes(&[Shape::new(&["pnu_", "pnb_"], &[between(Alphabet::ALNUM, 36, 40)])]),
    )
    .length(Length::Exactly(&[40])),
    class(
        "adobe-client-secret",
        "Client secret of Adobe",
        "https://developer.adobe.com/developer-console/docs/guides/authentication/",
        Rule::Shapes(&[Shape::new(&["p8e-"], &[between(Alphabet::URL64, 32, 32)])]),
    ),
    class(
        "meta-access-token",
        "Access token of Meta",
        "https://developers.facebook.com/docs/facebook-login/guides/access-tokens/",
        Rule::Shapes(&[Shape::new(&["EAA"], &[between(Alphabet::ALNUM, 80, 400)])]),
    ),
];
