//! RunInstances: what is asked for is checked in full, then all of it is made or none.

use jiff::Timestamp;
use rand::RngExt;
use sha2::{Digest, Sha256};

use super::answer::Refusal;
use super::cloud::Cloud;
use super::ledger::{Caller, Launch, What};
use super::life::Change;
use super::machine::{Isolation, Machine, ModelServer, Operation, State};
use super::order::Order;
use super::request::RunInstances;
use super::settings::TokenMode;
use super::world::nth_address;

const MAX_TOKEN_BYTES: usize = 64;

/// What a `ClientToken` led to.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    at: Timestamp,
    body_hash: [u8; 32],
    /// Empty when the first call was refused.
    instance_ids: Vec<String>,
}

/// (account, region, token)
pub(crate) type TokenKey = (usize, String, String);

impl Cloud {
    /// The content of the answer: `"InstanceIdSet":[…]`.
    pub(crate) fn run(
        &mut self,
        account: usize,
        region: &str,
        call: &RunInstances,
        body: &[u8],
        caller: &Caller,
        launch_fails: bool,
    ) -> Result<String, Refusal> {
        let token = call.client_token.as_deref().filter(|token| !token.is_empty());
        if token.is_some_and(|token| token.len() > MAX_TOKEN_BYTES) {
            let message = format!("ClientToken is at most {MAX_TOKEN_BYTES} bytes");
            return Err(Refusal::new("InvalidClientToken.TooLong", message));
        }
        let dry_run = call.dry_run == Some(true);
        let Some(token) = token.filter(|_| !dry_run) else {
            let order = self.order(account, region, call)?;
            return Ok(if dry_run {
                String::new()
            } else {
                answer(&self.make(account, region, &order, caller, launch_fails))
            });
        };
        let key = (account, region.to_owned(), token.to_owned());
        let body_hash = Sha256::digest(body).into();
        if let Some(instance_ids) = self.recall(&key, body_hash)? {
            let ids = answer(&instance_ids);
            self.record(What::Replayed { caller: caller.clone(), instance_ids });
            return Ok(ids);
        }
        let made = self
            .order(account, region, call)
            .map(|order| self.make(account, region, &order, caller, launch_fails));
        let instance_ids = made.clone().unwrap_or_default();
        self.tokens.insert(key, Remembered { at: self.now, body_hash, instance_ids });
        made.map(|ids| answer(&ids))
    }

    /// What is remembered under a token, if the mode has it remembered.
    fn recall(&self, key: &TokenKey, body_hash: [u8; 32]) -> Result<Option<Vec<String>>, Refusal> {
        let Some(known) = self.tokens.get(key) else { return Ok(None) };
        let error = |message| Err(Refusal::new(&self.settings.token_error, message));
        let made = || Some(known.instance_ids.clone()).filter(|ids| !ids.is_empty());
        match self.settings.token_mode {
            TokenMode::Ignored => Ok(None),
            TokenMode::Replay => Ok(made()),
            TokenMode::ReplayFor { seconds } => {
                let age = self.now.duration_since(known.at).as_secs();
                Ok(made().filter(|_| u64::try_from(age).is_ok_and(|age| age < seconds)))
            }
            TokenMode::ErrorOnReplay => error("the ClientToken was used before"),
            TokenMode::ErrorOnChangedBody if made().is_some() && known.body_hash != body_hash => {
                error("the ClientToken was used with another request")
            }
            TokenMode::ErrorOnChangedBody => Ok(made()),
        }
    }

    /// Checks a request against the world and against what is left of it.
    fn order(&self, account: usize, region: &str, call: &RunInstances) -> Result<Order, Refusal> {
        let Some(place) = self.world.regions.get(region) else {
            return Err(Refusal::new("UnsupportedRegion", format!("there is no region `{region}`")));
        };
        let order = Order::check(call, place, &self.world.types)?;
        let payer = &self.accounts[account];
        if payer.in_arrears {
            return Err(Refusal::new(
                "InvalidAccount.InsufficientBalance",
                "the account has no balance left",
            ));
        }
        let here = |machine: &&Machine| {
            machine.account == payer.name && machine.region == region && machine.state != State::Gone
        };
        let owned = self.machines.values().filter(here).count();
        if owned + order.count as usize > payer.instance_quota as usize {
            return Err(Refusal::new(
                "LimitExceeded.InstanceQuota",
                "the account's quota of instances is used up",
            ));
        }
        let zone = place.zones.get(&order.zone);
        if order.spot() {
            let used = self.spot_cpu(account, region, &order.zone);
            if used + order.count * order.kind.cpu > zone.map_or(0, |zone| zone.spot_quota) {
                let message = "the zone's quota of spot vCPU is used up";
                return Err(Refusal::new("LimitExceeded.UserSpotQuota", message));
            }
        }
        let stock = zone.and_then(|zone| zone.stock_of(&order.instance_type, &order.charge_type));
        if stock.unwrap_or(0) < order.count {
            let message = format!("`{}` is sold out in `{}`", order.instance_type, order.zone);
            return Err(Refusal::new(&self.settings.sold_out_code, message));
        }
        if zone.is_some_and(|zone| zone.sold_out_disks.contains(&order.disk_type)) {
            let message = format!("`{}` is sold out in `{}`", order.disk_type, order.zone);
            return Err(Refusal::new(&self.settings.disk_sold_out_code, message));
        }
        if place.subnets.get(&order.subnet).is_none_or(|subnet| subnet.free < order.count) {
            let message = format!("`{}` has no addresses left", order.subnet);
            return Err(Refusal::new(&self.settings.subnet_full_code, message));
        }
        Ok(order)
    }

    /// Makes all of it.
    fn make(
        &mut self,
        account: usize,
        region: &str,
        order: &Order,
        caller: &Caller,
        launch_fails: bool,
    ) -> Vec<String> {
        self.change_stock(region, &order.zone, &order.instance_type, &order.charge_type, |stock| {
            stock.saturating_sub(order.count)
        });
        let place = self.world.regions.get_mut(region);
        if let Some(subnet) = place.and_then(|place| place.subnets.get_mut(&order.subnet)) {
            subnet.free -= order.count;
        }
        (0..order.count)
            .map(|index| {
                let name = numbered(&order.name, index, order.count);
                let machine = self.blank(account, region, order, name, Some(caller));
                let seq = machine.seq;
                let fails = launch_fails || self.chance(self.settings.launch_failure);
                let (boot, visible_at, tags_at) =
                    (self.after(self.settings.boot), machine.visible_at, machine.tags_at);
                let id = self.place(machine);
                self.plan_change(boot, Change::Booted { seq, fails });
                if tags_at > self.now {
                    self.plan_change(tags_at.max(visible_at), Change::TagsAttached { seq });
                }
                id
            })
            .collect()
    }

    /// A machine as it is when its launch is committed.
    pub(crate) fn blank(
        &mut self,
        account: usize,
        region: &str,
        order: &Order,
        name: String,
        caller: Option<&Caller>,
    ) -> Machine {
        self.last_machine += 1;
        let seq = self.last_machine;
        let visible_at = self.after(self.settings.visibility_lag);
        let tags_at = self.after(self.settings.tag_lag);
        let hourly = if order.spot() { order.kind.hourly_spot } else { order.kind.hourly };
        Machine {
            id: self.fresh_instance_id(),
            seq,
            account: self.accounts[account].name.clone(),
            region: region.to_owned(),
            zone: order.zone.clone(),
            instance_type: order.instance_type.clone(),
            charge_type: order.charge_type.clone(),
            image: order.image.clone(),
            vpc: order.vpc.clone(),
            subnet: order.subnet.clone(),
            security_groups: order.security_groups.clone(),
            key_ids: order.key_ids.clone(),
            name,
            project_id: order.project_id,
            disk_type: order.disk_type.clone(),
            disk_size: order.disk_size,
            bandwidth: order.bandwidth,
            tags: order.tags.clone(),
            private_ip: nth_address(self.addresses.private, seq),
            public_ip: order.public.then(|| nth_address(self.addresses.public, seq)),
            state: State::Pending,
            isolation: Isolation::NotIsolated,
            model_server: ModelServer::Ok,
            created_at: self.now,
            visible_at,
            tags_at,
            running_at: None,
            shown_running_at: None,
            ready_at: None,
            reclaim_at: None,
            gone_at: None,
            why_gone: None,
            token: caller.and_then(|caller| caller.token.clone()),
            made_by: caller.map(|caller| caller.request_id.clone()),
            made_with: caller.map(|caller| caller.secret_id.clone()),
            ended_by: None,
            foreign: caller.is_none(),
            hourly,
            billed_from: None,
            billed_to: None,
            cpu: order.kind.cpu,
            memory: order.kind.memory,
            gpu: order.kind.gpu,
            uuid: self.fresh_uuid(),
            tags_shown: tags_at <= self.now,
            lingers_as: None,
            operation: Operation {
                name: "RunInstances",
                state: "OPERATING",
                request_id: caller.map(|caller| caller.request_id.clone()).unwrap_or_default(),
                error: "",
            },
            shown: None,
        }
    }

    /// Puts a machine into the world and the ledger.
    pub(crate) fn place(&mut self, machine: Machine) -> String {
        let id = machine.id.clone();
        let caller = machine.made_by.clone().map(|request_id| Caller {
            action: "RunInstances".to_owned(),
            request_id,
            secret_id: machine.made_with.clone().unwrap_or_default(),
            token: machine.token.clone(),
        });
        self.record(What::Launched(Box::new(Launch {
            instance_id: id.clone(),
            account: machine.account.clone(),
            region: machine.region.clone(),
            zone: machine.zone.clone(),
            instance_type: machine.instance_type.clone(),
            charge_type: machine.charge_type.clone(),
            name: machine.name.clone(),
            tags: machine.tags.clone(),
            caller,
        })));
        self.ids.insert(id.clone(), machine.seq);
        self.by_address.insert(machine.private_ip, machine.seq);
        if let Some(ip) = machine.public_ip {
            self.by_address.insert(ip, machine.seq);
        }
        self.machines.insert(machine.seq, machine);
        id
    }

    fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.random_bool(probability.min(1.0))
    }
}

fn answer(ids: &[String]) -> String {
    format!(r#""InstanceIdSet":["{}"]"#, ids.join(r#"",""#))
}

/// The name of one of several: a pattern `{R:x}` becomes x, x+1, …; without one, 1, 2, … is appended.
fn numbered(name: &str, index: u32, count: u32) -> String {
    let pattern = name.split_once("{R:").and_then(|(before, rest)| {
        let (start, after) = rest.split_once('}')?;
        Some(format!("{before}{}{after}", start.parse::<u32>().ok()? + index))
    });
    match pattern {
        Some(name) => name,
        None if count > 1 => format!("{name}{}", index + 1),
        None => name.to_owned(),
    }
}
