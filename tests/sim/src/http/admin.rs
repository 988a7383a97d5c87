//! The admin API: what tests and people at a terminal do to the cloud behind its back. JSON in, JSON out.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cvm::{
    Cloud, Credential, FaultRule, Isolation, ModelServer, NoSuch, RECLAIM_NOTICE, Span, State, Stock,
    Stranger,
};
use crate::face::admin::{self, Failure, parameter, read, value};
use crate::shared::SimCloud;

/// The table of contents, also the answer to `GET /_sim/`.
const CONTENTS: &str = include_str!("admin.txt");

impl From<NoSuch> for Failure {
    fn from(missing: NoSuch) -> Self {
        Self(StatusCode::NOT_FOUND, missing.to_string())
    }
}

pub(super) fn answer(cloud: &SimCloud, request: &Request<Bytes>) -> Response<Bytes> {
    let query = request.uri().query().unwrap_or("");
    admin::answer(request, CONTENTS, |path| {
        cloud.with(|cloud| route(cloud, request.method(), path, query, request.body()))
    })
}

fn route(
    cloud: &mut Cloud,
    method: &Method,
    path: &[&str],
    query: &str,
    body: &Bytes,
) -> Result<Value, Failure> {
    match (method, path) {
        (&Method::GET, ["stock"]) => value(&cloud.stock()),
        (&Method::POST, ["stock"]) => set_stock(cloud, &read(body)?),
        (&Method::POST, ["quota"]) => match read(body)? {
            Quota::Spot { zone, vcpu } => done(cloud.set_spot_quota(&zone, vcpu)),
            Quota::Instances { account, instances } => done(cloud.set_instance_quota(&account, instances)),
        },
        (&Method::POST, ["subnets"]) => {
            let FreeAddresses { subnet, free } = read(body)?;
            done(cloud.set_free_addresses(&subnet, free))
        }
        (&Method::POST, ["disks"]) => {
            let Disk { zone, disk_type, sold_out } = read(body)?;
            done(cloud.set_disk_sold_out(&zone, &disk_type, sold_out))
        }
        (&Method::POST, ["prices"]) => {
            let NewPrice { instance_type, hourly, hourly_spot } = read(body)?;
            done(cloud.set_price(&instance_type, hourly, hourly_spot))
        }
        (&Method::GET, ["instances"]) if parameter(query, "all").is_some() => {
            value(&cloud.machines().collect::<Vec<_>>())
        }
        (&Method::GET, ["instances"]) => value(&cloud.existing().collect::<Vec<_>>()),
        (&Method::POST, ["instances"]) => {
            let id = cloud.add_stranger(&read::<Stranger>(body)?)?;
            Ok(json!({"instance_id": id}))
        }
        (&Method::GET, ["instances", id]) => match cloud.machine(id) {
            Some(machine) => value(machine),
            None => Err(Failure(StatusCode::NOT_FOUND, format!("there is no machine `{id}` here"))),
        },
        (&Method::POST, ["instances", id, verb]) => on_machine(cloud, id, verb, body),
        (&Method::GET, ["faults"]) => value(&cloud.faults()),
        (&Method::POST, ["faults"]) => Ok(json!({"id": cloud.add_fault(read::<FaultRule>(body)?)})),
        (&Method::DELETE, ["faults"]) => {
            cloud.clear_faults();
            Ok(json!({}))
        }
        (&Method::DELETE, ["faults", id]) => {
            let found = id.parse().is_ok_and(|id| cloud.remove_fault(id));
            if found {
                Ok(json!({}))
            } else {
                Err(Failure(StatusCode::NOT_FOUND, format!("there is no fault {id}")))
            }
        }
        (&Method::GET, ["ledger"]) => {
            let since = parameter(query, "since").and_then(|since| since.parse().ok()).unwrap_or(0);
            Ok(
                json!({"now": cloud.now(), "last": cloud.ledger().last_seq(), "events": cloud.ledger().since(since)}),
            )
        }
        (&Method::GET, ["codes"]) => Ok(codes()),
        (&Method::GET, ["calls"]) => value(cloud.ledger().calls()),
        (&Method::GET, ["looks"]) => value(cloud.ledger().looks()),
        (&Method::GET, ["billing"]) => value(&cloud.billing()),
        (&Method::GET, ["world"]) => value(cloud.world()),
        (&Method::GET, ["settings"]) => value(cloud.settings()),
        (&Method::POST | &Method::PATCH, ["settings"]) => change_settings(cloud, body),
        (&Method::POST, ["arrears"]) => {
            let Arrears { account, in_arrears, isolate } = read(body)?;
            cloud.set_arrears(&account, in_arrears)?;
            if isolate || !in_arrears {
                cloud.isolate_for_arrears(&account, in_arrears)?;
            }
            Ok(json!({}))
        }
        (&Method::POST, ["accounts"]) => {
            cloud.add_account(&read::<NewName>(body)?.name);
            Ok(json!({}))
        }
        (&Method::POST, ["credentials"]) => {
            let NewCredential { account, secret_id, secret_key, token, lasts } = read(body)?;
            let expires_at = lasts.map(|lasts| cloud.now() + lasts.max);
            done(cloud.add_credential(&account, Credential { secret_id, secret_key, token, expires_at }))
        }
        (&Method::POST, ["credentials", secret_id, "expire"]) => done(cloud.expire_credential(secret_id)),
        (&Method::DELETE, ["credentials", secret_id]) => {
            Ok(json!({"removed": cloud.remove_credential(secret_id)}))
        }
        _ => Err(Failure::no_such_call(method)),
    }
}

/// `*` stands for every zone or every type that is sold there.
fn set_stock(cloud: &mut Cloud, new: &NewStock) -> Result<Value, Failure> {
    let fits = |wanted: &str, name: &str| wanted == "*" || wanted == name;
    let mut places: Vec<(String, String)> = cloud
        .stock()
        .into_iter()
        .filter(|known| fits(&new.zone, &known.zone) && fits(&new.instance_type, &known.instance_type))
        .map(|known| (known.zone, known.instance_type))
        .collect();
    if places.is_empty() {
        // A type that the zone did not sell before; or a name that is not there, which is told.
        places.push((new.zone.clone(), new.instance_type.clone()));
    }
    for (zone, instance_type) in places {
        let stock = Stock { zone, instance_type, count: new.count };
        match &new.charge_type {
            Some(charge_type) => cloud.set_stock_paid_by(charge_type, &stock)?,
            None => cloud.set_stock(&stock)?,
        }
    }
    Ok(json!({}))
}

fn on_machine(cloud: &mut Cloud, id: &str, verb: &str, body: &Bytes) -> Result<Value, Failure> {
    match verb {
        "vanish" => done(cloud.vanish(id)),
        "reclaim" => {
            let notice = read::<Reclaim>(body)?.notice;
            done(cloud.reclaim(id, notice))
        }
        "copy" => Ok(json!({"instance_id": cloud.copy(id)?})),
        "state" => done(cloud.set_state(id, read::<NewState>(body)?.state)),
        "model-server" => done(cloud.set_model_server(id, read::<Behaviour>(body)?.behaviour)),
        "isolate" => done(cloud.isolate(id, read::<NewIsolation>(body)?.source)),
        "name" => done(cloud.rename(id, &read::<NewName>(body)?.name)),
        "tags" => {
            let tags = read::<std::collections::BTreeMap<String, String>>(body)?;
            done(cloud.retag(id, tags.into_iter().collect()))
        }
        _ => Err(Failure(
            StatusCode::NOT_FOUND,
            format!("a machine has no verb `{verb}`; GET /_sim/ lists them"),
        )),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStock {
    zone: String,
    instance_type: String,
    count: u32,
    #[serde(default)]
    charge_type: Option<String>,
}

/// Every error code that the client knows by name, by action.
fn codes() -> Value {
    let mut codes = std::collections::BTreeMap::<&str, Vec<&str>>::new();
    for (action, code, _) in tencent_cvm::known_codes() {
        codes.entry(action.as_str()).or_default().push(code);
    }
    json!(codes)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Quota {
    Spot {
        zone: String,
        vcpu: u32,
    },
    Instances {
        #[serde(default = "default_account")]
        account: String,
        instances: u32,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disk {
    zone: String,
    disk_type: String,
    sold_out: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPrice {
    instance_type: String,
    hourly: f64,
    hourly_spot: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewIsolation {
    source: Isolation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FreeAddresses {
    subnet: String,
    free: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reclaim {
    #[serde(default = "documented_notice")]
    notice: Span,
}

fn documented_notice() -> Span {
    RECLAIM_NOTICE
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewState {
    state: State,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewName {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Behaviour {
    behaviour: ModelServer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arrears {
    #[serde(default = "default_account")]
    account: String,
    in_arrears: bool,
    #[serde(default)]
    isolate: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCredential {
    #[serde(default = "default_account")]
    account: String,
    secret_id: String,
    secret_key: String,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    lasts: Option<Span>,
}

fn default_account() -> String {
    "main".to_owned()
}

fn change_settings(cloud: &mut Cloud, body: &Bytes) -> Result<Value, Failure> {
    cloud.set_settings(admin::overlaid(cloud.settings(), body)?);
    value(cloud.settings())
}

fn done(outcome: Result<(), NoSuch>) -> Result<Value, Failure> {
    outcome.map(|()| json!({})).map_err(Failure::from)
}
