//! What callers send: the headers that every call has, and the bodies of the actions.

use http::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::Refusal;

/// The largest body the API takes.
const MAX_BODY: usize = 10 << 20;

/// The headers that a call must carry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) authorization: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) action: &'a str,
    pub(crate) version: &'a str,
    pub(crate) timestamp: i64,
    pub(crate) region: &'a str,
    pub(crate) token: Option<&'a str>,
}

/// A header as text, "" when it is not there or not text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

impl<'a> Head<'a> {
    pub(crate) fn parse(request: &'a http::Request<bytes::Bytes>) -> Result<Self, Refusal> {
        if request.method() != http::Method::POST {
            return Err(Refusal::new("UnsupportedProtocol", "only POST is taken here"));
        }
        if request.body().len() > MAX_BODY {
            return Err(Refusal::new("RequestSizeLimitExceeded", "the body is larger than 10 MB"));
        }
        let headers = request.headers();
        let needed = |name: &'static str| match header(headers, name) {
            "" => Err(Refusal::missing(name)),
            value => Ok(value),
        };
        Ok(Self {
            action: needed("X-TC-Action")?,
            version: needed("X-TC-Version")?,
            timestamp: needed("X-TC-Timestamp")?.parse().map_err(|_| {
                Refusal::new("InvalidParameter", "X-TC-Timestamp is not a unix time in seconds")
            })?,
            authorization: needed("Authorization")?,
            content_type: needed("Content-Type")?,
            region: header(headers, "X-TC-Region"),
            token: Some(header(headers, "X-TC-Token")).filter(|token| !token.is_empty()),
        })
    }
}

/// The host that the caller signed: the header, or what an HTTP client would make of the URI.
pub(crate) fn host_of(request: &http::Request<bytes::Bytes>) -> &str {
    let named = header(request.headers(), "host");
    if !named.is_empty() {
        return named;
    }
    let uri = request.uri();
    let Some(authority) = uri.authority() else { return "" };
    match (uri.scheme_str(), authority.port_u16()) {
        (Some("https"), Some(443)) | (Some("http"), Some(80)) => authority.host(),
        _ => authority.as_str(),
    }
}

/// A checked call, ready to take effect.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Describe(DescribeInstances),
    Run(Box<RunInstances>),
    Terminate(TerminateInstances),
    Offers(ByFilters),
    Quota(ByFilters),
}

impl Call {
    /// Whether it only looks.
    pub(crate) fn only_reads(&self) -> bool {
        matches!(self, Self::Describe(_) | Self::Offers(_) | Self::Quota(_))
    }

    /// Reads the body of an action.
    pub(crate) fn parse(action: &str, body: &[u8]) -> Result<Self, Refusal> {
        match action {
            "DescribeInstances" => read(body).map(Self::Describe),
            "RunInstances" => read(body).map(Box::new).map(Self::Run),
            "TerminateInstances" => read(body).map(Self::Terminate),
            "DescribeZoneInstanceConfigInfos" => read(body).map(Self::Offers),
            "DescribeAccountQuota" => read(body).map(Self::Quota),
            _ => Err(Refusal::new("InvalidAction", "the action does not exist or is not offered here")),
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let code = if text.starts_with("unknown field") {
            "UnknownParameter"
        } else if text.starts_with("missing field") {
            "MissingParameter"
        } else {
            "InvalidParameter"
        };
        Refusal::new(code, text)
    })
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct DescribeInstances {
    pub(crate) instance_ids: Option<Vec<String>>,
    pub(crate) filters: Option<Vec<Filter>>,
    pub(crate) offset: Option<i64>,
    pub(crate) limit: Option<i64>,
}

/// The body of the looks that take nothing else.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ByFilters {
    pub(crate) filters: Option<Vec<Filter>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Filter {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(dead_code, reason = "taken because the API takes them; a stand-in has no use for them")]
pub(crate) struct TerminateInstances {
    pub(crate) instance_ids: Vec<String>,
    pub(crate) release_address: Option<bool>,
    pub(crate) release_prepaid_data_disks: Option<bool>,
}

/// The fields of the official SDK's request. Those that nothing here acts on are read and left alone,
/// because the cloud takes them too.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(dead_code, reason = "taken because the API takes them; a stand-in has no use for them")]
pub(crate) struct RunInstances {
    pub(crate) instance_charge_type: Option<String>,
    pub(crate) instance_charge_prepaid: Option<serde_json::Value>,
    pub(crate) placement: Option<Placement>,
    pub(crate) instance_type: Option<String>,
    pub(crate) image_id: Option<String>,
    pub(crate) system_disk: Option<SystemDisk>,
    pub(crate) data_disks: Option<Vec<serde_json::Value>>,
    pub(crate) virtual_private_cloud: Option<VirtualPrivateCloud>,
    pub(crate) internet_accessible: Option<InternetAccessible>,
    pub(crate) instance_count: Option<i64>,
    pub(crate) min_count: Option<i64>,
    pub(crate) instance_name: Option<String>,
    pub(crate) login_settings: Option<LoginSettings>,
    pub(crate) security_group_ids: Option<Vec<String>>,
    pub(crate) enhanced_service: Option<serde_json::Value>,
    pub(crate) client_token: Option<String>,
    pub(crate) host_name: Option<String>,
    pub(crate) action_timer: Option<serde_json::Value>,
    pub(crate) disaster_recover_group_ids: Option<Vec<String>>,
    pub(crate) tag_specification: Option<Vec<TagSpecification>>,
    pub(crate) instance_market_options: Option<MarketOptions>,
    pub(crate) user_data: Option<String>,
    pub(crate) metadata: Option<serde_json::Value>,
    pub(crate) dry_run: Option<bool>,
    pub(crate) cpu_topology: Option<serde_json::Value>,
    pub(crate) cam_role_name: Option<String>,
    pub(crate) hpc_cluster_id: Option<String>,
    pub(crate) launch_template: Option<serde_json::Value>,
    pub(crate) dedicated_cluster_id: Option<String>,
    pub(crate) chc_ids: Option<Vec<String>>,
    pub(crate) partition_number: Option<i64>,
    pub(crate) disable_api_termination: Option<bool>,
    pub(crate) enable_jumbo_frame: Option<bool>,
    pub(crate) network_interfaces: Option<Vec<serde_json::Value>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(dead_code, reason = "taken because the API takes them; a stand-in has no use for them")]
pub(crate) struct Placement {
    pub(crate) zone: Option<String>,
    pub(crate) project_id: Option<u64>,
    pub(crate) host_ids: Option<Vec<String>>,
    pub(crate) host_id: Option<String>,
    pub(crate) dedicated_resource_pack_tenancy: Option<String>,
    pub(crate) dedicated_resource_pack_ids: Option<Vec<String>>,
    pub(crate) rack_id: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(dead_code, reason = "taken because the API takes them; a stand-in has no use for them")]
pub(crate) struct SystemDisk {
    pub(crate) disk_type: Option<String>,
    pub(crate) disk_id: Option<String>,
    pub(crate) disk_size: Option<i64>,
    pub(crate) cdc_id: Option<String>,
    pub(crate) disk_name: Option<String>,
    pub(crate) encrypt: Option<bool>,
    pub(crate) kms_key_id: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(dead_code, reason = "taken because the API takes them; a stand-in has no use for them")]
pub(crate) struct VirtualPrivateCloud {
    pub(crate) vpc_id: Option<String>,
    pub(crate) subnet_id: Option<String>,
    pub(crate) as_vpc_gateway: Option<bool>,
    pub(crate) private_ip_addresses: Option<Vec<String>>,
    pub(crate) ipv6_address_count: Option<i64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(dead_code, reason = "taken because the API takes them; a stand-in has no use for them")]
pub(crate) struct InternetAccessible {
    pub(crate) internet_charge_type: Option<String>,
    pub(crate) internet_max_bandwidth_out: Option<i64>,
    pub(crate) public_ip_assigned: Option<bool>,
    pub(crate) bandwidth_package_id: Option<String>,
    pub(crate) internet_service_provider: Option<String>,
    #[serde(rename = "IPv4AddressType")]
    pub(crate) ipv4_address_type: Option<String>,
    #[serde(rename = "IPv6AddressType")]
    pub(crate) ipv6_address_type: Option<String>,
    #[serde(rename = "AntiDDoSPackageId")]
    pub(crate) anti_ddos_package_id: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct LoginSettings {
    pub(crate) password: Option<String>,
    pub(crate) key_ids: Option<Vec<String>>,
    pub(crate) keep_image_login: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct TagSpecification {
    pub(crate) resource_type: String,
    pub(crate) tags: Vec<Tag>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(dead_code, reason = "taken because the API takes them; a stand-in has no use for them")]
pub(crate) struct MarketOptions {
    pub(crate) market_type: Option<String>,
    pub(crate) spot_options: Option<SpotOptions>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(dead_code, reason = "taken because the API takes them; a stand-in has no use for them")]
pub(crate) struct SpotOptions {
    pub(crate) max_price: Option<String>,
    pub(crate) spot_instance_type: Option<String>,
}
