//! Tencent Cloud CVM, as far as a fleet of spot machines sees of it.

mod answer;
mod cloud;
mod console;
mod customers;
mod door;
mod fault;
mod launch;
mod ledger;
mod life;
mod listing;
mod machine;
mod market;
mod model_server;
mod offers;
mod order;
mod quota;
mod request;
mod settings;
pub mod signature;
mod wire;
mod world;
mod zone_information;

pub use answer::{Fate, Reply};
pub use cloud::{Cloud, Flight, Step};
pub use console::{BillLine, NoSuch, RECLAIM_NOTICE, Stranger};
pub use fault::{ActiveFault, Fault, FaultRule, Loss};
pub use ledger::{Caller, Event, Launch, Ledger, What};
pub use machine::{Isolation, Machine, ModelServer, State, Why};
pub use market::Stock;
pub use model_server::{MODEL_SERVER_PORT, ProbeAnswer};
pub use quota::FIRST_APP_ID;
pub use settings::{InvalidSpan, Latency, NameFilter, Settings, Span, TokenMode};
pub use world::{
    Account, Addresses, CloudConfig, Credential, InstanceType, InvalidCredential, Region, Subnet, World, Zone,
};
pub use zone_information::{Lie, ZoneInformation};
