//! What happens to machines as time goes by, and TerminateInstances, which starts their end.

use jiff::Timestamp;

use super::answer::Refusal;
use super::cloud::Cloud;
use super::ledger::{Caller, What};
use super::listing::check_ids;
use super::machine::{Machine, State, Why};
use super::request::TerminateInstances;
use super::settings::Span;

const MAX_IDS: usize = 100;

/// How long a reclaimed machine takes from one state to the next.
const RECLAIM_STEP: Span = Span::secs(2);

/// Something that will happen to a machine, unless it is overtaken by something else.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    /// PENDING ends.
    Booted { seq: u64, fails: bool },
    /// Tags show.
    TagsAttached { seq: u64 },
    /// A reclaimed machine stops, is shut down, is destroyed.
    Reclaimed { seq: u64, to: State },
    /// It is there no more.
    Gone { seq: u64, why: Why },
    /// Listings stop showing a gone machine.
    Forgotten { seq: u64 },
}

impl Cloud {
    /// Lets time pass up to `now`: every change that is due happens, in order, at its own time. Time
    /// never goes back; an earlier `now` is taken as the latest one seen.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some((&(due, _), _)) = self.agenda.first_key_value() {
            if due > now {
                break;
            }
            if let Some((_, change)) = self.agenda.pop_first() {
                self.now = self.now.max(due);
                self.apply(change);
            }
        }
        self.now = self.now.max(now);
    }

    /// When the next machine changes by itself.
    pub fn next_change(&self) -> Option<Timestamp> {
        self.agenda.first_key_value().map(|(&(due, _), _)| due)
    }

    pub(crate) fn plan_change(&mut self, due: Timestamp, change: Change) {
        self.last_change += 1;
        self.agenda.insert((due, self.last_change), change);
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Booted { seq, fails: false } => self.come_up(seq),
            Change::Booted { seq, fails: true } => self.fail_to_launch(seq),
            Change::TagsAttached { seq } => {
                if let Some(machine) = self.machines.get_mut(&seq) {
                    machine.tags_shown = true;
                    machine.shown = None;
                }
            }
            Change::Reclaimed { seq, to } => self.reclaim_step(seq, to),
            Change::Gone { seq, why } => self.remove(seq, why),
            Change::Forgotten { seq } => {
                if let Some(machine) = self.machines.remove(&seq) {
                    self.past.insert(seq, machine);
                }
            }
        }
    }

    fn come_up(&mut self, seq: u64) {
        let (now, ready_at) = (self.now, self.after(self.settings.load));
        let Some(machine) = self.machines.get_mut(&seq).filter(|machine| machine.state == State::Pending)
        else {
            return;
        };
        machine.state = State::Running;
        machine.running_at = Some(now);
        machine.ready_at = Some(ready_at);
        machine.billed_from = Some(now);
        machine.operation.state = "SUCCESS";
        machine.shown = None;
        let instance_id = machine.id.clone();
        self.record(What::Running { instance_id });
    }

    fn fail_to_launch(&mut self, seq: u64) {
        let gone_at = self.after(self.settings.launch_failed_shows);
        let Some(machine) = self.machines.get_mut(&seq).filter(|machine| machine.state == State::Pending)
        else {
            return;
        };
        machine.state = State::LaunchFailed;
        machine.operation.state = "FAILED";
        machine.operation.error = "the instance could not be created: no capacity on the chosen host";
        machine.shown = None;
        let instance_id = machine.id.clone();
        self.record(What::LaunchFailed { instance_id });
        self.plan_change(gone_at, Change::Gone { seq, why: Why::LaunchFailed });
    }

    fn reclaim_step(&mut self, seq: u64, to: State) {
        let now = self.now;
        let next = match to {
            State::Stopping => Some(State::Shutdown),
            State::Shutdown => Some(State::Terminating),
            _ => None,
        };
        // A machine that somebody terminates meanwhile goes that way.
        let overtaken = |machine: &&mut Machine| !matches!(machine.state, State::Gone | State::Terminating);
        let Some(machine) = self.machines.get_mut(&seq).filter(overtaken) else { return };
        machine.state = to;
        machine.billed_to.get_or_insert(now);
        machine.shown = None;
        let instance_id = machine.id.clone();
        self.record(What::StateChanged { instance_id, state: to.as_str() });
        match next {
            Some(next) => {
                let due = self.after(RECLAIM_STEP);
                self.plan_change(due, Change::Reclaimed { seq, to: next });
            }
            None => {
                let due = self.after(self.settings.terminate);
                self.plan_change(due, Change::Gone { seq, why: Why::Reclaimed });
            }
        }
    }

    /// The end of a machine, whatever state it is in.
    pub(crate) fn remove(&mut self, seq: u64, why: Why) {
        let now = self.now;
        let forgotten_at = self.after(self.settings.linger);
        let Some(machine) = self.machines.get_mut(&seq).filter(|machine| machine.state != State::Gone) else {
            return;
        };
        machine.lingers_as = Some(machine.state);
        machine.state = State::Gone;
        machine.gone_at = Some(now);
        machine.why_gone = Some(why);
        if machine.billed_from.is_some() {
            machine.billed_to.get_or_insert(now);
        }
        let addresses = [Some(machine.private_ip), machine.public_ip];
        let (region, zone) = (machine.region.clone(), machine.zone.clone());
        let (subnet, foreign) = (machine.subnet.clone(), machine.foreign);
        let (instance_type, charge_type) = (machine.instance_type.clone(), machine.charge_type.clone());
        let instance_id = machine.id.clone();
        for address in addresses.into_iter().flatten() {
            self.by_address.remove(&address);
        }
        if !foreign {
            let place = self.world.regions.get_mut(&region);
            if let Some(subnet) = place.and_then(|place| place.subnets.get_mut(&subnet)) {
                subnet.free += 1;
            }
            if self.settings.stock_returns {
                self.change_stock(&region, &zone, &instance_type, &charge_type, |stock| stock + 1);
            }
        }
        self.record(What::Gone { instance_id, why });
        if forgotten_at > now {
            self.plan_change(forgotten_at, Change::Forgotten { seq });
        } else {
            self.apply(Change::Forgotten { seq });
        }
    }

    /// All of the ids or none.
    pub(crate) fn terminate(
        &mut self,
        account: usize,
        region: &str,
        call: &TerminateInstances,
        caller: &Caller,
    ) -> Result<String, Refusal> {
        let ids = &call.instance_ids;
        if ids.is_empty() {
            return Err(Refusal::missing("InstanceIds"));
        }
        if ids.len() > MAX_IDS {
            let message = format!("at most {MAX_IDS} InstanceIds");
            return Err(Refusal::new("InvalidParameterValue.LimitExceeded", message));
        }
        check_ids(ids)?;
        let mut seqs = Vec::with_capacity(ids.len());
        for id in ids {
            seqs.push(self.terminable(account, region, id)?);
        }
        let charge = |seq: &u64| self.machines.get(seq).map(|machine| machine.charge_type.as_str());
        if seqs.iter().any(|seq| charge(seq) != charge(&seqs[0])) {
            return Err(Refusal::new(
                "UnsupportedOperation.InstanceMixedPricingModel",
                "the instances are not all charged in the same way",
            ));
        }
        seqs.sort_unstable();
        seqs.dedup();
        for seq in seqs {
            self.begin_termination(seq, caller);
        }
        Ok(String::new())
    }

    fn terminable(&self, account: usize, region: &str, id: &str) -> Result<u64, Refusal> {
        let owner = self.accounts[account].name.as_str();
        let known = self.ids.get(id).and_then(|seq| self.machines.get(seq)).filter(|machine| {
            machine.account == owner && machine.region == region && machine.visible_at <= self.now
        });
        let Some(machine) = known else {
            return Err(Refusal::new("InvalidInstanceId.NotFound", format!("there is no instance `{id}`")));
        };
        match machine.state.refuses_termination() {
            None => Ok(machine.seq),
            Some(code) => Err(Refusal::new(code, format!("`{id}` is {}", machine.state.as_str()))),
        }
    }

    fn begin_termination(&mut self, seq: u64, caller: &Caller) {
        let now = self.now;
        let gone_at = self.after(self.settings.terminate);
        let Some(machine) = self.machines.get_mut(&seq) else { return };
        // A prepaid machine goes to the recycle bin first and stays there for days.
        let prepaid = machine.charge_type == "PREPAID";
        machine.state = if prepaid { State::Shutdown } else { State::Terminating };
        machine.billed_to.get_or_insert(now);
        machine.ended_by = Some(caller.request_id.clone());
        machine.operation.name = "TerminateInstances";
        machine.operation.state = "OPERATING";
        machine.operation.request_id.clone_from(&caller.request_id);
        machine.shown = None;
        let instance_id = machine.id.clone();
        self.record(What::TerminationAccepted { instance_id, caller: caller.clone() });
        if !prepaid {
            self.plan_change(gone_at, Change::Gone { seq, why: Why::Terminated });
        }
    }
}
