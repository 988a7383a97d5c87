//! The kinds, each from its issuer's description of the token.

use rand::RngExt;

use super::super::letters::*;
use super::*;

pub(crate) const KINDS: &[Kind] = &[
    token!("aws-access-key-id", ["AKIA", "ASIA"], "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    kind!(
        "aws-secret-access-key",
        ["aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "secretAccessKey"],
        |rng| plain(some(rng, STD64, 40))
    ),
    kind!("aws-session-token", ["aws_session_token", "X-Amz-Security-Token"], |rng| plain(base64_of(
        rng, 240
    ))),
    token!("gcp-api-key", ["AIza"], URL64, 35),
    token!("gcp-oauth-token", ["ya29.a0"], URL64, 60..=180),
    token!("gcp-oauth-client-secret", ["GOCSPX-"], URL64, 28),
    kind!("azure-storage-key", ["AccountKey"], |rng| plain(base64_of(rng, 64))),
    kind!("azure-client-secret", |rng| plain(format!(
        "{}{}Q~{}",
        some(rng, ALNUM, 3),
        one(rng, DIGITS),
        between(rng, ALNUM, 31, 34)
    ))),
    kind!("azure-devops-pat", |rng| plain(format!("{}AZDO{}", some(rng, ALNUM, 76), some(rng, ALNUM, 4)))),
    kind!("azure-annotated-key", |rng| plain(format!(
        "{}JQQJ99{}",
        some(rng, ALNUM, 52),
        some(rng, ALNUM, 26)
    ))),
    token!("alibaba-access-key-id", ["LTAI5t", "LTAI4G"], ALNUM, 18),
    kind!("alibaba-access-key-secret", ["accessKeySecret", "ALIYUN_ACCESS_KEY_SECRET"], |rng| plain(some(
        rng, ALNUM, 30
    ))),
    token!("tencent-secret-id", ["AKID"], ALNUM, 32),
    kind!("tencent-secret-key", ["TENCENTCLOUD_SECRET_KEY", "tencent.secretKey"], |rng| plain(some(
        rng, ALNUM, 32
    ))),
    token!("volcengine-access-key-id", ["AKLT"], ALNUM, 20..=28),
    token!("digitalocean-token", ["dop_v1_", "doo_v1_", "dor_v1_"], LOWER_HEX, 64),
    token!("cloudflare-token", ["cfk_", "cfut_", "cfat_"], ALNUM, 48),
    token!("scaleway-access-key", ["SCW"], UPPER_DIGITS, 17),
    kind!("github-token", |rng| {
        let prefix = choose(rng, &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]);
        plain(with_checksum(prefix, &some(rng, ALNUM, 30)))
    }),
    kind!("github-fine-grained-token", |rng| plain(format!(
        "github_pat_{}_{}",
        some(rng, ALNUM, 22),
        some(rng, ALNUM, 59)
    ))),
    token!("gitlab-token", ["glpat-", "gldt-", "glrt-", "glptt-", "glft-", "glagent-"], URL64, 20),
    token!("bitbucket-app-password", ["ATBB"], ALNUM, 32),
    token!("atlassian-api-token", ["ATATT3xFfG"], URL64, 180..=190),
    token!("sourcegraph-token", ["sgp_"], LOWER_HEX, 40),
    token!("linear-api-key", ["lin_api_"], ALNUM, 40),
    token!("notion-token", ["ntn_"], ALNUM, 46),
    kind!("postman-api-key", |rng| plain(format!(
        "PMAK-{}-{}",
        some(rng, LOWER_HEX, 24),
        some(rng, LOWER_HEX, 34)
    ))),
    token!("figma-token", ["figd_"], URL64, 40),
    kind!("airtable-token", |rng| plain(format!("pat{}.{}", some(rng, ALNUM, 14), some(rng, LOWER_HEX, 64)))),
    kind!("npm-token", |rng| plain(with_checksum("npm_", &some(rng, ALNUM, 30)))),
    token!("pypi-token", ["pypi-AgEIcHlwaS5vcmc"], URL64, 130..=170),
    token!("rubygems-token", ["rubygems_"], LOWER_HEX, 48),
    token!("docker-token", ["dckr_pat_"], URL64, 27),
    token!("nuget-api-key", ["oy2"], LOWER_DIGITS, 43),
    token!("crates-io-token", ["cio"], ALNUM, 32),
    token!("artifactory-token", ["AKCp"], ALNUM, 69),
    token!("clojars-token", ["CLOJARS_"], LOWER_HEX, 60),
    kind!("slack-token", |rng| {
        let prefix = choose(rng, &["xoxb", "xoxp", "xoxa"]);
        plain(format!(
            "{prefix}-{}-{}-{}",
            some(rng, DIGITS, 12),
            some(rng, DIGITS, 13),
            some(rng, ALNUM, 24)
        ))
    }),
    kind!("slack-webhook", |rng| inside(
        "https://hooks.slack.com/services/",
        format!("T{}/B{}/{}", some(rng, UPPER_DIGITS, 8), some(rng, UPPER_DIGITS, 10), some(rng, ALNUM, 24)),
        ""
    )),
    kind!("discord-bot-token", |rng| {
        let user = format!("{}{}", rng.random_range(4..9), digits(rng, 17));
        plain(format!("{}.{}.{}", url64(user.as_bytes()), some(rng, URL64, 6), some(rng, URL64, 38)))
    }),
    kind!("discord-webhook", |rng| inside(
        "https://discord.com/api/webhooks/",
        format!("1{}/{}", digits(rng, 17), some(rng, URL64, 68)),
        ""
    )),
    kind!("telegram-bot-token", |rng| plain(format!(
        "{}:AA{}",
        some(rng, "123456789", 10),
        some(rng, URL64, 33)
    ))),
    kind!("teams-webhook", |rng| {
        let (group, tenant, owner) = (uuid(rng), uuid(rng), uuid(rng));
        let hook = some(rng, LOWER_HEX, 32);
        inside(
            "https://example.webhook.office.com/webhookb2/",
            format!("{group}@{tenant}/IncomingWebhook/{hook}/{owner}"),
            "",
        )
    }),
    kind!("feishu-webhook", |rng| inside("https://open.feishu.cn/open-apis/bot/v2/hook/", uuid(rng), "")),
    kind!("feishu-webhook", |rng| inside(
        "https://www.feishu.cn/flow/api/trigger-webhook/",
        some(rng, LOWER_HEX, 32),
        ""
    )),
    kind!("zapier-webhook", |rng| inside(
        "https://hooks.zapier.com/hooks/catch/",
        format!("{}/{}", digits(rng, 8), some(rng, LOWER_DIGITS, 7)),
        "/"
    )),
    kind!("dingtalk-webhook", |rng| inside(
        "https://oapi.dingtalk.com/robot/send?access_token=",
        some(rng, LOWER_HEX, 64),
        ""
    )),
    kind!("wecom-webhook", |rng| inside(
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=",
        uuid(rng),
        ""
    )),
    kind!("feishu-app-secret", ["feishu_app_secret", "LARK_APP_SECRET"], |rng| plain(some(rng, ALNUM, 32))),
    kind!("wechat-app-secret", ["wechat.appSecret", "WEIXIN_APPSECRET"], |rng| plain(some(
        rng, LOWER_HEX, 32
    ))),
    kind!("sendgrid-api-key", |rng| plain(format!("SG.{}.{}", some(rng, URL64, 22), some(rng, URL64, 43)))),
    token!("mailgun-api-key", ["key-"], LOWER_HEX, 32),
    kind!("mailchimp-api-key", |rng| plain(format!(
        "{}-us{}",
        some(rng, LOWER_HEX, 32),
        rng.random_range(1..22)
    ))),
    token!("mandrill-api-key", ["md-"], ALNUM, 22),
    kind!("brevo-api-key", |rng| plain(format!(
        "xkeysib-{}-{}",
        some(rng, LOWER_HEX, 64),
        some(rng, ALNUM, 16)
    ))),
    kind!("resend-api-key", |rng| plain(format!("re_{}_{}", some(rng, ALNUM, 8), some(rng, ALNUM, 24)))),
    token!("twilio-api-key", ["SK"], LOWER_HEX, 32),
    token!("twilio-account-sid", ["AC"], LOWER_HEX, 32),
    kind!("postmark-token", ["X-Postmark-Server-Token", "POSTMARK_API_TOKEN"], |rng| plain(uuid(rng))),
    token!("stripe-key", ["sk_live_", "rk_live_", "sk_test_"], ALNUM, 24..=99),
    token!("stripe-webhook-secret", ["whsec_"], ALNUM, 32),
    token!("square-token", ["sq0csp-"], URL64, 43),
    token!("shopify-token", ["shpat_", "shpca_", "shppa_", "shpss_"], LOWER_HEX, 32),
    kind!("braintree-token", |rng| {
        plain(format!("access_token$production${}${}", some(rng, LOWER_DIGITS, 16), some(rng, LOWER_HEX, 32)))
    }),
    token!("razorpay-key-id", ["rzp_live_", "rzp_test_"], ALNUM, 14),
    kind!("plaid-access-token", |rng| plain(format!("access-production-{}", uuid(rng)))),
    kind!("openai-api-key", |rng| {
        let prefix = choose(rng, &["sk-proj-", "sk-svcacct-", "sk-admin-"]);
        plain(format!("{prefix}{}T3BlbkFJ{}", some(rng, URL64, 74), some(rng, URL64, 74)))
    }),
    kind!("anthropic-api-key", |rng| plain(format!("sk-ant-api03-{}AA", some(rng, URL64, 93)))),
    token!("openrouter-api-key", ["sk-or-v1-"], LOWER_HEX, 64),
    token!("huggingface-token", ["hf_"], ALNUM, 34),
    kind!("langfuse-secret-key", |rng| plain(format!("sk-lf-{}", uuid(rng)))),
    token!("neon-api-key", ["napi_"], LOWER_DIGITS, 64),
    kind!("zoho-token", |rng| plain(format!(
        "1000.{}.{}",
        some(rng, LOWER_HEX, 32),
        some(rng, LOWER_HEX, 32)
    ))),
    token!("jenkins-api-token", ["11"], LOWER_HEX, 32),
    token!("groq-api-key", ["gsk_"], ALNUM, 52),
    token!("xai-api-key", ["xai-"], ALNUM, 80),
    token!("replicate-api-token", ["r8_"], ALNUM, 37),
    token!("perplexity-api-key", ["pplx-"], ALNUM, 48),
    token!("nvidia-api-key", ["nvapi-"], URL64, 64),
    kind!("langsmith-api-key", |rng| plain(format!(
        "lsv2_pt_{}_{}",
        some(rng, LOWER_HEX, 32),
        some(rng, LOWER_HEX, 10)
    ))),
    token!("tavily-api-key", ["tvly-"], ALNUM, 32),
    token!("ragflow-api-key", ["ragflow-"], ALNUM, 40),
    kind!("qianfan-api-key", |rng| plain(format!(
        "bce-v3/ALTAK-{}/{}",
        some(rng, ALNUM, 21),
        some(rng, LOWER_HEX, 40)
    ))),
    token!("elevenlabs-api-key", ["sk_"], LOWER_HEX, 48),
    kind!("hubspot-token", |rng| plain(format!("pat-na1-{}", uuid(rng)))),
    token!("aws-appsync-api-key", ["da2-"], LOWER_DIGITS, 26),
    kind!("amazon-mws-token", |rng| plain(format!("amzn.mws.{}", uuid(rng)))),
    token!("model-api-key", ["sk-"], LOWER_HEX, 32),
    token!("model-api-key", ["sk-"], ALNUM, 48),
    kind!("zhipu-api-key", ["ZHIPU_API_KEY", "bigmodel_api_key"], |rng| plain(format!(
        "{}.{}",
        some(rng, LOWER_HEX, 32),
        some(rng, ALNUM, 16)
    ))),
    token!("heroku-api-key", ["HRKU-AA"], URL64, 58),
    token!("netlify-token", ["nfp_"], ALNUM, 36),
    kind!("fly-token", |rng| plain(format!("fm2_{}", base64_of(rng, 300)))),
    token!("supabase-token", ["sbp_"], LOWER_HEX, 40),
    token!("planetscale-token", ["pscale_tkn_", "pscale_pw_"], URL64, 43),
    kind!("tailscale-key", |rng| plain(format!(
        "tskey-auth-{}-{}",
        some(rng, ALNUM, 17),
        some(rng, ALNUM, 32)
    ))),
    token!("databricks-token", ["dapi"], LOWER_HEX, 32),
    kind!("terraform-token", |rng| plain(format!(
        "{}.atlasv1.{}",
        some(rng, ALNUM, 14),
        some(rng, URL64, 67)
    ))),
    token!("pulumi-token", ["pul-"], LOWER_HEX, 40),
    token!("contentful-token", ["CFPAT-"], URL64, 43),
    kind!("launchdarkly-key", |rng| plain(format!("sdk-{}", uuid(rng)))),
    token!("dropbox-token", ["sl."], URL64, 135..=160),
    kind!("grafana-service-account-token", |rng| plain(format!(
        "glsa_{}_{}",
        some(rng, ALNUM, 32),
        some(rng, LOWER_HEX, 8)
    ))),
    kind!("grafana-cloud-token", |rng| {
        use base64::Engine as _;
        let inner = format!(
            r#"{{"o":"{}","n":"logs","k":"{}","m":{{"r":"eu"}}}}"#,
            digits(rng, 6),
            some(rng, ALNUM, 24)
        );
        plain(format!("glc_{}", base64::engine::general_purpose::STANDARD.encode(inner)))
    }),
    token!("newrelic-key", ["NRAK-"], UPPER_DIGITS, 27),
    kind!("datadog-key", ["DD_API_KEY", "DATADOG_APP_KEY"], |rng| plain(some(rng, LOWER_HEX, 32))),
    kind!("sentry-token", |rng| plain(format!("sntryu_{}", some(rng, LOWER_HEX, 64)))),
    kind!("sentry-dsn", |rng| inside("https://", some(rng, LOWER_HEX, 32), "@o4501.ingest.sentry.io/4502")),
    kind!("dynatrace-token", |rng| plain(format!(
        "dt0c01.{}.{}",
        some(rng, UPPER_DIGITS, 24),
        some(rng, UPPER_DIGITS, 64)
    ))),
    token!("posthog-key", ["phx_"], ALNUM, 43),
    kind!("pagerduty-key", ["PAGERDUTY_TOKEN", "routing_key"], |rng| plain(some(rng, ALNUM, 32))),
    token!("vault-token", ["hvs.", "hvb.", "hvr."], ALNUM, 90..=140),
    token!("doppler-token", ["dp.pt.", "dp.sa."], ALNUM, 43),
    kind!("age-secret-key", |rng| plain(format!(
        "AGE-SECRET-KEY-1{}",
        some(rng, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)
    ))),
    kind!("infisical-token", |rng| {
        plain(format!(
            "st.{}.{}.{}",
            some(rng, LOWER_HEX, 24),
            some(rng, LOWER_HEX, 32),
            some(rng, LOWER_HEX, 32)
        ))
    }),
    kind!("jwt", |rng| {
        let claims = format!(r#"{{"sub":"{}","exp":1900000000}}"#, digits(rng, 10));
        jwt(rng, &claims)
    }),
    kind!("kubernetes-token", |rng| {
        let claims = format!(
            r#"{{"iss":"https://kubernetes.default.svc","kubernetes.io":{{"pod":"{}"}},"sub":"system:serviceaccount:a:b"}}"#,
            some(rng, LOWER, 12)
        );
        jwt(rng, &claims)
    }),
    kind!("private-key", |rng| private_key(rng)),
    kind!("url-password", |rng| url_password(rng)),
    kind!("dsn-password", |rng| inside("app:", between(rng, ALNUM, 10, 24), "@tcp(db:3306)/app")),
    kind!("basic-auth", |rng| basic(rng)),
    kind!("bearer-token", |rng| inside("Bearer ", between(rng, URL64, 30, 60), "")),
    kind!("password-hash", |rng| plain(format!("$2b$12${}", some(rng, ALNUM, 53)))),
    kind!(
        "password",
        [
            "password",
            "db_password",
            "DB_PASSWORD",
            "spring.datasource.password",
            "passwd",
            "pwd",
            "DB_PASS",
            "smtpPass",
            "redis.pass"
        ],
        |rng| password(rng)
    ),
    kind!(
        "secret",
        ["client_secret", "clientSecret", "SECRET_KEY", "ENCRYPTION_KEY", "RAILS_MASTER_KEY"],
        |rng| plain(between(rng, ALNUM, 20, 40))
    ),
    kind!("token", ["access_token", "refreshToken", "X-Auth-Token"], |rng| plain(between(
        rng, URL64, 24, 48
    ))),
    kind!("api-key", ["api_key", "apiKey", "X-Api-Key"], |rng| plain(between(rng, ALNUM, 24, 40))),
    kind!("signature", ["X-Amz-Signature", "signature"], |rng| plain(some(rng, LOWER_HEX, 64))),
    kind!("session-id", ["JSESSIONID", "session_id", "PHPSESSID"], |rng| plain(some(rng, UPPER_DIGITS, 32))),
    token!("buildkite-token", ["bkua_"], LOWER_HEX, 40),
    kind!("circleci-token", |rng| plain(format!(
        "CCIPAT_{}_{}",
        some(rng, ALNUM, 22),
        some(rng, LOWER_HEX, 40)
    ))),
    token!("sonarqube-token", ["squ_", "sqp_", "sqa_"], LOWER_HEX, 40),
    kind!("harness-token", |rng| plain(format!(
        "pat.{}.{}.{}",
        some(rng, URL64, 22),
        some(rng, LOWER_HEX, 24),
        some(rng, ALNUM, 20)
    ))),
    token!("infracost-api-key", ["ico-"], ALNUM, 32),
    token!("readme-api-key", ["rdme_"], LOWER_DIGITS, 70),
    token!("typeform-token", ["tfp_"], URL64, 59),
    token!("frameio-token", ["fio-u-"], URL64, 64),
    token!("artifactory-reference-token", ["cmVmd"], ALNUM, 59),
    token!("easypost-api-key", ["EZAK", "EZTK"], ALNUM, 54),
    token!("shippo-api-token", ["shippo_live_", "shippo_test_"], LOWER_HEX, 40),
    token!("duffel-access-token", ["duffel_live_", "duffel_test_"], URL64, 43),
    token!("cerebras-api-key", ["csk-"], LOWER_DIGITS, 48),
    token!("fireworks-api-key", ["fw_"], ALNUM, 24),
    token!("voyage-api-key", ["pa-"], URL64, 43),
    token!("jina-api-key", ["jina_"], ALNUM, 60),
    token!("pinecone-api-key", ["pcsk_"], URL64, 69),
    token!("firecrawl-api-key", ["fc-"], LOWER_HEX, 32),
    token!("wandb-api-key", ["wandb_v1_"], ALNUM, 77),
    token!("render-api-key", ["rnd_"], ALNUM, 28),
    token!("scalingo-token", ["tk-us-"], URL64, 48),
    kind!("mapbox-token", |rng| plain(format!(
        "sk.{}.{}",
        url64(format!("{{\"u\":\"{}\"}}", some(rng, LOWER_DIGITS, 30)).as_bytes()),
        some(rng, URL64, 22)
    ))),
    token!("clickhouse-cloud-key", ["4b1d"], ALNUM, 38),
    token!("openshift-token", ["sha256~"], URL64, 43),
    kind!("docker-swarm-token", |rng| plain(format!(
        "SWMTKN-1-{}-{}",
        some(rng, LOWER_DIGITS, 50),
        some(rng, LOWER_DIGITS, 25)
    ))),
    token!("prefect-api-key", ["pnu_"], LOWER_DIGITS, 36),
    token!("adobe-client-secret", ["p8e-"], URL64, 32),
    token!("meta-access-token", ["EAA"], ALNUM, 100..=200),
    kind!("cn-identity", |rng| chinese_identity(rng)),
    kind!("cn-mobile", |rng| mobile(rng)),
    kind!("card", |rng| card(rng)),
    kind!("iban", |rng| iban(rng)),
    kind!("us-ssn", |rng| plain(format!(
        "{}-{:02}-{:04}",
        rng.random_range(101..600),
        rng.random_range(1..99),
        rng.random_range(1..9999)
    ))),
    kind!("phone", |rng| plain(format!("+44{}", digits(rng, 10)))),
    kind!("email", |rng| email(rng)),
    kind!("ip", |rng| plain(format!(
        "8.{}.{}.{}",
        rng.random_range(0..255),
        rng.random_range(0..255),
        rng.random_range(1..255)
    ))),
];
