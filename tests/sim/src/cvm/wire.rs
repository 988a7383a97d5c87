//! An instance as DescribeInstances shows it: every field of the official SDK's model, many of them null,
//! as they are for a plain machine.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::machine::Machine;

/// One entry of an `InstanceSet`, as JSON.
pub(crate) fn instance(machine: &Machine) -> String {
    // Plain fields with string keys: this cannot fail.
    serde_json::to_string(&Instance::of(machine)).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Instance<'a> {
    placement: Placement<'a>,
    instance_id: &'a str,
    instance_type: &'a str,
    #[serde(rename = "CPU")]
    cpu: u32,
    memory: u32,
    restrict_state: &'static str,
    instance_name: &'a str,
    instance_charge_type: &'a str,
    system_disk: SystemDisk<'a>,
    data_disks: Option<[(); 0]>,
    private_ip_addresses: Option<[Ipv4Addr; 1]>,
    public_ip_addresses: Option<[Ipv4Addr; 1]>,
    internet_accessible: InternetAccessible,
    virtual_private_cloud: VirtualPrivateCloud<'a>,
    image_id: &'a str,
    renew_flag: Option<&'static str>,
    created_time: Second,
    expired_time: Option<&'static str>,
    os_name: &'static str,
    security_group_ids: &'a [String],
    login_settings: LoginSettings<'a>,
    instance_state: &'static str,
    tags: Option<Vec<Tag<'a>>>,
    stop_charging_mode: &'static str,
    uuid: &'a str,
    latest_operation: &'static str,
    latest_operation_state: &'static str,
    latest_operation_request_id: &'a str,
    latest_operation_error_msg: Option<&'static str>,
    disaster_recover_group_id: &'static str,
    #[serde(rename = "IPv6Addresses")]
    ipv6_addresses: Option<[(); 0]>,
    cam_role_name: &'static str,
    hpc_cluster_id: &'static str,
    rdma_ip_addresses: Option<[(); 0]>,
    isolated_source: &'static str,
    #[serde(rename = "GPUInfo")]
    gpu_info: Option<GpuInfo>,
    license_type: &'static str,
    disable_api_termination: bool,
    default_login_user: &'static str,
    default_login_port: u16,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Placement<'a> {
    zone: &'a str,
    project_id: u64,
    host_ids: Option<[(); 0]>,
    host_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SystemDisk<'a> {
    disk_type: &'a str,
    disk_id: String,
    disk_size: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InternetAccessible {
    internet_charge_type: &'static str,
    internet_max_bandwidth_out: u32,
    public_ip_assigned: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VirtualPrivateCloud<'a> {
    vpc_id: &'a str,
    subnet_id: &'a str,
    as_vpc_gateway: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoginSettings<'a> {
    password: Option<&'static str>,
    key_ids: Option<&'a [String]>,
    keep_image_login: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct GpuInfo {
    #[serde(rename = "GPUCount")]
    count: u32,
    #[serde(rename = "GPUId")]
    ids: Option<[(); 0]>,
    #[serde(rename = "GPUType")]
    kind: &'static str,
}

/// A time as the API writes it: UTC, whole seconds.
struct Second(Timestamp);

impl Serialize for Second {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl<'a> Instance<'a> {
    fn of(machine: &'a Machine) -> Self {
        let tags: Vec<Tag<'_>> = machine.shown_tags().iter().map(|(key, value)| Tag { key, value }).collect();
        Self {
            placement: Placement {
                zone: &machine.zone,
                project_id: machine.project_id,
                host_ids: None,
                host_id: None,
            },
            instance_id: &machine.id,
            instance_type: &machine.instance_type,
            cpu: machine.cpu,
            memory: machine.memory,
            restrict_state: machine.isolation.restrict_state(),
            instance_name: &machine.name,
            instance_charge_type: &machine.charge_type,
            system_disk: SystemDisk {
                disk_type: &machine.disk_type,
                disk_id: machine.id.replacen("ins-", "disk-", 1),
                disk_size: machine.disk_size,
            },
            data_disks: None,
            private_ip_addresses: machine.shown_private_ip().map(|ip| [ip]),
            public_ip_addresses: machine.shown_public_ip().map(|ip| [ip]),
            internet_accessible: InternetAccessible {
                internet_charge_type: "TRAFFIC_POSTPAID_BY_HOUR",
                internet_max_bandwidth_out: machine.bandwidth,
                public_ip_assigned: None,
            },
            virtual_private_cloud: VirtualPrivateCloud {
                vpc_id: &machine.vpc,
                subnet_id: &machine.subnet,
                as_vpc_gateway: false,
            },
            image_id: &machine.image,
            renew_flag: (machine.charge_type == "PREPAID").then_some("NOTIFY_AND_MANUAL_RENEW"),
            created_time: Second(machine.created_at),
            expired_time: None,
            os_name: "Ubuntu Server 22.04 LTS 64bit",
            security_group_ids: &machine.security_groups,
            login_settings: LoginSettings {
                password: None,
                key_ids: Some(machine.key_ids.as_slice()).filter(|ids| !ids.is_empty()),
                keep_image_login: None,
            },
            instance_state: machine.shown_state().as_str(),
            tags: Some(tags).filter(|tags| !tags.is_empty()),
            stop_charging_mode: "NOT_APPLICABLE",
            uuid: &machine.uuid,
            latest_operation: machine.operation.name,
            latest_operation_state: machine.operation.state,
            latest_operation_request_id: &machine.operation.request_id,
            latest_operation_error_msg: Some(machine.operation.error).filter(|error| !error.is_empty()),
            disaster_recover_group_id: "",
            ipv6_addresses: None,
            cam_role_name: "",
            hpc_cluster_id: "",
            rdma_ip_addresses: None,
            isolated_source: machine.isolation.as_str(),
            gpu_info: (machine.gpu > 0).then_some(GpuInfo {
                count: machine.gpu,
                ids: None,
                kind: "NVIDIA T4",
            }),
            license_type: "TencentCloud",
            disable_api_termination: false,
            default_login_user: "ubuntu",
            default_login_port: 22,
        }
    }
}
