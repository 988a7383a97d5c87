//! What happens to machines from outside the API: they are taken back, isolated, changed or placed by hand. Tests and
//! the admin API do it through here; what happens to the goods and to the accounts is in `market` and `customers`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cloud::Cloud;
use super::fault::{ActiveFault, FaultRule};
use super::ledger::What;
use super::life::Change;
use super::machine::{Isolation, Machine, ModelServer, State, Why};
use super::order::Order;
use super::settings::{Settings, Span};
use super::world::{World, nth_address};

/// How long before it stops a machine the cloud says so (the documented notice of a reclaim).
pub const RECLAIM_NOTICE: Span = Span::secs(120);

/// Something was asked for that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {kind} `{name}` here")]
pub struct NoSuch {
    kind: &'static str,
    name: String,
}

impl NoSuch {
    pub(crate) fn new(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.to_owned() }
    }
}

/// A machine that nobody's call made: somebody's database, a machine of another team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stranger {
    /// Whose; the first account when empty.
    pub account: String,
    /// Where; the first zone of its region when empty.
    pub zone: String,
    /// Its region.
    pub region: String,
    /// Its display name.
    pub name: String,
    /// Its type.
    pub instance_type: String,
    /// How it is paid.
    pub charge_type: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Default for Stranger {
    fn default() -> Self {
        Self {
            account: String::new(),
            zone: String::new(),
            region: "ap-singapore".to_owned(),
            name: "somebody-elses-machine".to_owned(),
            instance_type: "GN7.2XLARGE32".to_owned(),
            charge_type: "POSTPAID_BY_HOUR".to_owned(),
            tags: BTreeMap::new(),
        }
    }
}

/// What one machine has cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BillLine {
    /// `ins-…`.
    pub instance_id: String,
    /// Who pays.
    pub account: String,
    /// Its type.
    pub instance_type: String,
    /// How it is paid.
    pub charge_type: String,
    /// An hour's price.
    pub hourly: f64,
    /// Seconds billed so far.
    pub seconds: u64,
    /// `hourly` x `seconds` / 3600.
    pub cost: f64,
    /// Whether the meter still runs.
    pub running: bool,
}

impl Cloud {
    /// Every machine that exists or existed, as it really is, in order of creation.
    pub fn machines(&self) -> impl Iterator<Item = &Machine> {
        let mut all: Vec<&Machine> = self.past.values().chain(self.machines.values()).collect();
        all.sort_unstable_by_key(|machine| machine.seq);
        all.into_iter()
    }

    /// The machines that exist (any state but gone), in order of creation.
    pub fn existing(&self) -> impl Iterator<Item = &Machine> {
        self.machines.values().filter(|machine| machine.state != State::Gone)
    }

    /// One machine, existing or past.
    pub fn machine(&self, id: &str) -> Option<&Machine> {
        let seq = self.ids.get(id)?;
        self.machines.get(seq).or_else(|| self.past.get(seq))
    }

    /// The machine at an address.
    pub fn machine_at(&self, ip: Ipv4Addr) -> Option<&Machine> {
        self.machines.get(self.by_address.get(&ip)?)
    }

    fn existing_seq(&self, id: &str) -> Result<u64, NoSuch> {
        let seq =
            self.ids.get(id).filter(|seq| self.machines.get(seq).is_some_and(|m| m.state != State::Gone));
        seq.copied().ok_or_else(|| NoSuch::new("machine", id))
    }

    /// A machine is gone from one moment to the next, without a word.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn vanish(&mut self, id: &str) -> Result<(), NoSuch> {
        let seq = self.existing_seq(id)?;
        self.remove(seq, Why::Vanished);
        Ok(())
    }

    /// The cloud takes a machine back: after `notice` it is stopped, shut down and destroyed.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn reclaim(&mut self, id: &str, notice: Span) -> Result<(), NoSuch> {
        let seq = self.existing_seq(id)?;
        let reclaim_at = self.after(notice);
        if let Some(machine) = self.machines.get_mut(&seq) {
            machine.reclaim_at = Some(reclaim_at);
        }
        self.record(What::ReclaimNotice { instance_id: id.to_owned(), reclaim_at });
        self.plan_change(reclaim_at, Change::Reclaimed { seq, to: State::Stopping });
        self.advance(self.now);
        Ok(())
    }

    /// Puts a machine into any state but gone, as a person at the console may.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn set_state(&mut self, id: &str, state: State) -> Result<(), NoSuch> {
        if state == State::Gone {
            return self.vanish(id);
        }
        let seq = self.existing_seq(id)?;
        if let Some(machine) = self.machines.get_mut(&seq) {
            machine.state = state;
            machine.shown = None;
        }
        self.record(What::StateChanged { instance_id: id.to_owned(), state: state.as_str() });
        Ok(())
    }

    /// Keeps a machine from working, or lets it work again: it stops, or comes back.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn isolate(&mut self, id: &str, source: Isolation) -> Result<(), NoSuch> {
        let seq = self.existing_seq(id)?;
        if let Some(machine) = self.machines.get_mut(&seq) {
            machine.isolation = source;
        }
        self.record(What::Isolated { instance_id: id.to_owned(), source: source.as_str() });
        let state = if source == Isolation::NotIsolated { State::Running } else { State::Stopped };
        self.set_state(id, state)
    }

    /// Changes a machine's name, as a person at the console may.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn rename(&mut self, id: &str, name: &str) -> Result<(), NoSuch> {
        let seq = self.existing_seq(id)?;
        if let Some(machine) = self.machines.get_mut(&seq) {
            name.clone_into(&mut machine.name);
            machine.shown = None;
        }
        Ok(())
    }

    /// Replaces a machine's tags at once, as a person at the console may.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn retag(&mut self, id: &str, tags: Vec<(String, String)>) -> Result<(), NoSuch> {
        let seq = self.existing_seq(id)?;
        if let Some(machine) = self.machines.get_mut(&seq) {
            machine.tags = tags;
            machine.tags_shown = true;
            machine.shown = None;
        }
        Ok(())
    }

    /// Tells a machine's model server how to behave.
    ///
    /// # Errors
    /// When the machine does not exist.
    pub fn set_model_server(&mut self, id: &str, behaviour: ModelServer) -> Result<(), NoSuch> {
        let seq = self.existing_seq(id)?;
        if let Some(machine) = self.machines.get_mut(&seq) {
            machine.model_server = behaviour;
        }
        Ok(())
    }

    /// Places a machine that runs already. It takes no stock. Returns its id.
    ///
    /// # Errors
    /// When its account, region, zone or type does not exist.
    pub fn add_stranger(&mut self, stranger: &Stranger) -> Result<String, NoSuch> {
        let account = if stranger.account.is_empty() { 0 } else { self.account_index(&stranger.account)? };
        let order = self.stranger_order(stranger)?;
        let machine = self.blank(account, &stranger.region, &order, stranger.name.clone(), None);
        Ok(self.place_running(machine))
    }

    /// Places an exact copy of a machine: same name, tags, type and network, another id. It runs already.
    /// Returns its id.
    ///
    /// # Errors
    /// When the machine does not exist.
    pub fn copy(&mut self, id: &str) -> Result<String, NoSuch> {
        let seq = self.existing_seq(id)?;
        let original = self.machines.get(&seq).cloned().ok_or_else(|| NoSuch::new("machine", id))?;
        let machine = self.twin_of(original);
        Ok(self.place_running(machine))
    }

    /// Where and what a stranger is: the zone's default network, the region's first image.
    fn stranger_order(&self, stranger: &Stranger) -> Result<Order, NoSuch> {
        let missing = |kind, name: &str| NoSuch::new(kind, name);
        let region = self.world.regions.get(&stranger.region);
        let region = region.ok_or_else(|| missing("region", &stranger.region))?;
        let zone = match stranger.zone.as_str() {
            "" => region.zones.first_key_value(),
            zone => region.zones.get_key_value(zone),
        };
        let (zone, here) = zone.ok_or_else(|| missing("zone", &stranger.zone))?;
        let kind = self.world.types.get(&stranger.instance_type);
        let kind = kind.ok_or_else(|| missing("type", &stranger.instance_type))?;
        let vpc = region.subnets.get(&here.default_subnet).map(|subnet| subnet.vpc.clone());
        Ok(Order {
            count: 1,
            zone: zone.clone(),
            instance_type: stranger.instance_type.clone(),
            kind: kind.clone(),
            charge_type: stranger.charge_type.clone(),
            image: region.images.first().cloned().unwrap_or_default(),
            vpc: vpc.unwrap_or_default(),
            subnet: here.default_subnet.clone(),
            security_groups: region.security_groups.first().cloned().into_iter().collect(),
            key_ids: Vec::new(),
            name: stranger.name.clone(),
            project_id: 0,
            disk_type: "CLOUD_PREMIUM".to_owned(),
            disk_size: 50,
            bandwidth: 1,
            public: true,
            tags: stranger.tags.clone().into_iter().collect(),
        })
    }

    /// A machine like another one, with an id and addresses of its own.
    fn twin_of(&mut self, original: Machine) -> Machine {
        self.last_machine += 1;
        let seq = self.last_machine;
        Machine {
            id: self.fresh_instance_id(),
            seq,
            uuid: self.fresh_uuid(),
            private_ip: nth_address(self.addresses.private, seq),
            public_ip: original.public_ip.map(|_| nth_address(self.addresses.public, seq)),
            model_server: ModelServer::Ok,
            created_at: self.now,
            shown_running_at: None,
            reclaim_at: None,
            billed_to: None,
            token: None,
            made_by: None,
            made_with: None,
            ended_by: None,
            foreign: true,
            shown: None,
            ..original
        }
    }

    fn place_running(&mut self, mut machine: Machine) -> String {
        let ready_at = self.after(self.settings.load);
        machine.state = State::Running;
        machine.running_at = Some(self.now);
        machine.ready_at = Some(ready_at);
        machine.billed_from = Some(self.now);
        machine.visible_at = self.now;
        machine.tags_at = self.now;
        machine.tags_shown = true;
        machine.operation.state = "SUCCESS";
        self.place(machine)
    }

    /// What every machine has cost, in order of creation.
    pub fn billing(&self) -> Vec<BillLine> {
        let line = |machine: &Machine| {
            let seconds = machine.billed_seconds(self.now);
            BillLine {
                instance_id: machine.id.clone(),
                account: machine.account.clone(),
                instance_type: machine.instance_type.clone(),
                charge_type: machine.charge_type.clone(),
                hourly: machine.hourly,
                seconds,
                cost: machine.hourly * seconds as f64 / 3600.0,
                running: machine.billed_from.is_some() && machine.billed_to.is_none(),
            }
        };
        self.machines().map(line).collect()
    }

    /// Adds a fault. Returns its number.
    pub fn add_fault(&mut self, mut rule: FaultRule) -> u64 {
        if let Some(lasts) = rule.lasts.take() {
            let until = self.after(lasts);
            rule.until = Some(until);
        }
        self.last_fault += 1;
        self.faults.push(ActiveFault { id: self.last_fault, struck: 0, rule });
        self.last_fault
    }

    /// The faults that may still strike.
    pub fn faults(&self) -> &[ActiveFault] {
        &self.faults
    }

    /// Takes a fault away. Says whether it was there.
    pub fn remove_fault(&mut self, id: u64) -> bool {
        let before = self.faults.len();
        self.faults.retain(|fault| fault.id != id);
        self.faults.len() < before
    }

    /// Takes every fault away.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The knobs as they are.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the knobs. What was drawn before (the lag of a machine that exists) stays as it is.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Places, networks, types and stock.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// True time, as of the last call or [`Cloud::advance`].
    pub fn now(&self) -> Timestamp {
        self.now
    }
}
