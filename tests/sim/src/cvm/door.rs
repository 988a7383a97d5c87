//! Who may come in: headers, signature, clock, token, version, region, rate.

use bytes::Bytes;
use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::answer::Refusal;
use super::cloud::Cloud;
use super::request::{Head, header, host_of};
use super::signature::{Claim, sign, signing_key};

const SERVICE: &str = "cvm";
const VERSION: &str = "2017-03-12";

/// How far a request's time may be from the cloud's, either way.
const MAX_AGE_SECS: i64 = 300;

impl Cloud {
    /// The account that a request comes from, and the region it is for.
    pub(crate) fn admit(&mut self, request: &http::Request<Bytes>) -> Result<(usize, String), Refusal> {
        let head = Head::parse(request)?;
        let account = self.authenticate(request, &head)?;
        if head.version != VERSION {
            return Err(Refusal::new("NoSuchVersion", format!("there is no version `{}`", head.version)));
        }
        if head.region.is_empty() {
            return Err(Refusal::missing("X-TC-Region"));
        }
        if !self.world.regions.contains_key(head.region) {
            return Err(Refusal::new("UnsupportedRegion", format!("there is no region `{}`", head.region)));
        }
        self.admit_at_rate(account, &head)?;
        Ok((account, head.region.to_owned()))
    }

    fn authenticate(&mut self, request: &http::Request<Bytes>, head: &Head<'_>) -> Result<usize, Refusal> {
        let unauthorised = |what: &str, message: String| Refusal::new(format!("AuthFailure.{what}"), message);
        let claim = Claim::parse(head.authorization)
            .filter(|claim| claim.covers_what_it_must() && claim.service == SERVICE)
            .ok_or_else(|| {
                let shape = "Authorization is not TC3-HMAC-SHA256 over content-type and host for cvm";
                unauthorised("InvalidAuthorization", shape.to_owned())
            })?;
        let ours = |id: &str| id == claim.secret_id;
        let found = self.accounts.iter().enumerate().find_map(|(index, account)| {
            account.credentials.iter().find(|c| ours(&c.secret_id)).map(|c| (index, c))
        });
        let Some((account, credential)) = found else {
            return Err(unauthorised(
                "SecretIdNotFound",
                format!("there is no SecretId `{}`", claim.secret_id),
            ));
        };
        let clock = self.clock(0.0).as_second();
        if (clock - head.timestamp).abs() > MAX_AGE_SECS {
            let message = format!("X-TC-Timestamp {} is too far from {clock}", head.timestamp);
            return Err(unauthorised("SignatureExpire", message));
        }
        let wrong = || unauthorised("SignatureFailure", "the signature does not fit the request".to_owned());
        if Some(claim.date) != utc_date(head.timestamp).as_deref() {
            return Err(wrong());
        }
        let key = match self.signing_keys.get(claim.secret_id) {
            Some((date, key)) if date == claim.date => *key,
            _ => {
                let key = signing_key(&credential.secret_key, claim.date, SERVICE);
                self.signing_keys.insert(claim.secret_id.to_owned(), (claim.date.to_owned(), key));
                key
            }
        };
        let value = |name: &str| match name {
            "host" => Some(host_of(request)),
            "content-type" => Some(head.content_type),
            name => Some(header(request.headers(), name)).filter(|value| !value.is_empty()),
        };
        let canonical = claim.canonical_request(value, request.body()).ok_or_else(wrong)?;
        if sign(&key, &claim.string_to_sign(head.timestamp, &canonical)) != claim.signature {
            return Err(wrong());
        }
        if head.token != credential.token.as_deref() {
            return Err(unauthorised(
                "TokenFailure",
                "X-TC-Token does not belong to the key pair".to_owned(),
            ));
        }
        if credential.expires_at.is_some_and(|expires_at| expires_at <= self.now) {
            return Err(unauthorised("TokenFailure", "the temporary key pair has expired".to_owned()));
        }
        Ok(account)
    }

    /// A sliding window of one second: the call is refused when as many as the limit came within it.
    /// A refused call does not count.
    fn admit_at_rate(&mut self, account: usize, head: &Head<'_>) -> Result<(), Refusal> {
        let Some(&limit) = self.settings.rate_limits.get(head.action) else { return Ok(()) };
        // Spread evenly over every second, so that each second has as many of theirs.
        let theirs = (f64::from(limit) * self.settings.others_use.clamp(0.0, 1.0)).round();
        let left = limit.saturating_sub(theirs as u32);
        let key = (account, head.region.to_owned(), head.action.to_owned());
        let window = self.windows.entry(key).or_default();
        let start = self.now - SignedDuration::from_secs(1);
        while window.front().is_some_and(|&at| at <= start) {
            window.pop_front();
        }
        if window.len() >= left as usize {
            let message = format!("more than {limit} calls of {} in a second", head.action);
            return Err(Refusal::new("RequestLimitExceeded", message));
        }
        window.push_back(self.now);
        Ok(())
    }
}

/// `YYYY-MM-DD` in UTC.
fn utc_date(unix: i64) -> Option<String> {
    Some(TimeZone::UTC.to_datetime(Timestamp::from_second(unix).ok()?).date().to_string())
}
