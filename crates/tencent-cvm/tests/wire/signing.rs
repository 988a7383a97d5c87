//! What is signed is what is sent.

use tencent_cvm::{Credentials, Cvm, Error, HttpCvm, SystemClock, WallClock};

use crate::cloud::{Cloud, REGION, SECRET_ID, SECRET_KEY, TOKEN, credentials, page_of};

#[tokio::test]
async fn a_request_over_http_carries_the_headers_of_the_api_and_a_signature_over_itself() {
    let cloud = Cloud::new(|seen| page_of(0, seen));
    let (server, builder) = cloud.served().await;
    builder.build().expect("client").describe_instances(&[]).await.expect("listing");
    let seen = &cloud.calls()[0];

    // The host is signed with its port, as it stands in the header.
    assert_eq!(seen.header("host"), server.address().to_string());
    assert_eq!(seen.headers.get_all("host").iter().count(), 1);
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.header("x-tc-action"), "DescribeInstances");
    assert_eq!(seen.header("x-tc-version"), "2017-03-12");
    assert_eq!(seen.header("x-tc-region"), REGION);
    assert_eq!(seen.header("x-tc-language"), "en-US");
    assert!(!seen.headers.contains_key("x-tc-token"));
    let signed: i64 = seen.header("x-tc-timestamp").parse().expect("seconds");
    assert!((SystemClock.now().as_second() - signed).abs() < 60);
    assert_eq!(seen.header("authorization"), seen.expected_authorization(&credentials()));
    assert!(seen.header("authorization").contains(SECRET_ID));
}

#[tokio::test]
async fn a_temporary_key_sends_its_token() {
    let cloud = Cloud::new(|seen| page_of(0, seen));
    let (server, _) = cloud.served().await;
    let credentials = Credentials::new(SECRET_ID, SECRET_KEY).with_token(TOKEN);
    let cvm = HttpCvm::builder(credentials.clone(), REGION)
        .endpoint(server.uri().parse().expect("a URL"))
        .build()
        .expect("client");
    cvm.describe_instances(&[]).await.expect("listing");
    let seen = &cloud.calls()[0];
    assert_eq!(seen.header("x-tc-token"), TOKEN);
    assert_eq!(seen.header("authorization"), seen.expected_authorization(&credentials));
}

#[tokio::test(start_paused = true)]
async fn scheme_host_and_port_come_from_the_endpoint_and_nothing_else() {
    for (endpoint, uri, host) in [
        (
            "https://cvm.intl.tencentcloudapi.com/",
            "https://cvm.intl.tencentcloudapi.com/",
            "cvm.intl.tencentcloudapi.com",
        ),
        (
            "https://cvm.tencentcloudapi.com:443",
            "https://cvm.tencentcloudapi.com/",
            "cvm.tencentcloudapi.com",
        ),
        ("http://127.0.0.1:18443/some/path?q=1", "http://127.0.0.1:18443/", "127.0.0.1:18443"),
        ("http://user:password@[::1]:80/", "http://[::1]/", "[::1]"),
    ] {
        let cloud = Cloud::new(|seen| page_of(0, seen));
        let cvm = cloud.simulated().endpoint(endpoint.parse().expect("a URL")).build().expect("client");
        cvm.describe_instances(&[]).await.expect("listing");
        let seen = &cloud.calls()[0];
        assert_eq!((seen.uri.as_str(), seen.header("host")), (uri, host), "{endpoint}");
        assert_eq!(seen.header("authorization"), seen.expected_authorization(&credentials()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_endpoint_is_the_nearest_one() {
    let cloud = Cloud::new(|seen| page_of(0, seen));
    cloud.simulated().build().expect("client").describe_instances(&[]).await.expect("listing");
    assert_eq!(cloud.calls()[0].uri, "https://cvm.tencentcloudapi.com/");
}

#[tokio::test(start_paused = true)]
async fn what_no_request_could_be_made_of_is_refused_when_the_client_is_built() {
    let cloud = Cloud::new(|seen| page_of(0, seen));
    let endpoint = |url: &str| cloud.simulated().endpoint(url.parse().expect("a URL")).build();
    let keys = |id: &str, key: &str| HttpCvm::builder(Credentials::new(id, key), REGION).build();
    let region = |region: &str| HttpCvm::builder(credentials(), region).build();
    for (what, built) in [
        ("scheme", endpoint("ftp://cvm.tencentcloudapi.com/")),
        ("no host", endpoint("data:text/plain,x")),
        ("no id", keys("", SECRET_KEY)),
        ("no key", keys(SECRET_ID, "")),
        ("a line feed in the id", keys("AKID\nFAKE", SECRET_KEY)),
        ("another script's letters in the id", keys("AKIDFAKÉ", SECRET_KEY)),
        ("no region", region("")),
        ("another script's letters in the region", region("ap-singapöre")),
        ("a blank in the region", region("ap-singapore ")),
        ("a line feed in the region", region("ap\n")),
        (
            "a line feed in the token",
            HttpCvm::builder(credentials().with_token("fake\nToken"), REGION).build(),
        ),
    ] {
        let error = built.expect_err(what);
        assert!(matches!(error, Error::Config { .. }), "{what}: {error:?}");
        assert_eq!(error.action(), None);
        assert!(!format!("{error:?}").contains(SECRET_KEY) && !format!("{error:?}").contains("Token"));
    }
}
