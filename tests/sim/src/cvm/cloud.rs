//! The cloud itself: what it holds, and the way of a request through it.
//!
//! A request is a [`Flight`]: it leaves the caller, reaches the cloud some time later, takes effect then
//! or later still, and its answer needs time to come back. Whoever drives the cloud waits until
//! [`Flight::at`] and calls [`Cloud::step`], and goes on doing so when the caller has long given up.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::answer::{self, Fate, Refusal, Reply};
use super::fault::{ActiveFault, Fault, Plan};
use super::launch::{Remembered, TokenKey};
use super::ledger::{Caller, Ledger, What};
use super::life::Change;
use super::machine::Machine;
use super::request::{Call, header};
use super::settings::{Settings, Span};
use super::world::{Account, Addresses, CloudConfig, World};
use super::zone_information::StockChanges;

/// A stand-in for Tencent Cloud CVM, version 2017-03-12. It has no clock and does no IO: time comes as a
/// parameter, all chance from the seed, and equal calls in equal order give equal answers.
#[derive(Debug)]
pub struct Cloud {
    pub(crate) now: Timestamp,
    /// What is not drawn in the order of calls is drawn from this.
    pub(crate) seed: u64,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) accounts: Vec<Account>,
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) addresses: Addresses,
    /// What listings may show: what exists, and what is gone but lingers.
    pub(crate) machines: BTreeMap<u64, Machine>,
    /// What is gone for good.
    pub(crate) past: BTreeMap<u64, Machine>,
    pub(crate) ids: BTreeMap<String, u64>,
    pub(crate) by_address: BTreeMap<Ipv4Addr, u64>,
    pub(crate) agenda: BTreeMap<(Timestamp, u64), Change>,
    pub(crate) tokens: BTreeMap<TokenKey, Remembered>,
    /// The calls of the last second by (account, region, action).
    pub(crate) windows: BTreeMap<(usize, String, String), VecDeque<Timestamp>>,
    /// The signing key of a `SecretId` for one day.
    pub(crate) signing_keys: BTreeMap<String, (String, [u8; 32])>,
    pub(crate) faults: Vec<ActiveFault>,
    pub(crate) stock_changes: StockChanges,
    pub(crate) ledger: Ledger,
    pub(crate) last_machine: u64,
    pub(crate) last_change: u64,
    pub(crate) last_fault: u64,
}

/// A request on its way.
#[derive(Debug)]
pub struct Flight {
    at: Timestamp,
    caller: Caller,
    plan: Plan,
    way_back: Duration,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Travelling(http::Request<Bytes>),
    Accepted { account: usize, region: String, call: Call, body: Bytes },
}

impl Flight {
    /// When [`Cloud::step`] is due.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The `RequestId` that its answer has or would have.
    pub fn request_id(&self) -> &str {
        &self.caller.request_id
    }
}

/// Where a step has brought a request.
#[derive(Debug)]
pub enum Step {
    /// Not at its end: another step is due.
    On(Box<Flight>),
    /// Answered, or lost.
    Done(Reply),
}

impl Cloud {
    /// A cloud with nothing running. Its first notion of time comes with the first call.
    pub fn new(config: CloudConfig, seed: u64) -> Self {
        Self {
            now: Timestamp::UNIX_EPOCH,
            seed,
            rng: ChaCha8Rng::seed_from_u64(seed),
            accounts: config.accounts,
            world: config.world,
            settings: config.settings,
            addresses: config.addresses,
            machines: BTreeMap::new(),
            past: BTreeMap::new(),
            ids: BTreeMap::new(),
            by_address: BTreeMap::new(),
            agenda: BTreeMap::new(),
            tokens: BTreeMap::new(),
            windows: BTreeMap::new(),
            signing_keys: BTreeMap::new(),
            faults: Vec::new(),
            stock_changes: StockChanges::default(),
            ledger: Ledger::default(),
            last_machine: 0,
            last_change: 0,
            last_fault: 0,
        }
    }

    /// A request leaves its caller. Its faults are drawn now. The second flight is there when the network
    /// doubles the request; nobody waits for its answer.
    pub fn send(&mut self, now: Timestamp, request: http::Request<Bytes>) -> (Flight, Option<Flight>) {
        self.send_under(now, request, Vec::new())
    }

    /// As [`Cloud::send`], under these faults besides those that the rules draw. The ledger has them as
    /// rule 0.
    pub fn send_under(
        &mut self,
        now: Timestamp,
        request: http::Request<Bytes>,
        faults: Vec<Fault>,
    ) -> (Flight, Option<Flight>) {
        self.advance(now);
        let action = header(request.headers(), "X-TC-Action").to_owned();
        let caller = Caller {
            request_id: self.fresh_uuid(),
            secret_id: secret_id_of(&request).to_owned(),
            token: None,
            action,
        };
        let mut plan = self.draw_faults(&caller, request.body());
        for fault in faults {
            self.record(What::Fault { caller: caller.clone(), rule: 0, kind: fault.kind() });
            plan.add(fault, &mut self.rng);
        }
        let trip = self.settings.latency.draw(&caller.action, &mut self.rng);
        let way_there = trip.mul_f64(0.5);
        let at = self.now + way_there + plan.network_delay;
        let way_back = trip - way_there + plan.answer_delay;
        let double = plan.doubled_after.map(|delay| Flight {
            at: at + delay,
            way_back,
            stage: Stage::Travelling(request.clone()),
            caller: Caller { request_id: self.fresh_uuid(), ..caller.clone() },
            plan: Plan::default(),
        });
        (Flight { at, way_back, stage: Stage::Travelling(request), caller, plan }, double)
    }

    fn draw_faults(&mut self, caller: &Caller, body: &[u8]) -> Plan {
        let mut plan = Plan::default();
        if self.faults.is_empty() {
            return plan;
        }
        let mut faults = std::mem::take(&mut self.faults);
        for active in &mut faults {
            if active.strikes(self.now, &caller.action, &caller.secret_id, body, &mut self.rng) {
                let fault = active.rule.fault.clone();
                self.record(What::Fault { caller: caller.clone(), rule: active.id, kind: fault.kind() });
                plan.add(fault, &mut self.rng);
            }
        }
        faults.retain(|active| !active.is_spent(self.now));
        self.faults = faults;
        plan
    }

    /// Brings a request on by one stage. Due at [`Flight::at`].
    pub fn step(&mut self, now: Timestamp, flight: Flight) -> Step {
        self.advance(now);
        let Flight { mut caller, plan, way_back, stage, .. } = flight;
        match stage {
            Stage::Travelling(request) => {
                if let Some(loss) = plan.lost_request {
                    return self.done(&caller, way_back, loss.into());
                }
                if let Some(status) = plan.gateway_before {
                    let fate = answer::gateway(status, self.clock(plan.date_ahead));
                    return self.done(&caller, way_back, fate);
                }
                match self.accept(&mut caller, &plan, &request) {
                    Err(refusal) => self.refuse(&caller, &plan, way_back, &refusal),
                    Ok((account, region, call)) => {
                        let stage = Stage::Accepted { account, region, call, body: request.into_body() };
                        let at = self.now + plan.commit_delay;
                        let flight = Flight { at, caller, plan, way_back, stage };
                        if at > self.now { Step::On(Box::new(flight)) } else { self.step(now, flight) }
                    }
                }
            }
            Stage::Accepted { account, region, call, body } => {
                let content = self.commit(account, &region, &call, &body, &caller, &plan);
                match content {
                    Err(refusal) => self.refuse(&caller, &plan, way_back, &refusal),
                    Ok(content) => {
                        self.ledger.answered(&caller.action, "OK");
                        let body = answer::success(&content, &caller.request_id);
                        self.answer(&caller, &plan, way_back, body)
                    }
                }
            }
        }
    }

    /// The request is at the door: whose is it, may it come in, what does it want.
    fn accept(
        &mut self,
        caller: &mut Caller,
        plan: &Plan,
        request: &http::Request<Bytes>,
    ) -> Result<(usize, String, Call), Refusal> {
        let (account, region) = self.admit(request)?;
        if let Some(code) = &plan.refuse {
            return Err(Refusal::new(code, "refused by the stand-in, as it was told to"));
        }
        let call = Call::parse(&caller.action, request.body())?;
        if let Call::Run(run) = &call {
            caller.token.clone_from(&run.client_token);
        }
        if !call.only_reads() {
            self.record(What::Received(caller.clone()));
        }
        Ok((account, region, call))
    }

    fn commit(
        &mut self,
        account: usize,
        region: &str,
        call: &Call,
        body: &[u8],
        caller: &Caller,
        plan: &Plan,
    ) -> Result<String, Refusal> {
        match call {
            Call::Describe(call) => self.describe(account, region, call, &plan.tampering),
            Call::Run(call) => self.run(account, region, call, body, caller, plan.launch_fails),
            Call::Terminate(call) => self.terminate(account, region, call, caller),
            Call::Offers(call) => self.offers(region, call),
            Call::Quota(call) => self.account_quota(account, region, call),
        }
    }

    fn refuse(&mut self, caller: &Caller, plan: &Plan, way_back: Duration, refusal: &Refusal) -> Step {
        self.ledger.answered(&caller.action, &refusal.code);
        self.record(What::Refused { caller: caller.clone(), code: refusal.code.clone() });
        let body = answer::refusal(refusal, &caller.request_id);
        self.answer(caller, plan, way_back, body)
    }

    fn answer(&self, caller: &Caller, plan: &Plan, way_back: Duration, body: String) -> Step {
        let fate = match plan.lost_answer {
            Some(loss) => loss.into(),
            None => answer::finish(body, &caller.request_id, self.clock(plan.date_ahead), &plan.tampering),
        };
        self.done(caller, way_back, fate)
    }

    fn done(&self, caller: &Caller, way_back: Duration, fate: Fate) -> Step {
        Step::Done(Reply { request_id: caller.request_id.clone(), answer_at: self.now + way_back, fate })
    }

    /// What the cloud's own clock says.
    pub(crate) fn clock(&self, ahead: f64) -> Timestamp {
        let ahead = SignedDuration::from_secs_f64(self.settings.clock_ahead + ahead);
        self.now + ahead
    }

    /// Events, and answers counted.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn record(&mut self, what: What) {
        self.ledger.record(self.now, what);
    }

    /// A time from now, drawn.
    pub(crate) fn after(&mut self, span: Span) -> Timestamp {
        self.now + span.draw(&mut self.rng)
    }

    /// `ins-` and 8 letters or digits that no machine has had.
    pub(crate) fn fresh_instance_id(&mut self) -> String {
        const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        loop {
            let letters = (0..8).map(|_| char::from(LETTERS[self.rng.random_range(0..LETTERS.len())]));
            let id: String = "ins-".chars().chain(letters).collect();
            if !self.ids.contains_key(&id) {
                return id;
            }
        }
    }

    /// A random UUID (version 4).
    pub(crate) fn fresh_uuid(&mut self) -> String {
        let mut bytes = [0_u8; 16];
        self.rng.fill_bytes(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = hex::encode(bytes);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

/// Who a request says it is from, for the ledger; "" when it does not say.
fn secret_id_of(request: &http::Request<Bytes>) -> &str {
    super::signature::Claim::parse(header(request.headers(), "Authorization"))
        .map_or("", |claim| claim.secret_id)
}
