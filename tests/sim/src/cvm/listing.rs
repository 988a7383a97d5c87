//! DescribeInstances: which machines a caller is shown, and how one looks on the wire.

use super::answer::Refusal;
use super::cloud::Cloud;
use super::fault::Fault;
use super::machine::{Machine, State};
use super::request::{DescribeInstances, Filter};
use super::settings::NameFilter;
use super::wire;

const MAX_IDS: usize = 100;
const MAX_FILTERS: usize = 10;
const MAX_FILTER_VALUES: usize = 5;
const MAX_LIMIT: i64 = 100;
const DEFAULT_LIMIT: i64 = 20;

/// A filter whose name the API knows.
struct Condition<'a> {
    attribute: Attribute<'a>,
    values: &'a [String],
}

#[derive(Clone, Copy)]
enum Attribute<'a> {
    Zone,
    ProjectId,
    VpcId,
    SubnetId,
    InstanceId,
    Uuid,
    SecurityGroupId,
    InstanceName(NameFilter),
    ChargeType,
    State,
    PrivateIp,
    PublicIp,
    TagKey,
    TagValue,
    Tag(&'a str),
    /// Known to the API, but no machine here has it.
    Absent,
}

impl<'a> Condition<'a> {
    fn parse(filter: &'a Filter, name_filter: NameFilter) -> Result<Self, Refusal> {
        let values = filter.values.as_slice();
        if values.len() > MAX_FILTER_VALUES {
            let message = format!("`{}` has more than {MAX_FILTER_VALUES} values", filter.name);
            return Err(Refusal::new("InvalidFilterValue.LimitExceeded", message));
        }
        let attribute = match filter.name.as_str() {
            "zone" => Attribute::Zone,
            "project-id" => Attribute::ProjectId,
            "vpc-id" => Attribute::VpcId,
            "subnet-id" => Attribute::SubnetId,
            "instance-id" => Attribute::InstanceId,
            "uuid" => Attribute::Uuid,
            "security-group-id" => Attribute::SecurityGroupId,
            "instance-name" => Attribute::InstanceName(name_filter),
            "instance-charge-type" => Attribute::ChargeType,
            "instance-state" => Attribute::State,
            "private-ip-address" => Attribute::PrivateIp,
            "public-ip-address" => Attribute::PublicIp,
            "tag-key" => Attribute::TagKey,
            "tag-value" => Attribute::TagValue,
            "host-id" | "dedicated-cluster-id" | "ipv6-address" => Attribute::Absent,
            name => match name.strip_prefix("tag:") {
                Some(key) if !key.is_empty() => Attribute::Tag(key),
                _ => return Err(Refusal::new("InvalidFilter", format!("there is no filter `{name}`"))),
            },
        };
        let condition = Self { attribute, values };
        condition.check_values()?;
        Ok(condition)
    }

    fn check_values(&self) -> Result<(), Refusal> {
        match self.attribute {
            Attribute::InstanceId => check_ids(self.values),
            // SPOTPAID is not among the documented values: callers must tell spot machines apart themselves.
            Attribute::ChargeType => {
                let known =
                    |value: &String| ["PREPAID", "POSTPAID_BY_HOUR", "CDHPAID"].contains(&value.as_str());
                match self.values.iter().find(|value| !known(value)) {
                    None => Ok(()),
                    Some(value) => Err(Refusal::new(
                        "InvalidParameterValue",
                        format!("`{value}` is not a value of instance-charge-type"),
                    )),
                }
            }
            _ => Ok(()),
        }
    }

    fn holds(&self, machine: &Machine) -> bool {
        let is = |shown: &str| self.values.iter().any(|value| value == shown);
        match self.attribute {
            Attribute::Zone => is(&machine.zone),
            Attribute::ProjectId => is(&machine.project_id.to_string()),
            Attribute::VpcId => is(&machine.vpc),
            Attribute::SubnetId => is(&machine.subnet),
            Attribute::InstanceId => is(&machine.id),
            Attribute::Uuid => is(&machine.uuid),
            Attribute::SecurityGroupId => machine.security_groups.iter().any(|group| is(group)),
            Attribute::InstanceName(NameFilter::Exact) => is(&machine.name),
            Attribute::InstanceName(NameFilter::Contains) => {
                self.values.iter().any(|value| machine.name.contains(value.as_str()))
            }
            Attribute::ChargeType => is(&machine.charge_type),
            Attribute::State => is(machine.shown_state().as_str()),
            Attribute::PrivateIp => machine.shown_private_ip().is_some_and(|ip| is(&ip.to_string())),
            Attribute::PublicIp => machine.shown_public_ip().is_some_and(|ip| is(&ip.to_string())),
            Attribute::TagKey => machine.shown_tags().iter().any(|(key, _)| is(key)),
            Attribute::TagValue => machine.shown_tags().iter().any(|(_, value)| is(value)),
            Attribute::Tag(name) => machine.shown_tags().iter().any(|(key, value)| key == name && is(value)),
            Attribute::Absent => false,
        }
    }
}

/// Whether each id is of the shape `ins-` and 8 letters or digits.
pub(crate) fn check_ids(ids: &[String]) -> Result<(), Refusal> {
    let fits = |id: &String| {
        id.strip_prefix("ins-")
            .is_some_and(|rest| rest.len() == 8 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    match ids.iter().find(|id| !fits(id)) {
        None => Ok(()),
        Some(id) => Err(Refusal::new(
            "InvalidInstanceId.Malformed",
            format!("`{id}` is not of the shape ins-xxxxxxxx"),
        )),
    }
}

/// How the ledger names what a call asks for.
fn asked(call: &DescribeInstances) -> String {
    let filters = call.filters.as_deref().unwrap_or(&[]);
    if !filters.is_empty() {
        filters.iter().map(|filter| filter.name.as_str()).collect::<Vec<_>>().join("+")
    } else if call.instance_ids.as_ref().is_some_and(|ids| !ids.is_empty()) {
        "ids".to_owned()
    } else {
        "all".to_owned()
    }
}

/// The window of a listing that is asked for: (offset, limit).
fn page_of(call: &DescribeInstances) -> Result<(usize, usize), Refusal> {
    let limit = call.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::new("InvalidParameterValueLimit", format!("Limit is 1 to {MAX_LIMIT}")));
    }
    let offset = usize::try_from(call.offset.unwrap_or(0))
        .map_err(|_| Refusal::new("InvalidParameterValueOffset", "Offset is not negative"))?;
    Ok((offset, usize::try_from(limit).unwrap_or(MAX_IDS)))
}

impl Cloud {
    /// The content of the answer: `"TotalCount":…,"InstanceSet":[…]`.
    pub(crate) fn describe(
        &mut self,
        account: usize,
        region: &str,
        call: &DescribeInstances,
        faults: &[Fault],
    ) -> Result<String, Refusal> {
        let (offset, limit) = page_of(call)?;
        let found = self.select(account, region, call)?;
        self.ledger.looked(asked(call));
        let mut total = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let mut page: Vec<u64> = found.into_iter().skip(offset).take(limit).collect();
        for fault in faults {
            match fault {
                Fault::EmptyListing => {
                    total = 0;
                    page.clear();
                }
                Fault::EmptyPage => page.clear(),
                Fault::ShortPage { missing } => page.truncate(page.len().saturating_sub(*missing)),
                Fault::DoubledEntries => page = page.iter().flat_map(|&seq| [seq, seq]).collect(),
                Fault::MovedTotal { by } => total = (total + by).max(0),
                _ => {}
            }
        }
        let mut content = String::with_capacity(64 + page.len() * 1400);
        content.push_str(&format!(r#""TotalCount":{total},"InstanceSet":["#));
        for (index, seq) in page.into_iter().enumerate() {
            if index > 0 {
                content.push(',');
            }
            if let Some(machine) = self.machines.get_mut(&seq) {
                if machine.shown_running_at.is_none() && machine.shown_state() == State::Running {
                    machine.shown_running_at = Some(self.now);
                }
                if machine.shown.is_none() {
                    machine.shown = Some(wire::instance(machine));
                }
                content.push_str(machine.shown.as_deref().unwrap_or_default());
            }
        }
        content.push(']');
        Ok(content)
    }

    /// The machines that answer the call, newest first, as their order of creation.
    fn select(&self, account: usize, region: &str, call: &DescribeInstances) -> Result<Vec<u64>, Refusal> {
        let ids = call.instance_ids.as_deref().unwrap_or(&[]);
        let filters = call.filters.as_deref().unwrap_or(&[]);
        if !ids.is_empty() && !filters.is_empty() {
            return Err(Refusal::new(
                "InvalidParameterConflict",
                "InstanceIds and Filters exclude each other",
            ));
        }
        if ids.len() > MAX_IDS {
            let message = format!("at most {MAX_IDS} InstanceIds");
            return Err(Refusal::new("InvalidParameterValue.LimitExceeded", message));
        }
        if filters.len() > MAX_FILTERS {
            let message = format!("at most {MAX_FILTERS} Filters");
            return Err(Refusal::new("InvalidFilterValue.LimitExceeded", message));
        }
        let (now, account) = (self.now, self.accounts[account].name.as_str());
        let shows = |machine: &Machine| {
            machine.visible_at <= now && machine.account == account && machine.region == region
        };
        if !ids.is_empty() {
            check_ids(ids)?;
            let mut found: Vec<u64> = ids
                .iter()
                .filter_map(|id| self.ids.get(id))
                .filter(|seq| self.machines.get(seq).is_some_and(shows))
                .copied()
                .collect();
            found.sort_unstable_by(|a, b| b.cmp(a));
            found.dedup();
            return Ok(found);
        }
        let conditions = filters
            .iter()
            .map(|filter| Condition::parse(filter, self.settings.name_filter))
            .collect::<Result<Vec<_>, _>>()?;
        let fits = |machine: &Machine| shows(machine) && conditions.iter().all(|c| c.holds(machine));
        Ok(self.machines.iter().rev().filter(|(_, machine)| fits(machine)).map(|(&seq, _)| seq).collect())
    }
}
